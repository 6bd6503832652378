// The calls of the API, as the signed-in account or as a visitor. What they refuse is thrown as a Refusal.

import { renewed, told } from "./quota.js";

const UNREACHABLE = "The server could not be reached. Try again.";
const TOKEN = "#editor [name=csrfmiddlewaretoken]";
// Where the API's sentence is for programmers.
const WORDS = {
  invalid_image: "This is no picture we can open, or it is damaged.",
  quota_exceeded: "Not enough of your quota is left.", // the line beside it says when there is more
};

export class Refusal extends Error {
  // `wait`: seconds after which the same may be asked again, or null. `index`: of the picture that a batch is refused for.
  constructor(sentence, code, wait = null, index = null) {
    super(sentence);
    Object.assign(this, { code, wait, index });
  }
}

// Boxes with a score, the surest first; proposals; mask: what of them is marked, as an image's base64.
export async function detect(urls, image, signal) {
  const answer = await call(urls.detect, { image, marked: "true", proposals: "true" }, {}, signal);
  return answer.json();
}

// Boxes of lettering with a polygon and a score each, the surest first.
export async function detectText(urls, image, signal) {
  return (await (await call(urls.detect, { image, targets: "text" }, {}, signal)).json()).boxes;
}

// {file, pixels, coverage, seconds, repair}; `repair`: of a saved logo, restored or repainted.
export async function remove(urls, fields, key, signal) {
  const answer = await call(urls.remove, fields, { "Idempotency-Key": key }, signal);
  return {
    file: await answer.blob(),
    pixels: Number(answer.headers.get("X-Mask-Pixels")),
    coverage: Number(answer.headers.get("X-Mask-Coverage")),
    seconds: Number(answer.headers.get("X-Processing-Time")),
    repair: answer.headers.get("X-Mark-Repair"),
  };
}

// Of the same asked again after a lost answer, which then costs nothing.
export const newKey = () => Array.from(crypto.getRandomValues(new Uint32Array(4))).join("-");

// The id of the batch that waits at the server.
export async function sendBatch(url, fields, key, signal) {
  return (await (await call(`${url}?account`, fields, { "Idempotency-Key": key }, signal)).json()).id;
}

// What became of its pictures.
export async function lookAtBatch(url, id, signal) {
  return (await (await call(`${url}/${id}?account`, null, {}, signal)).json()).items;
}

// What has not ended is not charged. Its files are deleted.
export async function cancelBatch(url, id, signal) {
  await call(`${url}/${id}?account`, null, {}, signal, "DELETE");
}

// A batch's result, by the address that an item told.
export async function storedResult(url, signal) {
  return (await call(new URL(url).pathname, null, {}, signal)).blob();
}

// The account's saved marks, newest first.
export async function savedMarks(url, signal) {
  return (await (await call(url, null, {}, signal)).json()).marks;
}

export async function saveMark(url, fields, signal) {
  await call(url, fields, {}, signal);
}

// A saved mask as a picture of this size has it: a file with levels of grey.
export async function laidMask(url, { width, height }, signal) {
  return (await call(`${url}&width=${width}&height=${height}`, null, {}, signal)).blob();
}

// `fields`: what is posted; null: nothing is.
async function call(url, fields, headers, signal, method = fields ? "POST" : "GET") {
  const body = fields && new FormData();
  for (const [field, value] of Object.entries(fields ?? {})) body.append(field, value);
  const lost = (error) => Promise.reject(signal.aborted ? error : new Refusal(UNREACHABLE, "unreachable"));
  const send = () => fetch(url, { method, body, signal, headers: { "X-CSRFToken": document.querySelector(TOKEN).value, ...headers } });
  let response = await send().catch(lost);
  if (response.status === 403) {
    await renew(signal).catch(lost);
    response = await send().catch(lost);
  }
  told(response.headers);
  if (response.ok) return response;
  const error = await response.json().catch(() => ({ detail: `The server answered ${response.status}.` }));
  const wait = response.headers.get("Retry-After");
  const again = wait && error.code === "rate_limited" ? ` (in ${inWords(wait)})` : "";
  throw new Refusal((WORDS[error.code] ?? error.detail) + again, error.code, wait && Number(wait), error.index ?? null);
}

// What another tab may have changed: signing in changes the token, a plan what is left.
export async function renew(signal) {
  const text = await (await fetch(location.pathname, { signal })).text();
  const page = new DOMParser().parseFromString(text, "text/html");
  const token = page.querySelector(TOKEN)?.value;
  if (token) document.querySelector(TOKEN).value = token;
  renewed(page);
}

const inWords = (seconds) => (seconds < 120 ? `${seconds} seconds` : `${Math.round(seconds / 60)} minutes`);
