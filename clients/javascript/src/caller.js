/** Who calls which service, and how patiently. */

import { environment } from './runtime.js';

const BASE_URL = 'https://api.iopaint.com';
const LONGEST_TIMER = 2 ** 31 - 1; // milliseconds; a longer one would fire at once

export class Caller {
  constructor({ apiKey, baseUrl, timeout = 120_000, maxRetries = 2, fetch } = {}) {
    this.apiKey = (apiKey ?? environment('IOPAINT_API_KEY') ?? '').trim();
    this.baseUrl = (baseUrl || environment('IOPAINT_BASE_URL') || BASE_URL).trim().replace(/\/+$/, '');
    if (!/^https?:\/\//.test(this.baseUrl)) {
      throw new TypeError(`baseUrl begins with http:// or https://, unlike '${this.baseUrl}'.`);
    }
    if (!Number.isInteger(maxRetries) || maxRetries < 0) throw new RangeError('maxRetries is 0 or more.');
    this.timeout = timeout;
    this.maxRetries = maxRetries;
    this.fetch = fetch ?? ((url, options) => globalThis.fetch(url, options));
    this.sleep = sleep;
  }

  url(path) {
    return path.startsWith('/') ? this.baseUrl + path : path;
  }
}

/** Rejects with the signal's reason as soon as it is aborted. */
async function sleep(seconds, signal) {
  const limit = new Limit(signal);
  try {
    await limit.after(seconds * 1000);
  } finally {
    limit.stop();
  }
}

/** A signal that is aborted when the caller's is, or when time is up. */
export class Limit {
  #controller = new AbortController();
  #outer;
  #timer;
  #pass = () => this.#controller.abort(this.#outer.reason);

  constructor(outer) {
    this.#outer = outer;
    this.expired = false;
    if (outer?.aborted) this.#pass();
    else outer?.addEventListener('abort', this.#pass);
  }

  get signal() {
    return this.#controller.signal;
  }

  /** Begins to count, anew if it has begun before. */
  start(milliseconds) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(
      () => {
        this.expired = true;
        this.#controller.abort();
      },
      Math.min(milliseconds, LONGEST_TIMER),
    );
  }

  after(milliseconds) {
    return new Promise((resolve, reject) => {
      const stopped = () => reject(this.signal.reason);
      if (this.signal.aborted) return stopped();
      this.signal.addEventListener('abort', stopped);
      this.#timer = setTimeout(resolve, milliseconds);
    });
  }

  stop() {
    clearTimeout(this.#timer);
    this.#outer?.removeEventListener('abort', this.#pass);
  }
}
