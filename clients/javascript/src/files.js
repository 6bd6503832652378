/** Pictures as callers have them, as files to send. */

import { ImageTooLarge } from './errors.js';
import { builtin } from './runtime.js';

// Bytes of a file, as the API has it. A service that refuses a larger one while it is sent is not heard: fetch reports a
// broken connection instead.
const LARGEST = 10 * 2 ** 20;

/** A file's name and its bytes, which stay the same however often they are sent; or an address that the service fetches. */
export class Sent {
  constructor({ name, blob, url }) {
    this.name = name;
    this.blob = blob;
    this.url = url;
  }

  get size() {
    return this.blob?.size ?? 0;
  }

  /** Into a form: under `field`, or as an address under `urlField`. */
  attach(form, field, urlField) {
    if (this.url) form.append(urlField, this.url);
    else form.append(field, this.blob, this.name);
  }
}

/**
 * Throws what reading throws, ImageTooLarge, TypeError for what is no picture. name: where it has none of its own.
 * most: bytes.
 */
export async function read(picture, name = 'image', most = LARGEST) {
  if (picture instanceof Sent) return picture;
  const url = address(picture);
  if (url && /^https?:$/.test(url.protocol)) return new Sent({ name: label(picture) ?? name, url: url.href });
  if (url && url.protocol !== 'file:') return inMemory(name, await (await fetch(url)).blob(), most);
  if (url || typeof picture === 'string') return onDisk(url ?? picture, most);
  if (picture instanceof Blob) return inMemory(label(picture) ?? name, picture, most);
  if (picture instanceof ArrayBuffer || ArrayBuffer.isView(picture)) return inMemory(name, new Blob([picture]), most);
  if (picture?.getReader) return new Sent({ name, blob: await collected(chunks(picture.getReader()), name, most) });
  if (picture?.[Symbol.asyncIterator]) return new Sent({ name, blob: await collected(picture, name, most) });
  throw new TypeError('A picture is a path, an address, a Blob, bytes, or a stream of bytes.');
}

/** What a picture is called: its file's name. undefined where it has none. */
export function label(picture) {
  if (picture instanceof Sent) return picture.name;
  const url = address(picture);
  if (url) return decoded(url.pathname.split('/').pop()) || undefined;
  const name = typeof picture === 'string' ? picture : picture?.name;
  return typeof name === 'string' ? name.split(/[\\/]/).pop() || undefined : undefined;
}

/** What each of many pictures is called. Throws where there is no array of them, or a file is not there. */
export async function checked(pictures) {
  if (!Array.isArray(pictures)) throw new TypeError('images is an array of pictures.');
  for (const picture of pictures) {
    const url = address(picture);
    const isPath = url ? url.protocol === 'file:' : typeof picture === 'string';
    if (isPath) await (await builtin('fs/promises')).stat(url ?? picture);
  }
  return pictures.map((picture, index) => label(picture) ?? `image-${index + 1}`);
}

function address(picture) {
  if (picture instanceof URL) return picture;
  return typeof picture === 'string' && /^(https?|data|blob|file):/i.test(picture) ? new URL(picture) : null;
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a lone % is part of the name
  }
}

function inMemory(name, blob, most) {
  checkSize(blob.size, name, most);
  return new Sent({ name, blob });
}

async function onDisk(path, most) {
  const { readFile, stat } = await builtin('fs/promises');
  const name = label(path);
  checkSize((await stat(path)).size, name, most);
  return new Sent({ name, blob: new Blob([await readFile(path)]) });
}

async function* chunks(reader) {
  for (let part; !(part = await reader.read()).done; ) yield part.value;
}

async function collected(stream, name, most) {
  const parts = [];
  let size = 0;
  for await (const part of stream) {
    if (!ArrayBuffer.isView(part)) throw new TypeError('The stream gives text. Open it for reading bytes.');
    size += part.byteLength;
    checkSize(size, name, most);
    parts.push(part);
  }
  return new Blob(parts);
}

function checkSize(size, name, most) {
  if (size <= most) return;
  const detail = `${name} is too large. Max size: ${most / 2 ** 20}MB`;
  throw new ImageTooLarge(detail, { code: 'image_too_large' });
}
