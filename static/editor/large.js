// Pictures that are larger than what is sent: a smaller copy is cleaned, and its result laid back over the original.

import { coloursOf, withColours } from "./profiles.js";

// {file, bitmap, full}: a copy of this longest side, in the original's colours. `full`: {file, colours, width, height},
// or null where parts are see-through, whose exact numbers a browser does not give.
export async function scaled(file, type, side) {
  const colours = await coloursOf(file, type);
  const bitmap = await createImageBitmap(file, { colorSpaceConversion: colours ? "none" : "default" });
  const factor = side / Math.max(bitmap.width, bitmap.height);
  const [width, height] = [bitmap.width, bitmap.height].map((length) => Math.max(1, Math.round(length * factor)));
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, width, height);
  const full = isOpaque(context.getImageData(0, 0, width, height).data) ? { file, colours, width: bitmap.width, height: bitmap.height } : null;
  bitmap.close();
  const png = await canvas.convertToBlob();
  const small = colours ? await withColours(png, colours) : png;
  return { file: small, bitmap: await createImageBitmap(small), full, scaled: true };
}

function isOpaque(data) {
  for (let i = 3; i < data.length; i += 4) if (data[i] !== 255) return false;
  return true;
}

// The result at the original's size, a PNG. Raises a sentence where the browser cannot hold it.
export function layBack({ full, file: before }, after, signal) {
  const worker = new Worker(new URL("./laying-worker.js", import.meta.url), { type: "module" });
  return new Promise((resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason));
    worker.addEventListener("error", (event) => reject(new Error(event.message ?? "the browser refused")));
    worker.addEventListener("message", ({ data }) => (data.error ? reject(new Error(data.error)) : resolve(data.file)));
    worker.postMessage({ full: full.file, before, after, colours: full.colours });
  }).finally(() => worker.terminate());
}
