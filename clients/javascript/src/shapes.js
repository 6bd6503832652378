/** What the service's JSON has: members by name and type. What a newer service adds stays in it. */

const orNull = (shape) => (value) => value === null || fits(value, shape);
const orMissing = (shape) => (value) => value === undefined || fits(value, shape);
const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);

const BOX = {
  x: 'number',
  y: 'number',
  width: 'number',
  height: 'number',
  score: 'number',
  kind: orMissing('string'),
  polygon: orMissing([['number']]),
};
export const DETECTION = { found: 'boolean', coverage: 'number', boxes: [BOX], proposals: orMissing([BOX]) };
export const STATS = {
  total: 'number',
  success: 'number',
  failed: 'number',
  total_processing_time: 'number',
  avg_processing_time: 'number',
  plan: 'string',
  quota: {
    limit: orNull('number'),
    used: 'number',
    remaining: orNull('number'),
    period: 'string',
    resets_at: 'string',
  },
};
export const HEALTH = { status: 'string', model: 'string', device: 'string', gpu_available: 'boolean' };
export const MODEL = {
  name: 'string',
  description: 'string',
  licence: 'string',
  weights: orNull('string'),
  units: orNull('number'),
  available: 'boolean',
  default: 'boolean',
};
export const BATCH = {
  id: 'string',
  status: 'string',
  total: 'number',
  queued: 'number',
  running: 'number',
  succeeded: 'number',
  failed: 'number',
  cancelled: 'number',
  created_at: 'string',
  started_at: orNull('string'),
  finished_at: orNull('string'),
  expires_at: 'string',
  metadata: isObject,
};
export const ITEM = {
  batch: 'string',
  index: 'number',
  name: 'string',
  status: 'string',
  position: orNull('number'),
  error: orNull({ code: 'string', detail: 'string' }),
  result: orNull({
    url: 'string',
    width: 'number',
    height: 'number',
    coverage: 'number',
    seconds: 'number',
    expires_at: 'string',
    mask_source: orMissing('string'),
  }),
};
export const SAVED_MARK = {
  id: 'string',
  name: 'string',
  kind: 'string',
  anchor: 'string',
  scaling: 'string',
  width: 'number',
  height: 'number',
  picture_width: orNull('number'),
  picture_height: orNull('number'),
  opacity: orNull('number'),
  bytes: 'number',
  created_at: 'string',
};
export const WEBHOOK_ENDPOINT = {
  id: 'string',
  url: 'string',
  events: ['string'],
  created_at: 'string',
  disabled: 'string',
  failing_since: orNull('string'),
};
export const NEW_WEBHOOK_ENDPOINT = { ...WEBHOOK_ENDPOINT, secret: 'string' };
export const WEBHOOK_SECRET = { secret: 'string', previous_signs_until: orNull('string') };
export const DELIVERY = {
  id: 'string',
  message_id: 'string',
  type: 'string',
  endpoint: orNull('string'),
  url: 'string',
  status: 'string',
  attempts: [{ at: 'string', seconds: 'number', status: orNull('number'), answer: 'string', error: 'string' }],
  created_at: 'string',
  finished_at: orNull('string'),
  next_attempt_at: orNull('string'),
};
export const REPLAYED = { queued: 'number' };

/** The value. Throws TypeError where it is of another shape. */
export function shaped(value, shape) {
  if (!fits(value, shape)) throw new TypeError('not as the service answers');
  return value;
}

function fits(value, shape) {
  if (typeof shape === 'function') return shape(value);
  if (Array.isArray(shape)) return Array.isArray(value) && value.every((each) => fits(each, shape[0]));
  if (isObject(shape)) return isObject(value) && Object.entries(shape).every(([name, each]) => fits(value[name], each));
  return shape === 'number' ? Number.isFinite(value) : typeof value === shape;
}
