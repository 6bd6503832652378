/** What can go wrong: one class for each thing that a program may want to tell apart, chosen by the answer's `code`. */

/** Base of all errors of the service and of the way to it; index.d.ts says what its members mean. */
export class IOPaintError extends Error {
  constructor(detail, { code, statusCode, requestId, retryAfter, index, cause } = {}) {
    super(requestId ? `${detail} (${code}, request ${requestId})` : detail, cause === undefined ? {} : { cause });
    this.name = new.target.name;
    this.detail = detail;
    this.code = code;
    this.statusCode = statusCode;
    this.requestId = requestId;
    this.retryAfter = retryAfter;
    this.index = index;
  }
}

export class ConnectionFailed extends IOPaintError {}
export class TimedOut extends ConnectionFailed {}
export class UnexpectedAnswer extends IOPaintError {}
export class AuthenticationFailed extends IOPaintError {}
export class InvalidRequest extends IOPaintError {}
export class InvalidImage extends InvalidRequest {}
export class ImageTooLarge extends InvalidRequest {}
export class InvalidMask extends InvalidRequest {}
export class BatchTooLarge extends InvalidRequest {}
export class BatchTooSmall extends InvalidRequest {}
export class BodyTooLarge extends InvalidRequest {}
export class ModelNotInPlan extends IOPaintError {}
export class IdempotencyKeyReused extends InvalidRequest {}
export class NotFound extends IOPaintError {}
export class IdempotencyInProgress extends IOPaintError {}
export class RateLimited extends IOPaintError {}
export class QuotaExceeded extends IOPaintError {}
export class ServerError extends IOPaintError {}
export class Busy extends ServerError {}
export class Unavailable extends ServerError {}

// Every code that docs/errors.md has; one that is newer than this package is known by its status.
const CODES = [
  [
    AuthenticationFailed,
    'missing_api_key invalid_api_key missing_api_token wrong_api_token insufficient_scope address_not_allowed ' +
      'forbidden csrf_failed',
  ],
  [
    InvalidRequest,
    'invalid_request unknown_field parse_error bad_request unknown_model option_not_taken text_not_installed ' +
      'invalid_idempotency_key ' +
      'url_not_allowed url_unreachable url_too_large invalid_archive invalid_mark too_many_marks no_webhook_secret ' +
      'too_many_endpoints endpoint_disabled nothing_to_retry method_not_allowed request_timeout precondition_failed ' +
      'uri_too_long headers_too_large unsupported_media_type expectation_failed',
  ],
  [InvalidImage, 'invalid_image animated_image'],
  [ImageTooLarge, 'image_too_large'],
  [InvalidMask, 'invalid_mask mask_too_large empty_mask faint_mask mask_covers_everything'],
  [BatchTooLarge, 'batch_too_large'],
  [BatchTooSmall, 'batch_too_small'],
  [BodyTooLarge, 'body_too_large'],
  [ModelNotInPlan, 'model_not_in_plan'],
  [IdempotencyKeyReused, 'idempotency_key_reused'],
  [IdempotencyInProgress, 'idempotency_in_progress'],
  [NotFound, 'not_found'],
  [RateLimited, 'rate_limited too_many_calls'],
  [QuotaExceeded, 'quota_exceeded key_quota_exceeded'],
  [ServerError, 'internal_error not_implemented'],
  [Busy, 'busy'],
  [Unavailable, 'engine_unavailable database_unavailable storage_unavailable cache_unavailable mail_unavailable'],
];
const LONGEST_TEXT = 1000; // characters that are shown of one
export const BY_CODE = new Map(CODES.flatMap(([kind, codes]) => codes.split(' ').map((code) => [code, kind])));

/** The error of a batch's picture, which has a code and a text but no answer of its own. */
export function coded({ code, detail }) {
  const Kind = BY_CODE.get(code) ?? IOPaintError;
  return new Kind(plain(detail), { code: plain(code) });
}

export function ofAnswer(answer) {
  const { code, detail, index } = answer.errorBody() ?? {};
  if (typeof code !== 'string' || typeof detail !== 'string') return unexpected(answer);
  const Kind = BY_CODE.get(code) ?? (answer.status >= 500 ? ServerError : InvalidRequest);
  const which = Number.isInteger(index) ? { index } : {};
  return new Kind(plain(detail), { code: plain(code), ...told(answer), ...which });
}

/** Of an answer that is not in the service's own form: a proxy's, or another server's. A 5xx may pass. */
export function unexpected(answer, cause) {
  const Kind = answer.status >= 500 ? ServerError : UnexpectedAnswer;
  const type = plain(answer.headers.get('Content-Type') ?? 'no type of content');
  const what = answer.status ? `HTTP ${answer.status} with ${type}` : 'a redirect';
  const detail = `${answer.address} answered ${what}, but not as the service does.`;
  return new Kind(detail, { code: 'unexpected_answer', ...told(answer), cause });
}

/** Of an answer that does not end. */
export function endless({ status, address }, most) {
  const detail = `${address.split('?')[0]} answered more than ${most / 2 ** 20} MB.`;
  return new UnexpectedAnswer(detail, { code: 'unexpected_answer', statusCode: status });
}

/** For a terminal: not endless, on one line, without control characters. */
function plain(text) {
  return text.slice(0, LONGEST_TEXT).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, ' ');
}

function told(answer) {
  const header = answer.headers.get('Retry-After');
  return {
    statusCode: answer.status,
    requestId: answer.headers.get('X-Request-Id') ?? undefined,
    retryAfter: header ? seconds(header) : undefined,
  };
}

/** Retry-After: seconds or a date (RFC 9110, 10.2.3). What cannot be read says nothing. */
function seconds(header) {
  const number = Number(header);
  if (Number.isFinite(number)) return Math.max(0, number);
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, (date - Date.now()) / 1000);
}
