/** A batch's pictures as they end, and lists that come in pages. */

import * as calls from './calls.js';
import { Busy, ConnectionFailed, IOPaintError, UnexpectedAnswer, unexpected } from './errors.js';
import { BATCH, ITEM, shaped } from './shapes.js';
import { send } from './sending.js';

const RECONNECT = 2; // seconds before events are asked for again; doubled while none come
const RECONNECTS = 5; // streams in a row that tell nothing; the service's own begin with how far the batch is
const LONGEST = 2 ** 20; // characters of an event
const MOST_PAGES = 10_000; // a service that gives pages for ever is not asked for ever

/** Yields each picture that ends, once; returns the batch when it is over. */
export async function* follow(caller, id, options) {
  const told = new Set();
  let last = '';
  for (let fruitless = 0; fruitless < RECONNECTS; ) {
    const answer = await opened(caller, id, last, options);
    let batch = null;
    let heard = false;
    for await (const event of answer?.status === 200 ? eventsOf(answer, caller, options) : []) {
      last = event.id || last;
      heard = true;
      if (event.type === 'item') yield* untold([parsed(answer, event, ITEM)], told);
      else if (event.type === 'batch' && isOver((batch = parsed(answer, event, BATCH)))) break;
    }
    // Others follow batches of this account, or it was over before the last event that came: it is asked for itself.
    if (answer?.status !== 200) batch = await send(caller, calls.batch(id, options));
    if (batch && isOver(batch)) {
      if (told.size < batch.total) yield* untold(await items(caller, id, options), told);
      return batch;
    }
    fruitless = batch || heard ? 0 : fruitless + 1;
    if (fruitless < RECONNECTS) await caller.sleep(RECONNECT * 2 ** fruitless, options.signal);
  }
  const detail = `The events of batch ${id} ended ${RECONNECTS} times in a row without telling anything.`;
  throw new ConnectionFailed(detail, { code: 'connection_failed' });
}

export function items(caller, id, options) {
  return listed(caller, (limit, cursor) => calls.items(id, limit, cursor, options));
}

/** Of a list in pages: at most so many, or all. */
export async function listed(caller, pageAfter, most = Infinity) {
  const found = [];
  let cursor = null;
  for (let count = 0; count < MOST_PAGES; count++) {
    const { page, next } = await send(caller, pageAfter(most - found.length, cursor));
    found.push(...page);
    if (next === null || page.length === 0 || found.length >= most) return found.slice(0, most);
    cursor = next;
  }
  throw new UnexpectedAnswer(`A list has more than ${MOST_PAGES} pages.`, { code: 'unexpected_answer' });
}

export function isOver({ status }) {
  return status !== 'queued' && status !== 'running';
}

function* untold(items, told) {
  for (const item of items) {
    if (told.has(item.index) || !isOver(item)) continue;
    told.add(item.index);
    yield item;
  }
}

/** null: others follow batches of this account, and there is no place. */
async function opened(caller, id, last, options) {
  try {
    return await send(caller, calls.events(id, last, options));
  } catch (error) {
    if (error instanceof Busy) return null;
    throw error;
  }
}

function parsed(answer, { data }, shape) {
  try {
    return shaped(JSON.parse(data), shape);
  } catch (error) {
    throw unexpected(answer, error);
  }
}

/** Server-sent events (WHATWG HTML, 9.2.6) until the stream ends or breaks. */
async function* eventsOf(answer, caller, { timeout, signal }) {
  let event = { type: 'message', id: '', data: '' };
  for await (const line of lines(answer, timeout ?? caller.timeout, signal)) {
    const [, name, value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line);
    if (name === 'event') event.type = value;
    else if (name === 'id') event.id = value;
    else if (name === 'data') event.data += value;
    else if (line === '' && event.data) {
      yield event;
      event = { type: 'message', id: '', data: '' };
    }
    // An id is sent back as a header.
    if (event.data.length > LONGEST || !/^[\x20-\x7e]*$/.test(event.id)) throw unexpected(answer);
  }
}

/** timeout: milliseconds without a byte. Throws the signal's reason when it is aborted. */
async function* lines(answer, timeout, signal) {
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for await (const bytes of answer.parts(timeout)) {
      const parts = (rest + decoder.decode(bytes, { stream: true })).split('\n');
      rest = parts.pop();
      if (rest.length > 2 * LONGEST) throw unexpected(answer);
      for (const part of parts) yield part.replace(/\r$/, '');
    }
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    if (error instanceof IOPaintError) throw error; // else the connection broke: it is asked for again
  }
}
