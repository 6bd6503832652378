// How a file says what its colours mean, carried over to a PNG that a canvas made of its bare numbers.

const PNG_COLOURS = new Set(["iCCP", "sRGB", "gAMA", "cHRM", "cICP"]);
const SIGNATURE = bytesOf("\x89PNG\r\n\x1a\n");
const text = (bytes, from, length) => String.fromCharCode(...bytes.subarray(from, from + length));

// The chunks of a PNG that say it, joined; null where only the browser can tell, so that it has to convert.
export async function coloursOf(file, type) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  if (type === "image/png") return ofPng(bytes);
  const profile = { "image/jpeg": ofJpeg, "image/webp": ofWebp }[type]?.(bytes);
  if (!profile) return null;
  if (!profile.length) return profile;
  return text(profile, 16, 4) === "RGB " ? iccp(profile) : null; // of CMYK or grey, the numbers are others than the canvas's
}

// A canvas's PNG, with these chunks in place of its own.
export async function withColours(png, colours) {
  const [head, ...others] = chunks(new Uint8Array(await png.arrayBuffer())).filter(([name]) => !PNG_COLOURS.has(name));
  return new Blob([SIGNATURE, head[1], colours, ...others.map(([, chunk]) => chunk)], { type: "image/png" });
}

// [name, bytes] of each chunk, its length and its sum with it.
function chunks(png) {
  const view = new DataView(png.buffer, png.byteOffset);
  const all = [];
  for (let at = 8, size; at + 12 <= png.length; at += size) {
    size = view.getUint32(at) + 12;
    all.push([text(png, at + 4, 4), png.subarray(at, at + size)]);
  }
  return all;
}

function ofPng(bytes) {
  const said = chunks(bytes).filter(([name]) => PNG_COLOURS.has(name));
  const isGrey = bytes[25] === 0 || bytes[25] === 4;
  return isGrey && said.some(([name]) => name === "iCCP") ? null : joined(said.map(([, chunk]) => chunk));
}

function ofJpeg(bytes) {
  const view = new DataView(bytes.buffer);
  const parts = [];
  for (let at = 2, size; at + 18 < bytes.length && bytes[at] === 0xff && bytes[at + 1] !== 0xda; at += 2 + size) {
    size = view.getUint16(at + 2);
    if (bytes[at + 1] === 0xe2 && text(bytes, at + 4, 12) === "ICC_PROFILE\0")
      parts.push([bytes[at + 16], bytes.subarray(at + 18, at + 2 + size)]);
    if ((bytes[at + 1] & 0xf0) === 0xc0 && ![0xc4, 0xc8, 0xcc].includes(bytes[at + 1]) && bytes[at + 9] === 4) return null; // CMYK
  }
  return joined(parts.sort(([one], [other]) => one - other).map(([, part]) => part));
}

function ofWebp(bytes) {
  const view = new DataView(bytes.buffer);
  for (let at = 12; at + 8 <= bytes.length; at += 8 + view.getUint32(at + 4, true) + (view.getUint32(at + 4, true) & 1))
    if (text(bytes, at, 4) === "ICCP") return bytes.slice(at + 8, at + 8 + view.getUint32(at + 4, true));
  return new Uint8Array();
}

async function iccp(profile) {
  const packed = new Response(new Blob([profile]).stream().pipeThrough(new CompressionStream("deflate")));
  const body = joined([bytesOf("iCCPICC\0\0"), new Uint8Array(await packed.arrayBuffer())]);
  const chunk = new Uint8Array(body.length + 8);
  const view = new DataView(chunk.buffer);
  view.setUint32(0, body.length - 4);
  chunk.set(body, 4);
  view.setUint32(chunk.length - 4, crc(body));
  return chunk;
}

function crc(bytes) {
  let sum = 0xffffffff;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0);
  }
  return (sum ^ 0xffffffff) >>> 0;
}

function joined(parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  parts.reduce((at, part) => (whole.set(part, at), at + part.length), 0);
  return whole;
}

function bytesOf(letters) {
  return Uint8Array.from(letters, (letter) => letter.charCodeAt(0));
}
