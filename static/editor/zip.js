// A ZIP of files stored as they are, since pictures are compressed already: PKWARE's APPNOTE 6.3.10, without ZIP64.

const LARGEST = 0xffffffff; // bytes: what its fields hold
const UTF8 = 0x0800; // the flag that says so of names
const VERSION = 20;

const TABLE = Uint32Array.from({ length: 256 }, (_, value) => {
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

function crc32(bytes) {
  let sum = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) sum = (sum >>> 8) ^ TABLE[(sum ^ bytes[i]) & 0xff];
  return (sum ^ 0xffffffff) >>> 0;
}

// Little endian: [bytes, value] each.
function fields(...parts) {
  const view = new DataView(new ArrayBuffer(parts.reduce((sum, [size]) => sum + size, 0)));
  let at = 0;
  for (const [size, value] of parts) {
    if (size === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
    at += size;
  }
  return view.buffer;
}

// `files`: [{name, blob}]. Throws where they are more than a ZIP holds.
export async function zip(files, now = new Date()) {
  const time = (now.getHours() << 11) | (now.getMinutes() << 5) | (now.getSeconds() >> 1);
  const date = ((now.getFullYear() - 1980) << 9) | ((now.getMonth() + 1) << 5) | now.getDate();
  const parts = [];
  const entries = [];
  let end = 0;
  let listed = 0;
  const add = (part, size) => (parts.push(part), (end += size));
  const names = distinct(files.map(({ name }) => name));
  for (const [number, { blob }] of files.entries()) {
    const title = new TextEncoder().encode(names[number]);
    const sum = crc32(new Uint8Array(await blob.arrayBuffer()));
    const about = [[2, VERSION], [2, UTF8], [2, 0], [2, time], [2, date], [4, sum], [4, blob.size], [4, blob.size], [2, title.length], [2, 0]];
    entries.push([fields([4, 0x02014b50], [2, VERSION], ...about, [2, 0], [2, 0], [2, 0], [4, 0], [4, end]), title]);
    add(fields([4, 0x04034b50], ...about), 30);
    add(title, title.length);
    add(blob, blob.size);
    listed += 46 + title.length;
    if (end + listed > LARGEST) throw new Error(`A ZIP holds 4 GB. Download the pictures from number ${number + 1} one by one.`);
  }
  const directory = fields([4, 0x06054b50], [2, 0], [2, 0], [2, entries.length], [2, entries.length], [4, listed], [4, end], [2, 0]);
  return new Blob([...parts, ...entries.flat(), directory], { type: "application/zip" });
}

// Of two of one name the second is "name (2).png".
export function distinct(names) {
  const taken = new Set();
  return names.map((name) => {
    const [, stem, ending] = name.match(/^(.*?)(\.[^.]*)?$/s);
    let free = name;
    for (let number = 2; taken.has(free.toLowerCase()); number++) free = `${stem} (${number})${ending ?? ""}`;
    taken.add(free.toLowerCase());
    return free;
  });
}
