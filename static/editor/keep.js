// What is open, kept in the browser while its owner signs up or signs in: picture, result and marks.

import { Document } from "./document.js";
import { canvasOf, levelled, toFile } from "./marks.js";

const LASTS = 24 * 3600 * 1000; // milliseconds

function store(mode, ask) {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open("editor", 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore("kept");
    opening.onerror = () => reject(opening.error);
    opening.onsuccess = () => {
      const transaction = opening.result.transaction("kept", mode);
      const asked = ask(transaction.objectStore("kept"));
      transaction.oncomplete = () => resolve(asked.result);
      transaction.onerror = transaction.onabort = () => reject(transaction.error);
    };
  });
}

export async function keep(docs) {
  const pictures = [];
  for (const doc of docs) {
    const rests = !doc.mask;
    await doc.wake();
    const mask = doc.isMarked ? await toFile(doc.mask) : null;
    const result = doc.isCleaned ? doc.image.file : null;
    const fulls = { original: doc.original.full, result: doc.isCleaned ? doc.image.full : null };
    pictures.push({ name: doc.name, original: doc.original.file, result, fulls, mask });
    if (rests) doc.rest();
  }
  await store("readwrite", (table) => table.put({ pictures, since: Date.now() }, "open"));
}

// The documents that were kept, once, one after another; none where none is, or where the browser keeps nothing.
export async function* takeBack() {
  const kept = await store("readonly", (table) => table.get("open")).catch(() => null);
  if (!kept) return;
  await store("readwrite", (table) => table.delete("open"));
  if (Date.now() - kept.since > LASTS) return;
  for (const each of kept.pictures ?? []) yield await opened(each);
}

async function opened(kept) {
  const image = async (which) => ({ file: kept[which], bitmap: await createImageBitmap(kept[which]), full: kept.fulls[which] });
  const doc = new Document(kept.name, await image("original"));
  if (kept.result) doc.clean(await image("result"));
  if (kept.mask) {
    const canvas = canvasOf(doc.width, doc.height);
    canvas.getContext("2d").drawImage(await createImageBitmap(kept.mask), 0, 0);
    doc.push({ marks: [{ tool: "mask", canvas: levelled(canvas, (level) => level) }] }); // with its soft edges
  }
  return doc;
}
