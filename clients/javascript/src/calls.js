/** The table of requests: what each call sends, and what its answer becomes. */

import { UnexpectedAnswer } from './errors.js';
import { read } from './files.js';
import { Result, pictureType } from './result.js';
import { BATCH, DETECTION, HEALTH, ITEM, MODEL, STATS, shaped } from './shapes.js';

export const LARGEST_PICTURE = 512 * 2 ** 20; // bytes: 8192 x 8192 pixels of noise with alpha, twice
export const MOST_A_PAGE = 200;

// Each with the name that its field has there.
const FIELDS = {
  mark: 'mark',
  grow: 'grow',
  mode: 'mode',
  format: 'format',
  model: 'model',
  prompt: 'prompt',
  negativePrompt: 'negative_prompt',
  steps: 'steps',
  guidance: 'guidance',
  seed: 'seed',
};
const OPTIONS = ['mask', 'rectangles', 'targets', ...Object.keys(FIELDS), 'exif', 'idempotencyKey', 'timeout', 'signal'];
const BATCH_OPTIONS = [...OPTIONS, 'metadata', 'webhookUrl', 'partial', 'expiresIn', 'sharedMark'];

export async function removeWatermark(image, options) {
  const form = formOf(options, OPTIONS, 'metadata');
  (await read(image)).attach(form, 'image', 'image_url');
  await attachMask(form, options.mask);
  const parse = (answer) => new Result(answer);
  return { ...post('/api/v1/remove-watermark', form, options), charged: true, largest: LARGEST_PICTURE, parse };
}

/** images, masks, archive: Sent. */
export async function createBatch(images, { masks, archive, ...options }) {
  const form = formOf(options, BATCH_OPTIONS, 'exif');
  const byAddress = images.filter((each) => each.url).length;
  if (byAddress && byAddress < images.length) throw new TypeError('A batch is of addresses or of files, not of both.');
  for (const image of images) image.attach(form, 'images', 'image_urls');
  await attachMask(form, options.mask);
  for (const mask of masks ?? []) mask.attach(form, 'masks', 'mask_urls');
  archive?.attach(form, 'archive', 'archive_url');
  if (options.sharedMark !== undefined) form.append('shared_mark', options.sharedMark);
  if (options.partial !== undefined) form.append('partial', options.partial);
  if (options.metadata !== undefined) form.append('metadata', JSON.stringify(options.metadata));
  if (options.webhookUrl !== undefined) form.append('webhook_url', options.webhookUrl);
  if (options.expiresIn !== undefined) form.append('expires_in', options.expiresIn);
  return { ...post('/api/v1/batch', form, options), charged: true, parse: one(BATCH) };
}

export async function detect(image, options) {
  const form = await lookAt(image, options, ['mode', 'targets', 'marked', 'proposals']);
  return { ...post('/api/v1/detect', form, options), parse: one(DETECTION) };
}

export async function detectMask(image, options) {
  const form = await lookAt(image, options, ['mode', 'targets', 'marked']);
  const headers = { Accept: 'image/png' };
  return { ...post('/api/v1/detect', form, options), headers, largest: LARGEST_PICTURE, parse: picture };
}

export const stats = (options) => ({ ...get('/api/v1/stats', options), parse: one(STATS) });
export const health = (options) => ({ ...get('/api/v1/health', options), needsKey: false, also: [503], parse: one(HEALTH) });
export const batch = (id, options) => ({ ...get(batchAt(id), options), parse: one(BATCH) });
export const cancelBatch = (id, options) => ({ ...batch(id, options), method: 'DELETE' });

export function models(options) {
  return { ...get('/api/v1/models', options), needsKey: false, parse: (answer) => shaped(answer.json().models, [MODEL]) };
}

export function batches(limit, cursor, options) {
  return { ...get(`/api/v1/batch?${pageQuery(limit, cursor)}`, options), parse: paged(BATCH) };
}

export function items(id, limit, cursor, options) {
  return { ...get(`${batchAt(id)}/items?${pageQuery(limit, cursor)}`, options), parse: paged(ITEM) };
}

