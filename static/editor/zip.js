// A ZIP of files that are stored as they are: pictures are compressed already. After APPNOTE.TXT 6.3.10 of PKWARE, without ZIP64.

const TABLE = Uint32Array.from({ length: 256 }, (_, value) => {
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value;
});
const [VERSION, UTF8, STORED, MIDNIGHT, DAY] = [20, 0x0800, 0, 0, 0x21]; // 1980-01-01: the least date there is

// `files`: [{name, blob}], the names differ. One file at a time is in memory.
export async function zip(files) {
  const [parts, directory] = [[], []];
  let at = 0;
  for (const { name, blob } of files) {
    const bytes = new TextEncoder().encode(name);
    const sum = crc32(new Uint8Array(await blob.arrayBuffer()));
    const about = [[2, VERSION], [2, UTF8], [2, STORED], [2, MIDNIGHT], [2, DAY], [4, sum], [4, blob.size], [4, blob.size], [2, bytes.length], [2, 0]];
    parts.push(record(0x04034b50, about), bytes, blob);
    directory.push(record(0x02014b50, [[2, VERSION], ...about, [2, 0], [2, 0], [2, 0], [4, 0], [4, at]]), bytes);
    at += 30 + bytes.length + blob.size;
  }
  const size = directory.reduce((sum, part) => sum + part.length, 0);
  if (at + size > 0xffffffff) throw new Error("Together they are larger than 4 GB. Download them one by one.");
  const end = record(0x06054b50, [[2, 0], [2, 0], [2, files.length], [2, files.length], [4, size], [4, at], [2, 0]]);
  return new Blob([...parts, ...directory, end], { type: "application/zip" });
}

// Little-endian numbers of so many bytes.
function record(signature, fields) {
  const bytes = [];
  for (const [size, value] of [[4, signature], ...fields])
    for (let byte = 0; byte < size; byte++) bytes.push((value >>> (8 * byte)) & 255);
  return Uint8Array.from(bytes);
}

function crc32(bytes) {
  let sum = 0xffffffff;
  for (const byte of bytes) sum = TABLE[(sum ^ byte) & 255] ^ (sum >>> 8);
  return ~sum >>> 0;
}
