/** What Node, Deno and Bun have and browsers have not. */

export const hasFiles = Boolean(globalThis.process?.versions?.node);

/** A module of Node's. The name is put together here, so that bundlers for browsers do not look for it. */
export function builtin(name) {
  if (!hasFiles) throw new TypeError('A browser reads and writes no files by path: pass a File, and take the content.');
  return import(/* webpackIgnore: true */ /* @vite-ignore */ `node:${name}`);
}

export function environment(name) {
  return globalThis.process?.env?.[name];
}

/** Node 18 does not have it as a global. */
export async function webCrypto() {
  return globalThis.crypto ?? (await builtin('crypto')).webcrypto;
}

/** A random UUID (version 4). crypto.randomUUID would need a page that came over https. */
export async function uuid() {
  const bytes = (await webCrypto()).getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}
