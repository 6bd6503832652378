/** The table of requests: what each call sends, and what its answer becomes. */

import { read } from './files.js';
import { Result } from './result.js';

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
const OPTIONS = ['mask', 'rectangles', ...Object.keys(FIELDS), 'exif', 'idempotencyKey', 'timeout', 'signal'];
// Of a saved mark, with the names of its fields.
const MARK_FIELDS = {
  kind: 'kind',
  anchor: 'anchor',
  scaling: 'scaling',
  opacity: 'opacity',
  x: 'x',
  y: 'y',
  pictureWidth: 'picture_width',
  pictureHeight: 'picture_height',
};
const BATCH_OPTIONS = [...OPTIONS, 'metadata', 'webhookUrl', 'partial', 'expiresIn'];

export async function removeWatermark(image, options) {
  const form = formOf(options, OPTIONS, 'metadata');
  (await read(image)).attach(form, 'image', 'image_url');
  await attachMask(form, options.mask);
  return { ...post('/api/v1/remove-watermark', form, options), charged: true, parse: (answer) => new Result(answer) };
}

/** images: Sent. */
export async function createBatch(images, options) {
  const form = formOf(options, BATCH_OPTIONS, 'exif');
  const byAddress = images.filter((each) => each.url).length;
  if (byAddress && byAddress < images.length) throw new TypeError('A batch is of addresses or of files, not of both.');
  for (const image of images) image.attach(form, 'images', 'image_urls');
  await attachMask(form, options.mask);
  if (options.partial !== undefined) form.append('partial', options.partial);
  if (options.metadata !== undefined) form.append('metadata', JSON.stringify(options.metadata));
  if (options.webhookUrl !== undefined) form.append('webhook_url', options.webhookUrl);
  if (options.expiresIn !== undefined) form.append('expires_in', options.expiresIn);
  return { ...post('/api/v1/batch', form, options), charged: true, parse: having('id') };
}

export async function detect(image, options) {
  return { ...post('/api/v1/detect', await lookAt(image, options, ['mode', 'marked', 'proposals']), options), parse: having('boxes') };
}

export async function detectMask(image, options) {
  const form = await lookAt(image, options, ['mode', 'marked']);
  return { ...post('/api/v1/detect', form, options), headers: { Accept: 'image/png' }, parse: (answer) => answer.bytes };
}

export async function createMark(image, name, { kind = 'logo', ...options }) {
  refuseUnknown(options, [...Object.keys(MARK_FIELDS), 'timeout', 'signal']);
  const form = new FormData();
  form.append('name', name);
  for (const [option, value] of Object.entries({ kind, ...options }))
    if (option in MARK_FIELDS && value !== undefined) form.append(MARK_FIELDS[option], value);
  (await read(image)).attach(form, 'image', 'image_url');
  return { ...post('/api/v1/marks', form, options), parse: having('id') };
}

export function marks(options) {
  return { ...get('/api/v1/marks?limit=200', options), parse: (answer) => listed(answer.json().results) };
}

export function deleteMark(id, options) {
  return { ...get(`/api/v1/marks/${encodeURIComponent(id)}`, options), method: 'DELETE', parse: () => undefined };
}

export const stats = (options) => ({ ...get('/api/v1/stats', options), parse: having('quota') });
export const health = (options) => ({ ...get('/api/v1/health', options), needsKey: false, also: [503], parse: having('status') });
export const batch = (id, options) => ({ ...get(address(id), options), parse: having('id') });
export const cancelBatch = (id, options) => ({ ...batch(id, options), method: 'DELETE' });

export function models(options) {
  return { ...get('/api/v1/models', options), needsKey: false, parse: (answer) => listed(answer.json().models) };
}

export function batches({ limit = 50, ...options }) {
  return { ...get(`/api/v1/batch?limit=${limit}`, options), parse: (answer) => listed(answer.json().results) };
}

export function retryBatch(id, { partial, ...options }) {
  const form = new FormData();
  form.append('partial', partial ?? false);
  return { ...post(`${address(id)}/retry`, form, options), parse: having('id') };
}

/** A page of a batch's pictures, and the next one's cursor. */
export function items(id, cursor, options) {
  const query = new URLSearchParams({ limit: 200, ...(cursor ? { cursor } : {}) });
  const parse = (answer) => {
    const { next, results } = answer.json();
    return { page: listed(results), next: next ? new URL(next).searchParams.get('cursor') : null };
  };
  return { ...get(`${address(id)}/items?${query}`, options), parse };
}

/** Progress as server-sent events: the answer, open; or 204, when the batch was over before. */
export function events(id, last, options) {
  const headers = { Accept: 'text/event-stream', ...(last ? { 'Last-Event-ID': last } : {}) };
  const parse = (answer) => {
    if (answer.status === 204 || answer.headers.get('Content-Type')?.startsWith('text/event-stream')) return answer;
    throw new TypeError('not a stream of events');
  };
  return { ...get(`${address(id)}/events`, options), headers, streamed: true, parse };
}

/** A result. Its address needs no key, so none is sent wherever it leads. */
export function download(url, options) {
  return { ...get(url, options), needsKey: false, parse: (answer) => answer };
}

function address(id) {
  return `/api/v1/batch/${encodeURIComponent(id)}`;
}

function get(path, options) {
  return { method: 'GET', path, ...tries(options, ['timeout', 'signal']) };
}

function post(path, form, options) {
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

function refuseUnknown(options, known) {
  const unknown = Object.keys(options).find((name) => !known.includes(name));
  if (unknown) throw new TypeError(`There is no option '${unknown}'. There are ${known.join(', ')}.`);
}

function rectangle(box) {
  const [x, y, width, height] = Array.isArray(box) ? box : [box.x, box.y, box.width, box.height];
  return { x, y, width, height };
}

/** A JSON object as it came. Throws where it is none of the service's: that has such a member. */
function having(member) {
  return (answer) => {
    const body = answer.json();
    if (body?.[member] === undefined) throw new TypeError(`no member ${member}`);
    return body;
  };
}

function listed(value) {
  if (!Array.isArray(value)) throw new TypeError('not a list');
  return value;
}
