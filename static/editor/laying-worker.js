// Lays a result over a large picture, a strip at a time, apart from the page so that it stays alive.

import { holeOf, lay } from "./laying.js";
import { withColours } from "./profiles.js";

const STRIP = 256; // rows

// {full, before, after, colours}: three files, and what the full one's colours mean or null. Answers with a PNG.
addEventListener("message", async ({ data: { full, before, after, colours } }) => {
  const how = { colorSpaceConversion: colours ? "none" : "default" };
  try {
    const small = await smallOf(before, after, how);
    const canvas = await laid(await createImageBitmap(full, how), small);
    const png = await canvas.convertToBlob();
    postMessage({ file: colours ? await withColours(png, colours) : png });
  } catch (error) {
    postMessage({ error: error.message });
  }
});

// Of a picture that is opaque all over: of another, a canvas does not keep the numbers.
async function laid(bitmap, small) {
  const { width, height } = bitmap;
  const reading = { willReadFrequently: true };
  const strip = new OffscreenCanvas(width, STRIP).getContext("2d", reading);
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { alpha: false, ...reading });
  for (let top = 0; top < height; top += STRIP) {
    const count = Math.min(STRIP, height - top);
    strip.globalCompositeOperation = "copy";
    strip.drawImage(bitmap, 0, -top);
    const pixels = strip.getImageData(0, 0, width, count);
    for (let i = 3; i < pixels.data.length; i += 4) if (pixels.data[i] !== 255) throw new Error("parts of it are see-through");
    lay({ data: pixels.data, top, count }, bitmap, small);
    context.putImageData(pixels, 0, top);
  }
  bitmap.close();
  if (context.getImageData(width - 1, height - 1, 1, 1).data[3] !== 255) throw new Error("it is too large");
  return canvas;
}

async function smallOf(before, after, how) {
  const pixels = [];
  for (const file of [before, after]) {
    const canvas = await canvasOf(file, how);
    pixels.push(canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height));
  }
  const [{ data: old }, { data, width, height }] = pixels;
  return { data, width, height, hole: holeOf(old, data, width, height) };
}

async function canvasOf(file, how) {
  const bitmap = await createImageBitmap(file, how);
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  canvas.getContext("2d", { willReadFrequently: true }).drawImage(bitmap, 0, 0);
  bitmap.close();
  return canvas;
}
