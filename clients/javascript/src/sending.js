/** One request: sent, tried again where that can help, under one idempotency key. */

import { Limit } from './caller.js';
import {
  AuthenticationFailed,
  Busy,
  ConnectionFailed,
  IdempotencyInProgress,
  IOPaintError,
  RateLimited,
  ServerError,
  TimedOut,
  endless,
  ofAnswer,
  unexpected,
} from './errors.js';
import { hasFiles, uuid } from './runtime.js';

const USER_AGENT = 'iopaint-sdk-javascript/1.0.0';
const FIRST_PAUSE = 0.5; // seconds
const LONGEST_PAUSE = 8;
const LONGEST_WAIT = 120; // seconds of Retry-After that are waited for
const LARGEST_BODY = 16 * 2 ** 20; // bytes of an answer that is no picture
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

  /** The bytes of an open one as they come; it is closed at the end. timeout: milliseconds without any. */
  async *parts(timeout) {
    const reader = this.stream.getReader();
    try {
      for (;;) {
        this.limit.start(timeout);
        const { done, value } = await reader.read();
        if (done) return;
        yield value;
      }
    } finally {
      this.limit.stop();
      await reader.cancel().catch(() => {}); // of a broken stream: there is nothing to close
    }
  }

  /** Of an open one. */
  async close() {
    this.limit?.stop();
    if (this.limit) await this.stream.cancel().catch(() => {});
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
    const refused = error instanceof RateLimited || error instanceof Busy;
    if (wait === null || attempt === caller.maxRetries || (call.once && !refused)) throw error;
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
  const { method, form, body, signal, streamed, largest = LARGEST_BODY } = call;
  const address = caller.url(call.path);
  const limit = new Limit(signal);
  let open = false;
  limit.start(call.timeout ?? caller.timeout);
  try {
    // A redirect is not followed: the key would go wherever it leads.
    const response = await caller.fetch(address, {
      method,
      headers,
      body: body === undefined ? form : JSON.stringify(body),
      redirect: 'manual',
      signal: limit.signal,
    });
    open = Boolean(streamed && response.status === 200);
    if (open) return new Answer(response, address, null, limit);
    const bytes = await whole(response, largest);
    return bytes === null ? endless({ status: response.status, address }, largest) : new Answer(response, address, bytes);
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    return lost(caller, limit, error);
  } finally {
    if (!open) limit.stop();
  }
}

/** Of an answer that did not come, or not to its end. */
export function lost(caller, limit, error) {
  if (limit.expired) return new TimedOut(`No answer from ${caller.baseUrl} in time.`, { code: 'timed_out', cause: error });
  const detail = `${caller.baseUrl} cannot be reached: ${reason(error)}`;
  return new ConnectionFailed(detail, { code: 'connection_failed', cause: error });
}

/** The bytes of an answer; null: they are more than `largest`. */
async function whole(response, largest) {
  const parts = [];
  let size = 0;
  const reader = response.body?.getReader();
  for (let part; reader && !(part = await reader.read()).done; ) {
    parts.push(part.value);
    size += part.value.byteLength;
    if (size > largest) {
      await reader.cancel();
      return null;
    }
  }
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.byteLength;
  }
  return bytes;
}

async function read(call, answer) {
  try {
    return call.parse(answer);
  } catch (error) {
    await answer.close();
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
  if (call.body !== undefined) headers['Content-Type'] = 'application/json';
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
