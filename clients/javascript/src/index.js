/** Removes watermarks and objects from pictures with an IOPaint service. */

export { IOPaintClient } from './client.js';
export {
  AuthenticationFailed,
  BatchTooLarge,
  BatchTooSmall,
  BodyTooLarge,
  Busy,
  ConnectionFailed,
  IdempotencyInProgress,
  IdempotencyKeyReused,
  ImageTooLarge,
  InvalidImage,
  InvalidMask,
  InvalidRequest,
  IOPaintError,
  ModelNotInPlan,
  NotFound,
  QuotaExceeded,
  RateLimited,
  ServerError,
  TimedOut,
  Unavailable,
  UnexpectedAnswer,
} from './errors.js';
export { Result } from './result.js';
export { isOver } from './following.js';
export * as webhooks from './webhooks.js';
