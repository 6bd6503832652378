/** Where results go: names for them, and files that are there whole or not at all. */

import { builtin, uuid } from './runtime.js';

export const FORMATS = { png: 'png', jpg: 'jpeg', jpeg: 'jpeg', webp: 'webp', avif: 'avif' };
export const EXTENSIONS = { 'image/png': 'png', 'image/jpeg': 'jpg', 'image/webp': 'webp', 'image/avif': 'avif' };
const LONGEST_NAME = 200; // bytes

/** A path's format by its extension. */
export function formatOf(path) {
  return FORMATS[/\.(\w+)$/.exec(path)?.[1].toLowerCase()] ?? 'png';
}

export async function pathOf(output) {
  return output instanceof URL ? (await builtin('url')).fileURLToPath(output) : output;
}

/** Throws what writing would end with, before anything is charged. Leaves nothing behind. */
export async function checkTarget(path) {
  const { stat } = await builtin('fs/promises');
  const { dirname } = await builtin('path');
  const there = await stat(path).catch((error) => {
    if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw error;
  });
  if (there?.isDirectory()) throw Object.assign(new Error(`${path} is a folder: name a file in it.`), { code: 'EISDIR' });
  await checkFolder(dirname(path));
}

export async function makeFolder(folder) {
  await (await builtin('fs/promises')).mkdir(folder, { recursive: true });
  await checkFolder(folder);
}

async function checkFolder(folder) {
  const { unlink, writeFile } = await builtin('fs/promises');
  const probe = await partial(folder);
  await writeFile(probe, '', { flag: 'wx' });
  await unlink(probe);
}

/** Whole or not at all: a file beside it is written and takes its place. */
export async function write(path, content) {
  await whole(path, (file) => file.writeFile(content));
}

/** `fill` writes into the file that it is given. What is at the path, a link too, is replaced when all is written. */
export async function whole(path, fill) {
  const { open, rename, rm } = await builtin('fs/promises');
  const { dirname } = await builtin('path');
  const beside = await partial(dirname(path));
  try {
    const file = await open(beside, 'wx');
    try {
      await fill(file);
    } finally {
      await file.close();
    }
    await rename(beside, path);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
}

/** Its name is short whatever the target's is, and hidden from those who list pictures. */
async function partial(folder) {
  return (await builtin('path')).join(folder, `.iopaint-${await uuid()}.part`);
}

/** What to call each result, apart from its extension: photo; photo.jpg or photo-2 where that is taken. */
export function stems(labels) {
  const taken = new Set(); // lower case: some file systems take A.png for a.png
  return labels.map((label) => {
    const name = tame(label);
    const stem = name.replace(/(.)\.[^.]*$/, '$1');
    let chosen = stem;
    for (let number = 1; taken.has(chosen.toLowerCase()); number++) chosen = number === 1 ? name : `${stem}-${number}`;
    taken.add(chosen.toLowerCase());
    return chosen;
  });
}

/** As the name of a file: it leads to no other folder, moves no terminal's cursor, and leaves room for an ending. */
function tame(label) {
  let name = label.replace(/[\\/\x00-\x1f\x7f-\x9f]/g, '_');
  while (new TextEncoder().encode(name).length > LONGEST_NAME) name = name.slice(0, -1);
  return /^\.*$/.test(name) ? 'image' : name;
}
