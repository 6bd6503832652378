/** Many pictures as batches, kept in memory or written to files. */

import * as calls from './calls.js';
import { BatchTooLarge, BodyTooLarge, IOPaintError, coded } from './errors.js';
import { checked, read } from './files.js';
import { follow } from './following.js';
import { EXTENSIONS, makeFolder, pathOf, stems, write } from './saving.js';
import { builtin } from './runtime.js';
import { send } from './sending.js';

const MOST = 50; // pictures of one request, so that few are in memory at once
const MOST_BYTES = 64 * 2 ** 20;
const CANCELLED = { code: 'cancelled', detail: 'The batch was cancelled.' };
const GONE = { code: 'not_found', detail: 'The result has expired, was deleted, or was there for one download.' };

/** Yields what became of each picture, as it ends. Throws before anything is charged, and IOPaintError. */
export async function* cleanAll(caller, images, outputDir, { accepted, ...options }) {
  const labels = await checked(images);
  const folder = outputDir === undefined ? undefined : await pathOf(outputDir);
  if (folder !== undefined) await makeFolder(folder);
  const mask = options.mask == null ? undefined : await read(options.mask, 'mask');
  const names = stems(labels);
  let most = MOST;
  for (let start = 0; start < images.length; ) {
    const part = await partOf(images, labels, start, most);
    let batch;
    try {
      batch = await send(caller, await calls.createBatch(part, { ...options, mask, ...keyOf(options, start, part) }));
    } catch (error) {
      const tooMany = error instanceof BatchTooLarge || error instanceof BodyTooLarge;
      most = Math.floor(part.length / 2); // the plan's limit is not known before
      if (!tooMany || most === 0) throw error;
      continue;
    }
    accepted?.(batch);
    for await (const item of follow(caller, batch.id, options)) {
      const index = start + item.index;
      yield await processed(caller, item, { index, name: labels[index], folder, stem: names[index] }, options);
    }
    start += part.length;
  }
}

/** A caller's idempotency key stands for all of the batches, and each needs its own. */
function keyOf({ idempotencyKey }, start, part) {
  return idempotencyKey === undefined ? {} : { idempotencyKey: `${idempotencyKey}:${start}:${part.length}` };
}

/** The next ones, read. */
async function partOf(images, labels, start, most) {
  const part = [];
  let size = 0;
  for (let index = start; index < Math.min(start + most, images.length) && size <= MOST_BYTES; index++) {
    part.push(await read(images[index], labels[index]));
    size += part.at(-1).size;
  }
  return part;
}

async function processed(caller, item, { index, name, folder, stem }, { timeout, signal }) {
  const failed = (error) => ({ index, name, ok: false, error, coverage: 0 });
  if (!item.result) return failed(coded(item.error ?? (item.status === 'succeeded' ? GONE : CANCELLED)));
  let answer;
  try {
    answer = await send(caller, calls.download(item.result.url, { timeout, signal }));
  } catch (error) {
    if (!(error instanceof IOPaintError)) throw error;
    return failed(error);
  }
  const done = { index, name, ok: true, coverage: item.result.coverage };
  if (folder === undefined) return { ...done, content: answer.bytes };
  const path = (await builtin('path')).join(folder, `${stem}.${EXTENSIONS[answer.headers.get('Content-Type')] ?? 'png'}`);
  await write(path, answer.bytes);
  return { ...done, path };
}
