/** Many pictures as batches, kept in memory or written to files. */

import * as calls from './calls.js';
import { BatchTooLarge, BodyTooLarge, IOPaintError, UnexpectedAnswer, coded } from './errors.js';
import { checked, read } from './files.js';
import { follow } from './following.js';
import { pictureType } from './result.js';
import { EXTENSIONS, checkTarget, makeFolder, pathOf, stems, whole, write } from './saving.js';
import { builtin } from './runtime.js';
import { lost, send } from './sending.js';

const MOST = 50; // pictures of one request, so that few are in memory at once
const MOST_BYTES = 64 * 2 ** 20;
const SHARING = 8; // pictures that a mark which they share needs
const CANCELLED = { code: 'cancelled', detail: 'The batch was cancelled.' };
const GONE = { code: 'not_found', detail: 'The result has expired, was deleted, or was there for one download.' };

/** Yields what became of each picture, as it ends. Throws before anything is charged, and IOPaintError. */
export async function* cleanAll(caller, images, outputDir, { accepted, masks, ...options }) {
  const labels = await checked(images);
  if (masks !== undefined) await checkMasks(masks, images);
  const folder = outputDir === undefined ? undefined : await pathOf(outputDir);
  if (folder !== undefined) await makeFolder(folder);
  const mask = options.mask == null ? undefined : await read(options.mask, 'mask');
  const names = stems(labels);
  let most = MOST;
  for (let start = 0; start < images.length; ) {
    const part = await partOf(images, labels, start, most, options.sharedMark ? SHARING : 1);
    const sent = { ...options, mask, masks: await readMasks(masks, start, part.length), ...keyOf(options, start, part) };
    let batch;
    try {
      batch = await send(caller, await calls.createBatch(part, sent));
    } catch (error) {
      const tooMany = error instanceof BatchTooLarge || error instanceof BodyTooLarge;
      most = Math.floor(part.length / 2); // the plan's limit is not known before
      if (!tooMany || most === 0) throw error;
      continue;
    }
    accepted?.(batch);
    const done = new Set();
    for await (const item of follow(caller, batch.id, options)) {
      if (!(item.index in part)) throw untold(`The service tells of picture ${item.index} in a batch of ${part.length}.`);
      done.add(item.index);
      const index = start + item.index;
      yield await processed(caller, item, { index, name: labels[index], folder, stem: names[index] }, options);
    }
    for (const index of part.keys()) {
      if (!done.has(index)) yield failed(start + index, labels[start + index], untold('The service tells nothing of it.'));
    }
    start += part.length;
  }
}

/** Writes the ZIP of a batch's results while it comes, whole or not at all. */
export async function saveResults(caller, id, output, options = {}) {
  const path = await pathOf(output);
  await checkTarget(path);
  const answer = await send(caller, calls.results(id, options));
  await whole(path, async (file) => {
    try {
      for await (const bytes of answer.parts(options.timeout ?? caller.timeout)) await file.appendFile(bytes);
    } catch (error) {
      if (options.signal?.aborted) throw options.signal.reason;
      throw error.code?.startsWith('E') ? error : lost(caller, answer.limit, error); // of the file, or of the way
    }
  });
}

/** What is sent with createBatch: masks and archive as files. */
export async function readBatch(images, { masks, archive, ...options }) {
  const labels = await checked(images);
  if (masks !== undefined) await checkMasks(masks, images);
  return [
    await Promise.all(images.map((image, index) => read(image, labels[index]))),
    {
      ...options,
      masks: await readMasks(masks, 0, masks?.length),
      archive: archive === undefined ? undefined : await read(archive, 'archive.zip', Infinity),
    },
  ];
}

async function checkMasks(masks, images) {
  await checked(masks);
  if (masks.length !== images.length) throw new RangeError(`There are ${images.length} images and ${masks.length} masks.`);
}

async function readMasks(masks, start, count) {
  const wanted = masks?.slice(start, start + count);
  return wanted && Promise.all(wanted.map((mask, index) => read(mask, `mask-${start + index + 1}`)));
}

function untold(detail) {
  return new UnexpectedAnswer(detail, { code: 'unexpected_answer' });
}

/** A caller's idempotency key stands for all of the batches, and each needs its own. */
function keyOf({ idempotencyKey }, start, part) {
  return idempotencyKey === undefined ? {} : { idempotencyKey: `${idempotencyKey}:${start}:${part.length}` };
}

/** The next ones, read. least: how many a batch needs; the rest is left no fewer. */
async function partOf(images, labels, start, most, least) {
  const left = images.length - start;
  const wanted = most < left && left < most + least && left >= 2 * least ? left - least : Math.min(left, most);
  const part = [];
  let size = 0;
  for (let index = start; index < start + wanted && (size <= MOST_BYTES || part.length < least); index++) {
    part.push(await read(images[index], labels[index]));
    size += part.at(-1).size;
  }
  return part;
}

function failed(index, name, error) {
  return { index, name, ok: false, error, coverage: 0 };
}

async function processed(caller, item, { index, name, folder, stem }, { timeout, signal }) {
  if (!item.result) return failed(index, name, coded(item.error ?? (item.status === 'succeeded' ? GONE : CANCELLED)));
  let answer;
  try {
    answer = await send(caller, calls.download(item.result.url, { timeout, signal }));
  } catch (error) {
    if (!(error instanceof IOPaintError)) throw error;
    return failed(index, name, error);
  }
  const done = { index, name, ok: true, coverage: item.result.coverage };
  if (folder === undefined) return { ...done, content: answer.bytes };
  const path = (await builtin('path')).join(folder, `${stem}.${EXTENSIONS[pictureType(answer)]}`);
  await write(path, answer.bytes);
  return { ...done, path };
}