export function retryBatch(id, { partial, ...options }) {
  const form = new FormData();
  form.append('partial', partial ?? false);
  return { ...post(`${batchAt(id)}/retry`, form, options), once: true, parse: one(BATCH) };
}

/** A ZIP of what is there: the answer, open. */
export function results(id, options) {
  return { ...get(`${batchAt(id)}/results.zip`, options), streamed: true, parse: ofType('application/zip') };
}

/** Progress as server-sent events: the answer, open; or 204, when the batch was over before. */
export function events(id, last, options) {
  const headers = { Accept: 'text/event-stream', ...(last ? { 'Last-Event-ID': last } : {}) };
  return { ...get(`${batchAt(id)}/events`, options), headers, streamed: true, parse: ofType('text/event-stream') };
}

/** A result. Its address needs no key, so none is sent wherever it leads. Throws UnexpectedAnswer. */
export function download(url, options) {
  if (!/^https?:\/\//i.test(url)) {
    throw new UnexpectedAnswer("A result's address is none of the web.", { code: 'unexpected_answer' });
  }
  const parse = (answer) => (pictureType(answer), answer);
  return { ...get(url, options), needsKey: false, largest: LARGEST_PICTURE, parse };
}

export function one(shape) {
  return (answer) => shaped(answer.json(), shape);
}

/** A page of a list, and the next one's cursor or null. */
export function paged(shape) {
  return (answer) => {
    const { next, results: page } = answer.json();
    return { page: shaped(page, [shape]), next: next === null ? null : new URL(next).searchParams.get('cursor') };
  };
}

export function pageQuery(limit, cursor, others = {}) {
  const given = { limit: Math.min(limit, MOST_A_PAGE), ...others };
  return new URLSearchParams(cursor === null ? given : { ...given, cursor });
}

export function picture(answer) {
  pictureType(answer);
  return answer.bytes;
}

function ofType(kind) {
  return (answer) => {
    if (answer.status !== 204 && answer.headers.get('Content-Type')?.split(';')[0].trim() !== kind) {
      throw new TypeError(`not ${kind}`);
    }
    return answer;
  };
}

function batchAt(id) {
  return `/api/v1/batch/${encodeURIComponent(id)}`;
}

export function get(path, options) {
  return { method: 'GET', path, ...tries(options, ['timeout', 'signal']) };
}

export function post(path, form, options) {
  return { method: 'POST', path, form, ...tries(options, ['timeout', 'signal', 'idempotencyKey']) };
}

function tries(options, names) {
  return Object.fromEntries(names.map((name) => [name, options?.[name]]));
}

/** Throws TypeError for an option that does not exist. exif: the name that this field has there. */
function formOf(options, known, exif) {
  refuseUnknown(options, known);
  const form = new FormData();
  for (const [name, field] of Object.entries(FIELDS)) if (options[name] !== undefined) form.append(field, options[name]);
  if (options.exif !== undefined) form.append(exif, options.exif);
  if (options.targets !== undefined) form.append('targets', options.targets); // a list's text has commas
  if (options.rectangles !== undefined) form.append('rectangles', JSON.stringify(options.rectangles.map(rectangle)));
  return form;
}

async function lookAt(image, options, names) {
  refuseUnknown(options, [...names, 'timeout', 'signal']);
  const form = new FormData();
  for (const name of names) if (options[name] !== undefined) form.append(name, options[name]);
  (await read(image)).attach(form, 'image', 'image_url');
  return form;
}

async function attachMask(form, mask) {
  if (mask != null) (await read(mask, 'mask')).attach(form, 'mask', 'mask_url');
}

export function refuseUnknown(options, known) {
  const unknown = Object.keys(options).find((name) => !known.includes(name));
  if (unknown) throw new TypeError(`There is no option '${unknown}'. There are ${known.join(', ')}.`);
}

function rectangle(box) {
  const [x, y, width, height] = Array.isArray(box) ? box : [box.x, box.y, box.width, box.height];
  return { x, y, width, height };
}
