// The editor: a picture, strokes that mark what to remove, and the two calls that find and remove it.
"use strict";

const at = (id) => document.getElementById(id);
const editor = at("editor");
const layers = { picture: at("picture"), original: at("original"), mask: at("mask") };
const chosen = (name) => editor.querySelector(`input[name=${name}]:checked`).value;

// The picture's versions, oldest first, as the files they came as; the mask's strokes, in the picture's pixels; strokes
// and versions that were taken back, oldest first; the stroke that is being drawn.
let versions = [];
let strokes = [];
let undone = [];
let drawn = null;
let name = "picture";
let busy = false;
const WIDER = 6; // pixels around what was found
const BRUSH = "Brush over what you want to remove, or find the watermark.";
const CLEANED = "Compare, mark more, or download it.";
let repeatKey = null; // Idempotency-Key: the same request sent again after a lost answer costs nothing

// --- the picture ------------------------------------------------------------------------------------------------

// The picture in a file. What the server would refuse is thrown as a sentence, before anything is brushed.
async function read(file) {
  const { maxBytes, maxSide } = editor.dataset;
  const refuse = (sentence) => Promise.reject(new Error(sentence));
  if (file.size > maxBytes) return refuse(`The file is larger than ${maxBytes >> 20} MB.`);
  const type = await typeOf(file);
  if (!type) return refuse("This is not a JPEG, PNG, WebP, AVIF or HEIC picture.");
  const bitmap = await createImageBitmap(file).catch(() => null);
  if (!bitmap && type === "image/heic")
    return refuse("This browser cannot show HEIC pictures. Open it in Safari, or save it as a JPEG first.");
  if (!bitmap) return refuse("The file is damaged and cannot be read.");
  if (Math.max(bitmap.width, bitmap.height) > maxSide)
    return refuse(`The picture is larger than ${maxSide} pixels a side.`);
  if (await isAnimated(file, type)) return refuse("The picture is animated. Save the frame that you want as a picture.");
  return bitmap;
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

async function open(file) {
  if (busy || !file) return;
  if (versions.length) return say("A picture is already open. Close it with “Another picture” first.", true);
  const bitmap = await read(file).catch((error) => say(error.message, true));
  if (!bitmap) return;
  const largest = Math.max(bitmap.width, bitmap.height);
  name = file.name.replace(/\.[^.]*$/, "") || "picture";
  versions = [file];
  for (const layer of Object.values(layers)) [layer.width, layer.height] = [bitmap.width, bitmap.height];
  layers.original.getContext("2d").drawImage(bitmap, 0, 0);
  Object.assign(at("size"), { max: Math.max(40, largest / 5), value: Math.max(8, largest / 30) });
  at("zoom").value = 1;
  show(bitmap);
  at("drop").hidden = true;
  at("work").hidden = false;
  at("stage").focus();
  say(BRUSH);
}

function show(bitmap) {
  const context = layers.picture.getContext("2d");
  context.clearRect(0, 0, bitmap.width, bitmap.height);
  context.drawImage(bitmap, 0, 0);
  strokes = [];
  at("compare").value = 0;
  URL.revokeObjectURL(at("download").href);
  Object.assign(at("download"), { href: URL.createObjectURL(versions.at(-1)), download: `${name}-clean.png` });
  changed();
}

function close() {
  [versions, strokes, undone] = [[], [], []];
  at("file").value = "";
  at("work").hidden = true;
  at("drop").hidden = false;
  say("");
}

async function undo() {
  if (busy || drawn) return;
  if (strokes.length) undone.push(strokes.pop());
  else if (versions.length > 1) undone.push(versions.pop());
  else return;
  await restate(undone.at(-1));
}

async function redo() {
  if (busy || drawn || !undone.length) return;
  const again = undone.pop();
  (again instanceof Blob ? versions : strokes).push(again);
  await restate(again);
}

// After a stroke or a version went or came back.
async function restate(step) {
  if (step instanceof Blob) show(await createImageBitmap(versions.at(-1)));
  else changed();
  say(versions.length > 1 ? CLEANED : BRUSH);
}

// The result as it is shown, for those who need a smaller file than the exact one.
async function saveJpeg() {
  const canvas = new OffscreenCanvas(layers.picture.width, layers.picture.height);
  const context = canvas.getContext("2d");
  context.fillStyle = "white"; // below what is transparent, as the API does it
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(layers.picture, 0, 0);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await canvas.convertToBlob({ type: "image/jpeg", quality: 0.95 }));
  link.download = `${name}-clean.jpg`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

// --- the mask ---------------------------------------------------------------------------------------------------

function draw(stroke, context) {
  context.globalCompositeOperation = stroke.tool === "eraser" ? "destination-out" : "source-over";
  context.fillStyle = context.strokeStyle = "red";
  if (stroke.tool === "found") return context.drawImage(stroke.canvas, 0, 0);
  const [[x, y], ...others] = stroke.points;
  if (stroke.tool === "box") {
    const [right, bottom] = others.at(-1) ?? [x, y];
    return context.fillRect(x, y, right - x, bottom - y);
  }
  context.beginPath();
  context.arc(x, y, stroke.size / 2, 0, 2 * Math.PI);
  context.fill(); // a click's dot: browsers draw a line of no length or not
  context.lineCap = context.lineJoin = "round";
  context.lineWidth = stroke.size;
  context.beginPath();
  context.moveTo(x, y);
  for (const [toX, toY] of others) context.lineTo(toX, toY);
  context.stroke();
}

function redraw() {
  const context = layers.mask.getContext("2d");
  context.globalCompositeOperation = "source-over";
  context.clearRect(0, 0, layers.mask.width, layers.mask.height);
  for (const stroke of strokes) draw(stroke, context);
}

// White on black, as the API reads masks; null where nothing is marked.
function maskFile() {
  const { width, height } = layers.mask;
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(layers.mask, 0, 0);
  if (!context.getImageData(0, 0, width, height).data.some((value, index) => index % 4 === 3 && value)) return null;
  context.globalCompositeOperation = "source-in";
  context.fillStyle = "white";
  context.fillRect(0, 0, width, height);
  context.globalCompositeOperation = "destination-over";
  context.fillStyle = "black";
  context.fillRect(0, 0, width, height);
  return canvas.convertToBlob();
}

// What was found, white on black, becomes a stroke: its white turns opaque, the rest transparent. It is widened, because a
// mark is restored inside the mask only, and its edge is soft.
async function foundStroke(blob) {
  const bitmap = await createImageBitmap(blob);
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  const pixels = context.getImageData(0, 0, canvas.width, canvas.height);
  for (let i = 0; i < pixels.data.length; i += 4) pixels.data.set([255, 0, 0, pixels.data[i]], i);
  context.putImageData(pixels, 0, 0);
  const wider = new OffscreenCanvas(bitmap.width, bitmap.height);
  const widened = wider.getContext("2d");
  widened.drawImage(canvas, 0, 0);
  for (const reach of [WIDER / 2, WIDER])
    for (let turn = 0; turn < 2 * Math.PI; turn += Math.PI / 8)
      widened.drawImage(canvas, Math.round(reach * Math.cos(turn)), Math.round(reach * Math.sin(turn)));
  return { tool: "found", canvas: wider };
}

// --- the pointer ------------------------------------------------------------------------------------------------

const scale = () => layers.mask.width / layers.mask.getBoundingClientRect().width;

function position(event) {
  const box = layers.mask.getBoundingClientRect();
  return [(event.clientX - box.left) * scale(), (event.clientY - box.top) * scale()];
}

layers.mask.addEventListener("pointerdown", (event) => {
  if (busy || drawn || event.button || !event.isPrimary) return;
  layers.mask.setPointerCapture(event.pointerId);
  at("compare").value = 0;
  drawn = { tool: chosen("tool"), size: +at("size").value, points: [position(event)] };
  add(drawn);
});
layers.mask.addEventListener("pointermove", (event) => {
  ring(event);
  if (!drawn || !event.isPrimary) return;
  const parts = event.getCoalescedEvents?.() ?? []; // none in some browsers
  for (const part of parts.length ? parts : [event]) drawn.points.push(position(part));
  redraw();
});
layers.mask.addEventListener("pointerup", (event) => event.isPrimary && finish());
layers.mask.addEventListener("pointercancel", (event) => event.isPrimary && finish(true)); // two fingers zoom

function finish(cancelled = false) {
  if (!drawn) return;
  const [[x, y], [right, bottom]] = [drawn.points[0], drawn.points.at(-1)];
  if (cancelled || (drawn.tool === "box" && (right === x || bottom === y))) strokes.pop();
  drawn = null;
  changed();
}
layers.mask.addEventListener("pointerleave", () => (at("ring").hidden = true));

function ring(event) {
  const size = at("size").value / scale();
  at("ring").hidden = chosen("tool") === "box" || event.pointerType === "touch";
  const [x, y] = position(event).map((value) => value / scale());
  Object.assign(at("ring").style, { width: `${size}px`, height: `${size}px`, left: `${x}px`, top: `${y}px` });
}

// --- the calls --------------------------------------------------------------------------------------------------

const UNREACHABLE = "The server could not be reached. Try again: you will not be charged twice.";
const TOKEN = "#editor [name=csrfmiddlewaretoken]";

function send(url, body, headers) {
  const token = document.querySelector(TOKEN).value;
  return fetch(url, { method: "POST", body, headers: { "X-CSRFToken": token, ...headers } });
}

// Signing in again in another tab changes the token.
async function renewToken() {
  const page = new DOMParser().parseFromString(await (await fetch(location.pathname)).text(), "text/html");
  document.querySelector(TOKEN).value = page.querySelector(TOKEN)?.value ?? "";
}

// A call's response; what it refuses is thrown as a sentence.
async function call(url, fields, headers) {
  const body = new FormData();
  for (const [field, value] of Object.entries(fields)) body.append(field, value);
  const unreachable = () => Promise.reject(new Error(UNREACHABLE));
  let response = await send(url, body, headers).catch(unreachable);
  if (response.status === 403) {
    await renewToken().catch(unreachable);
    response = await send(url, body, headers).catch(unreachable);
  }
  const left = response.headers.get("X-Quota-Remaining");
  if (left && at("left")) at("left").textContent = Number(left).toLocaleString("en");
  if (response.ok) return response;
  const error = await response.json().catch(() => ({ detail: `The server answered ${response.status}.` }));
  const wait = response.headers.get("Retry-After");
  throw new Error(error.detail + (wait && response.status === 429 ? ` (in ${inWords(wait)})` : ""));
}

const inWords = (seconds) => (seconds < 120 ? `${seconds} seconds` : `${Math.round(seconds / 60)} minutes`);

async function work(doing, job) {
  if (busy || drawn) return;
  const started = Date.now();
  const tell = () => say(`${doing} ${Math.round((Date.now() - started) / 1000)} s`);
  busy = true;
  tell();
  const clock = setInterval(tell, 1000);
  update();
  try {
    say(await job());
  } catch (error) {
    say(error.message, true);
  } finally {
    clearInterval(clock);
    busy = false;
    update();
  }
}

async function find() {
  const fields = { image: versions.at(-1), marked: "true" };
  const response = await call(editor.dataset.detect, fields, { Accept: "image/png" });
  if (response.headers.get("X-Mask-Pixels") === "0") return "No watermark was found. Brush over it.";
  editor.querySelector("[value=restore]").checked = true;
  add(await foundStroke(await response.blob()));
  return "This looks like a watermark. Erase what is not part of it, brush over what is missing, then press Clean.";
}

async function clean() {
  const fields = { image: versions.at(-1), mode: chosen("mode") };
  const asFound = strokes.length === 1 && strokes[0].tool === "found" && fields.mode === "restore";
  if (asFound) fields.mode = "auto"; // comes off best without a mask, by the repair that leaves less of a trace
  else fields.mask = await maskFile();
  if (fields.mask === null) return "First brush over what you want to remove, or find the watermark.";
  repeatKey ??= Array.from(crypto.getRandomValues(new Uint32Array(4))).join("-");
  const response = await call(editor.dataset.remove, fields, { "Idempotency-Key": repeatKey });
  const result = await response.blob();
  if (response.headers.get("X-Mask-Pixels") === "0")
    return "No translucent watermark was found in the marked area, and nothing was charged. Choose “an object” to fill the area instead.";
  versions.push(result);
  undone = [];
  show(await createImageBitmap(result));
  return `Done in ${response.headers.get("X-Processing-Time")} s. ${CLEANED}`;
}

// --- the page ---------------------------------------------------------------------------------------------------

function say(text, wrong = false) {
  at("said").textContent = text;
  at("said").className = text ? `note ${wrong ? "error" : ""}` : "";
}

function add(stroke) {
  strokes.push(stroke);
  undone = [];
  changed();
}

// What would be sent is another request now.
function changed() {
  repeatKey = null;
  redraw();
  update();
}

function update() {
  const cleaned = versions.length > 1;
  at("progress").hidden = !busy;
  for (const button of editor.querySelectorAll("button")) button.disabled = busy;
  at("undo").disabled ||= !strokes.length && !cleaned;
  at("redo").disabled ||= !undone.length;
  for (const one of [at("comparing"), at("download"), at("jpeg"), layers.original]) one.hidden = !cleaned;
  layers.original.style.clipPath = `inset(0 ${100 - at("compare").value}% 0 0)`;
  const { width, height } = layers.picture;
  at("sheet").style.width = `calc(${at("zoom").value} * min(100%, ${width}px, ${(55 * width) / height}vh))`;
}

at("file").addEventListener("change", (event) => open(event.target.files[0]));
for (const mode of editor.querySelectorAll("[name=mode]")) mode.addEventListener("change", changed);
at("find").addEventListener("click", () => work("Looking for the watermark…", find));
at("clean").addEventListener("click", () => work("Cleaning…", clean));
at("undo").addEventListener("click", undo);
at("redo").addEventListener("click", redo);
at("jpeg").addEventListener("click", saveJpeg);
at("another").addEventListener("click", close);
at("zoom").addEventListener("input", update);
at("compare").addEventListener("input", update);
editor.addEventListener("dragover", (event) => event.preventDefault());
editor.addEventListener("drop", (event) => {
  event.preventDefault();
  open(event.dataTransfer.files[0]);
});
document.addEventListener("paste", (event) => open(event.clipboardData.files[0]));
document.addEventListener("keydown", (event) => {
  if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
  // The letter where the layout has Latin ones, as Dvorak has; else the key's place, as on a Cyrillic keyboard.
  const letter = (/^[a-z]$/i.test(event.key) ? event.key : event.code.replace("Key", "")).toLowerCase();
  const step = letter === "y" || (letter === "z" && event.shiftKey) ? redo : letter === "z" ? undo : null;
  if (!step || !versions.length) return;
  event.preventDefault();
  step();
});
editor.hidden = false;
