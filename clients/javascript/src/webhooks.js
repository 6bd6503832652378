/** Webhooks, as the service signs them (Standard Webhooks 1.0.0). */

import { webCrypto } from './runtime.js';

const TOLERANCE = 300; // seconds between the sender's clock and ours

/** It was not sent by the service with this secret, not lately, or not as it arrived. */
export class InvalidSignature extends Error {
  name = 'InvalidSignature';
}

/** The event in a request, when its signature is right and its age below five minutes. Throws InvalidSignature. */
export async function verify(secret, headers, body) {
  const [id, moment, signatures] = ['id', 'timestamp', 'signature'].map((name) => header(headers, `webhook-${name}`));
  if (!/^\d+$/.test(moment)) throw new InvalidSignature('webhook-timestamp is no number of seconds.');
  if (Math.abs(Date.now() / 1000 - Number(moment)) > TOLERANCE) {
    throw new InvalidSignature('The webhook is older than five minutes, or a clock is wrong.');
  }
  const content = typeof body === 'string' ? new TextEncoder().encode(body) : new Uint8Array(body);
  const signed = await new Blob([`${id}.${moment}.`, content]).arrayBuffer();
  if (!(await isSigned(keyOf(secret), signatures, signed))) {
    throw new InvalidSignature('No signature is right for this body and secret.');
  }
  const { type, timestamp, data } = JSON.parse(new TextDecoder().decode(content));
  return { id, type, timestamp: new Date(timestamp), data };
}

/** There are several signatures while a secret is being rotated. They are compared in constant time. */
async function isSigned(secret, signatures, signed) {
  const { subtle } = await webCrypto();
  const key = await subtle.importKey('raw', secret, { name: 'HMAC', hash: 'SHA-256' }, false, ['verify']);
  for (const each of signatures.split(' ')) {
    const signature = each.startsWith('v1,') ? bytesOf(each.slice(3)) : null;
    if (signature && (await subtle.verify('HMAC', key, signature, signed))) return true;
  }
  return false;
}

function keyOf(secret) {
  const key = bytesOf(secret.replace(/^whsec_/, ''));
  if (!key?.length) throw new InvalidSignature('The secret is not whsec_ and base64.');
  return key;
}

/** null where it is no base64. */
function bytesOf(base64) {
  try {
    return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  } catch {
    return null;
  }
}

/** headers: a Headers object, or an object of them in any case, such as Node's request.headers. */
function header(headers, wanted) {
  const entries = typeof headers.entries === 'function' ? [...headers.entries()] : Object.entries(headers);
  const value = entries.find(([name]) => name.toLowerCase() === wanted)?.[1];
  if (value === undefined) throw new InvalidSignature(`There is no header ${wanted}.`);
  return String(value);
}
