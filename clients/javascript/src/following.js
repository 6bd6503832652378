/** A batch's pictures as they end. */

import * as calls from './calls.js';
import { Busy } from './errors.js';
import { send } from './sending.js';

const RECONNECT = 2; // seconds before events are asked for again

/** Yields each picture that ends, once; returns the batch when it is over. */
export async function* follow(caller, id, options) {
  const told = new Set();
  let last = '';
  for (;;) {
    const answer = await opened(caller, id, last, options);
    if (answer?.status === 204) {
      // It was over before the last event that came: the list tells what was missed.
      for (const item of await items(caller, id, options)) if (!told.has(item.index)) yield item;
      return send(caller, calls.batch(id, options));
    }
    for await (const event of answer ? eventsOf(answer, caller, options) : []) {
      last = event.id;
      if (event.type === 'item' && !told.has(event.data.index)) {
        told.add(event.data.index);
        yield event.data;
      } else if (event.type === 'batch' && isOver(event.data)) {
        return event.data;
      }
    }
    await caller.sleep(RECONNECT, options.signal);
  }
}

export async function items(caller, id, options) {
  const found = [];
  let cursor = null;
  do {
    const { page, next } = await send(caller, calls.items(id, cursor, options));
    found.push(...page);
    cursor = next;
  } while (cursor !== null);
  return found;
}

export function isOver({ status }) {
  return status !== 'queued' && status !== 'running';
}

/** null: others follow batches of this account, and a place has to be waited for. */
async function opened(caller, id, last, options) {
  try {
    return await send(caller, calls.events(id, last, options));
  } catch (error) {
    if (error instanceof Busy) return null;
    throw error;
  }
}

/** Server-sent events (WHATWG HTML, 9.2.6) until the stream ends or breaks. */
async function* eventsOf(answer, caller, { timeout, signal }) {
  let event = { type: 'message', id: '', data: '' };
  for await (const line of lines(answer, timeout ?? caller.timeout, signal)) {
    const [, name, value] = /^([^:]*)(?:: ?(.*))?$/s.exec(line);
    if (name === 'event') event.type = value;
    else if (name === 'id') event.id = value;
    else if (name === 'data') event.data += value;
    else if (line === '' && event.data) {
      yield { ...event, data: JSON.parse(event.data) };
      event = { type: 'message', id: '', data: '' };
    }
  }
}

/** timeout: milliseconds without a byte. Throws the signal's reason when it is aborted. */
async function* lines({ stream, limit }, timeout, signal) {
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for (;;) {
      limit.start(timeout);
      const { done, value } = await reader.read();
      if (done) return;
      const parts = (rest + decoder.decode(value, { stream: true })).split('\n');
      rest = parts.pop();
      for (const part of parts) yield part.replace(/\r$/, '');
    }
  } catch {
    if (signal?.aborted) throw signal.reason; // else the connection broke: it is asked for again
  } finally {
    limit.stop();
    await reader.cancel().catch(() => {}); // of a broken stream: there is nothing to close
  }
}
