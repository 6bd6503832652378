/** The table of requests about what an account keeps: its saved marks and its webhooks' endpoints. */

import { LARGEST_PICTURE, get, one, pageQuery, paged, picture, post, refuseUnknown } from './calls.js';
import { read } from './files.js';
import {
  DELIVERY,
  NEW_WEBHOOK_ENDPOINT,
  REPLAYED,
  SAVED_MARK,
  WEBHOOK_ENDPOINT,
  WEBHOOK_SECRET,
  shaped,
} from './shapes.js';

// Each with the name that its field has there.
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
const WEBHOOKS = '/api/v1/webhooks';
const ENDPOINT_FIELDS = ['url', 'events', 'enabled'];
const TRIES = ['timeout', 'signal'];

export async function createMark(image, name, { kind = 'logo', ...options }) {
  refuseUnknown(options, [...Object.keys(MARK_FIELDS), ...TRIES]);
  const form = new FormData();
  form.append('name', name);
  for (const [option, value] of Object.entries({ kind, ...options }))
    if (option in MARK_FIELDS && value !== undefined) form.append(MARK_FIELDS[option], value);
  (await read(image)).attach(form, 'image', 'image_url');
  return { ...post('/api/v1/marks', form, options), once: true, parse: one(SAVED_MARK) };
}

export const marks = (limit, cursor, options) => ({
  ...get(`/api/v1/marks?${pageQuery(limit, cursor)}`, options),
  parse: paged(SAVED_MARK),
});
export const mark = (id, options) => ({ ...get(markAt(id), options), parse: one(SAVED_MARK) });
export const deleteMark = (id, options) => ({ ...mark(id, options), method: 'DELETE', parse: () => undefined });
export const renameMark = (id, name, options) => ({ ...mark(id, options), method: 'PATCH', body: { name } });

export function markFile(id, options) {
  return { ...get(`${markAt(id)}/file`, options), largest: LARGEST_PICTURE, parse: picture };
}

export function webhooks(options) {
  return { ...get(WEBHOOKS, options), parse: (answer) => shaped(answer.json().results, [WEBHOOK_ENDPOINT]) };
}

export const webhook = (id, options) => ({ ...get(endpointAt(id), options), parse: one(WEBHOOK_ENDPOINT) });

export function createWebhook(url, events, options) {
  const call = post(WEBHOOKS, undefined, options);
  return { ...call, body: { url, events: types(events) }, once: true, parse: one(NEW_WEBHOOK_ENDPOINT) };
}

export function updateWebhook(id, changes) {
  refuseUnknown(changes, [...ENDPOINT_FIELDS, ...TRIES]);
  if (changes.events !== undefined) types(changes.events);
  const body = Object.fromEntries(ENDPOINT_FIELDS.map((name) => [name, changes[name]]));
  return { ...webhook(id, changes), method: 'PATCH', body };
}

export const deleteWebhook = (id, options) => ({ ...webhook(id, options), method: 'DELETE', parse: () => undefined });

export function rotateWebhookSecret(id, options) {
  return { ...post(`${endpointAt(id)}/rotate`, undefined, options), once: true, parse: one(WEBHOOK_SECRET) };
}

export function rotateDefaultSecret(options) {
  return { ...post(`${WEBHOOKS}/default-secret`, undefined, options), once: true, parse: one(WEBHOOK_SECRET) };
}

export function testWebhook(id, options) {
  return { ...post(`${endpointAt(id)}/test`, undefined, options), once: true, parse: one(DELIVERY) };
}

/** since: a Date. */
export function replayWebhook(id, since, options) {
  const parse = (answer) => shaped(answer.json(), REPLAYED).queued;
  return { ...post(`${endpointAt(id)}/replay`, undefined, options), body: { since: since.toISOString() }, once: true, parse };
}

export function deliveries(endpoint, limit, cursor, options) {
  const query = pageQuery(limit, cursor, endpoint === undefined ? {} : { endpoint });
  return { ...get(`${WEBHOOKS}/deliveries?${query}`, options), parse: paged(DELIVERY) };
}

export function replayDelivery(id, options) {
  const path = `${WEBHOOKS}/deliveries/${encodeURIComponent(id)}/replay`;
  return { ...post(path, undefined, options), once: true, parse: one(DELIVERY) };
}

function markAt(id) {
  return `/api/v1/marks/${encodeURIComponent(id)}`;
}

function endpointAt(id) {
  return `${WEBHOOKS}/${encodeURIComponent(id)}`;
}

function types(events) {
  if (!Array.isArray(events)) throw new TypeError('events is an array of types of events.');
  return events;
}
