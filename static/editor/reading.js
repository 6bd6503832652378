// A file becomes a picture. What the server would refuse is thrown as a sentence about it, before anything is marked.

import { scaled } from "./large.js";

const MOST = 60e6; // pixels: a quarter of a gigabyte, and as much again for the result

// {file, bitmap}: `file` is what will be sent. What is larger than `maxSide` comes scaled, see there.
export async function read(file, { maxBytes, maxSide }) {
  const refuse = (why) => {
    throw new Error(`${file.name || "The file"} ${why}`);
  };
  const type = await typeOf(file);
  if (!type) refuse("is no picture we can open. Choose a JPEG, PNG, WebP, AVIF or HEIC.");
  const bitmap = await createImageBitmap(file).catch(() => null);
  if (!bitmap && type === "image/heic") refuse("is a HEIC picture, which this browser cannot show. Open it in Safari, or save it as a JPEG first.");
  if (!bitmap) refuse("is damaged and cannot be read.");
  if (await isAnimated(file, type)) refuse("is animated. Save the frame that you want as a picture.");
  if (bitmap.width * bitmap.height > MOST) refuse(`has more than ${MOST / 1e6} megapixels.`);
  if (Math.max(bitmap.width, bitmap.height) > maxSide) {
    bitmap.close();
    return scaled(file, type, maxSide);
  }
  if (file.size > maxBytes) refuse(`is larger than ${maxBytes >> 20} MB.`);
  return { file, bitmap };
}

// What a file is by its first bytes, whatever its name: the server reads it so, too.
async function typeOf(file) {
  const head = String.fromCharCode(...new Uint8Array(await file.slice(0, 64).arrayBuffer()));
  if (head.startsWith("\xff\xd8\xff")) return "image/jpeg";
  if (head.startsWith("\x89PNG")) return "image/png";
  if (head.startsWith("RIFF") && head.slice(8, 12) === "WEBP") return "image/webp";
  if (head.slice(4, 8) !== "ftyp") return null;
  return /avi[fs]/.test(head) ? "image/avif" : /hei[cxms]|hev[cx]|mif1|msf1/.test(head) ? "image/heic" : null;
}

// Where the browser cannot tell, the server will.
async function isAnimated(file, type) {
  if (!self.ImageDecoder || !(await ImageDecoder.isTypeSupported(type))) return false;
  const decoder = new ImageDecoder({ data: await file.arrayBuffer(), type });
  const whole = Promise.all([decoder.tracks.ready, decoder.completed]);
  const frames = await whole.then(() => decoder.tracks.selectedTrack.frameCount).catch(() => 1);
  decoder.close();
  return frames > 1;
}
