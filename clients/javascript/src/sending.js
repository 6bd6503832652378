/** One request: sent, tried again where that can help, under one idempotency key. */

import { Limit } from './caller.js';
import {
  AuthenticationFailed,
  ConnectionFailed,
  IdempotencyInProgress,
  IOPaintError,
  RateLimited,
  ServerError,
  TimedOut,
  ofAnswer,
  unexpected,
} from './errors.js';
import { hasFiles, uuid } from './runtime.js';

const USER_AGENT = 'iopaint-sdk-javascript/1.0.0';
const FIRST_PAUSE = 0.5; // seconds
const LONGEST_PAUSE = 8;
const LONGEST_WAIT = 120; // seconds of Retry-After that are waited for
const PRINTABLE = /^[\x20-\x7e]+$/; // what headers hold

/** An answer whose bytes are here; of a stream, which is still open, they are not, and `limit` goes on. */
class Answer {
  constructor(response, address, bytes, limit) {
    this.status = response.status;
    this.ok = response.ok;
    this.headers = response.headers;
    this.stream = response.body;
    this.address = address.split('?')[0];
    this.bytes = bytes;
    this.limit = limit;
  }

  /** Throws SyntaxError where it is no JSON. */
  json() {
    return JSON.parse(new TextDecoder().decode(this.bytes));
  }

  errorBody() {
    try {
      return this.json();
    } catch {
      return null; // it is none of the service's, which is told with its status
    }
  }
}

/** What `call.parse` makes of the answer. Throws IOPaintError, or the signal's reason when it was aborted. */
export async function send(caller, call) {
  const headers = await headersOf(caller, call);
  for (let attempt = 0; ; attempt++) {
    const answer = await once(caller, call, headers);
    const failed = answer instanceof IOPaintError;
    if (!failed && (answer.ok || call.also?.includes(answer.status))) return read(call, answer);
    const error = failed ? answer : ofAnswer(answer);
    const wait = pause(error, attempt, Math.random());
    if (wait === null || attempt === caller.maxRetries) throw error;
    await caller.sleep(wait, call.signal);
  }
}

/** Seconds before the next try; null: it would not help. attempt: from 0. jitter: 0 to 1, shortens by a quarter. */
export function pause(error, attempt, jitter) {
  const kinds = [ConnectionFailed, RateLimited, IdempotencyInProgress, ServerError];
  if (!kinds.some((kind) => error instanceof kind) && error.statusCode !== 408) return null;
  if (error.retryAfter !== undefined) return error.retryAfter <= LONGEST_WAIT ? error.retryAfter : null;
  return Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** attempt) * (1 - jitter / 4);
}

/** An answer, or the error of the way to it. */
async function once(caller, call, headers) {
  const { method, form, signal, streamed } = call;
  const address = caller.url(call.path);
  const limit = new Limit(signal);
  let open = false;
  limit.start(call.timeout ?? caller.timeout);
  try {
    // A redirect is not followed: the key would go wherever it leads.
    const response = await caller.fetch(address, { method, headers, body: form, redirect: 'manual', signal: limit.signal });
    open = Boolean(streamed && response.status === 200);
    if (open) return new Answer(response, address, null, limit);
    return new Answer(response, address, new Uint8Array(await response.arrayBuffer()));
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    return limit.expired
      ? new TimedOut(`No answer from ${caller.baseUrl} in time.`, { code: 'timed_out', cause: error })
      : new ConnectionFailed(`${caller.baseUrl} cannot be reached: ${reason(error)}`, {
          code: 'connection_failed',
          cause: error,
        });
  } finally {
    if (!open) limit.stop();
  }
}

function read(call, answer) {
  try {
    return call.parse(answer);
  } catch (error) {
    throw unexpected(answer, error);
  }
}

/** fetch says only that it failed; Node says why in the cause, or in the causes of it. */
function reason(error) {
  const cause = error.cause?.errors?.[0] ?? error.cause ?? error;
  return cause.message || cause.code || String(cause);
}

async function headersOf(caller, call) {
  const headers = { ...call.headers };
  if (hasFiles) headers['User-Agent'] = USER_AGENT; // a browser has its own
  if (call.needsKey !== false) {
    if (!caller.apiKey) {
      throw new AuthenticationFailed('There is no API key. Pass apiKey or set IOPAINT_API_KEY.', { code: 'missing_api_key' });
    }
    if (!PRINTABLE.test(caller.apiKey)) {
      throw new AuthenticationFailed('The API key has characters that no key has.', { code: 'invalid_api_key' });
    }
    headers['X-API-Key'] = caller.apiKey;
  }
  if (call.charged) {
    const key = call.idempotencyKey ?? (await uuid());
    if (!PRINTABLE.test(key)) throw new TypeError('An idempotency key has printable ASCII characters only.');
    headers['Idempotency-Key'] = key;
  }
  return headers;
}
