// The editor: one open document, the stage it is on, and what each button and key does to it.

import { detect, remove } from "./calls.js";
import { Compare } from "./compare.js";
import { Document } from "./document.js";
import { Findings, read as readFindings } from "./findings.js";
import { keep, takeBack } from "./keep.js";
import { listen } from "./keys.js";
import { jpeg, masks } from "./masks.js";
import { toFile } from "./marks.js";
import { ask, save, say, Work } from "./page.js";
import { read } from "./reading.js";
import { Saved } from "./saved.js";
import { Stage } from "./stage.js";
import { start } from "./start.js";
import { Tools } from "./tools.js";

const at = (id) => document.getElementById(id);
const { maxBytes, maxSide, remove: removeUrl, detect: detectUrl, marks: marksUrl, account } = at("editor").dataset;
const urls = { remove: removeUrl, detect: detectUrl };
const BRUSH = "Brush over what you want to remove, or press Find.";
const CLEANED = "Compare, mark more, or download it.";

let doc = null;
let isLeaving = false; // on purpose, with everything kept
const stage = new Stage();
const work = new Work(update);
const compare = new Compare(stage);
const findings = new Findings(stage, mark);
const saved = new Saved(marksUrl, work, { document: () => doc, changed: mark, takeOff });
const tools = new Tools(stage, { done: (stroke) => change(() => doc.add(stroke)), mayDraw: () => doc && !work.isBusy });

// --- the document -----------------------------------------------------------------------------------------------

async function open(file, example = {}) {
  if (work.isBusy || !file) return;
  if (doc?.isUnsaved && (await ask("unsaved")) !== "lose") return;
  try {
    const image = await read(file, { maxBytes, maxSide });
    show(new Document(file.name?.replace(/\.[^.]*$/, "") || "picture", image));
    say(image.scaled ? `Made smaller, to ${doc.width} × ${doc.height}. ${account ? "" : "With an account it stays larger. "}${BRUSH}` : BRUSH);
  } catch (error) {
    return say(error.message, true);
  }
  if (example.box) {
    const [x, y, right, bottom] = example.box.split(" ").map(Number);
    mark([{ tool: "box", points: [[x, y], [right, bottom]] }]);
    say("The hikers are marked. Press Clean.");
  } else if (example.picture) await find();
}

function show(opened) {
  doc = opened;
  document.body.classList.add("editing");
  Object.assign(at("size"), { max: Math.max(40, Math.max(doc.width, doc.height) / 5) });
  tools.size = Math.max(8, Math.max(doc.width, doc.height) / 30);
  compare.toggle(false);
  update();
  scrollTo(0, 0);
  stage.element.focus({ preventScroll: true });
}

function change(how) {
  how();
  update();
}

function mark(marks) {
  change(() => doc.push({ marks }));
}

function step(by) {
  if (!doc || work.isBusy || tools.isDrawing || !(by < 0 ? doc.canUndo : doc.canRedo)) return;
  change(() => doc.go(by));
  say(doc.isCleaned ? CLEANED : BRUSH);
}

async function close() {
  if (work.isBusy || (doc.isUnsaved && (await ask("unsaved")) !== "lose")) return;
  doc = stage.doc = null;
  document.body.classList.remove("editing");
  say("");
  at("file").focus();
}

// --- what is asked of the server --------------------------------------------------------------------------------

function find() {
  if (!doc || work.isBusy) return;
  return work.run("Looking for a watermark…", async (signal) => {
    const found = await readFindings(await detect(urls, doc.image.file, signal), doc);
    const sure = found.filter((one) => one.sure).map((one) => one.mark);
    if (!found.length) return "No watermark was found. Brush over it, or draw a box around it.";
    change(() => doc.push({ found, marks: [...doc.marks, ...sure] }));
    if (!sure.length) return "Not sure. Press + on what is a watermark, or brush over it.";
    return `Found ${sure.length === 1 ? "a watermark" : `${sure.length} marks`}. Check what is outlined, then press Clean.`;
  });
}

function clean() {
  if (!doc || work.isBusy || tools.isDrawing) return;
  if (!doc.isMarked) return say("First brush over what you want to remove, or press Find.", true);
  return work.run("Cleaning…", cleaned, refused);
}

async function cleaned(signal) {
  const fields = { image: doc.image.file, mode: at("mode").value };
  // What was found and left as it is comes off best without a mask.
  if (fields.mode !== "auto" || !findings.isAsFound(doc)) fields.mask = await toFile(doc.mask);
  const result = await removed(fields, [], signal);
  if (!result.pixels)
    return "No see-through mark was found in the marked area, and nothing was charged. Choose “Fill in” to paint the area over instead.";
  return `Done in ${result.seconds.toFixed(1)} s, ${inPercent(result.coverage)} of the picture. ${CLEANED}`;
}

// A saved logo, wherever it is around its place. What is marked is for another time.
function takeOff({ name, id }) {
  return work.run(`Taking off “${name}”…`, async (signal) => {
    const { marks } = doc;
    const result = await removed({ image: doc.image.file, mode: at("mode").value, mark: id }, marks, signal);
    if (!result.pixels) return `“${name}” was not found in this picture, and nothing was charged.`;
    if (result.repair === "repainted") return `“${name}” was not recognised, so its place was filled in. Undo where it is not on this picture.`;
    return `“${name}” is taken off, in ${result.seconds.toFixed(1)} s. ${CLEANED}`;
  }, refused);
}

// What the server answered; the document shows it, with these marks left.
async function removed(fields, marks, signal) {
  const result = await remove(urls, fields, doc.keyOf(`${fields.mode} ${fields.mark}`), signal);
  if (result.left !== null) at("left").textContent = Number(result.left).toLocaleString("en");
  if (!result.pixels) return result;
  const image = { file: result.file, bitmap: await createImageBitmap(result.file) };
  change(() => doc.clean(image, marks));
  if (at("offer")) at("offer").hidden = false;
  return result;
}

const inPercent = (share) => (share < 0.001 ? "less than 0.1%" : `${(100 * share).toFixed(share < 0.1 ? 1 : 0)}%`);

async function refused(error) {
  if (error.code === "quota_exceeded" && at("limit")) await ask("limit");
}

// --- what is kept -----------------------------------------------------------------------------------------------

function download() {
  if (!doc?.isCleaned) return;
  save(doc.image.file, `${doc.name}-clean.png`);
  doc.saved = doc.image;
}

async function downloadJpeg() {
  save(await jpeg(doc), `${doc.name}-clean.jpg`);
  doc.saved = doc.image;
}

addEventListener("beforeunload", (event) => {
  if (doc?.isUnsaved && !isLeaving) event.preventDefault();
});

// Whoever signs up or signs in finds everything again afterwards.
document.addEventListener("click", async (event) => {
  const link = event.target.closest("a[href^='/signup'], a[href^='/login']");
  if (!link || !doc || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  await keep(doc).then(() => (isLeaving = true), (error) => console.error(error));
  location.href = link.href;
});

// --- the page ---------------------------------------------------------------------------------------------------

function update() {
  if (!doc) return;
  stage.show(doc);
  findings.show(doc);
  compare.update();
  const busy = work.isBusy;
  const disabled = {
    ...{ find: busy, clean: busy || !doc.isMarked, another: busy, grow: busy || !doc.isMarked, "load-mask": busy },
    ...{ undo: busy || !doc.canUndo, redo: busy || !doc.canRedo, "save-mask": !doc.isMarked },
    ...(account && { saved: busy, "keep-marks": busy || !doc.isMarked }),
    ...{ again: busy || !doc.earlierMarks || doc.isMarked, compare: !doc.isCleaned },
    ...{ download: busy || !doc.isCleaned, jpeg: busy || !doc.isCleaned },
  };
  for (const [id, off] of Object.entries(disabled)) at(id).disabled = off;
  const isResult = doc.isCleaned && !doc.isMarked;
  at("download").classList.toggle("secondary", !isResult);
  at("clean").classList.toggle("secondary", isResult);
}

const choose = (tool) => () => (document.querySelector(`#editor input[value=${tool}]`).checked = true);
const resize = (factor) => () => (tools.size = Math.round(tools.size * factor + Math.sign(factor - 1)));
const does = {
  ...{ find, clean, download, jpeg: downloadJpeg, another: close, undo: () => step(-1), redo: () => step(1) },
  again: () => doc.earlierMarks && !doc.isMarked && mark(doc.earlierMarks),
  compare: () => doc.isCleaned && compare.toggle(),
  ...{ fit: () => stage.fit(), whole: () => stage.zoom(1 / stage.scale) },
  ...{ nearer: () => stage.zoom(1.25), farther: () => stage.zoom(0.8) },
  ...{ brush: choose("brush"), box: choose("box"), lasso: choose("lasso"), eraser: choose("eraser") },
  ...{ saved: () => saved.use(), keepMarks: () => saved.save() },
  ...{ smaller: resize(0.85), larger: resize(1.18), keys: () => ask("keys") },
};
for (const button of document.querySelectorAll("#editor [data-does]"))
  button.addEventListener("click", () => does[button.dataset.does]());
stage.element.addEventListener("pointerdown", () => (document.querySelector(".menu").open = false));
stage.moved.push(() => (at("zoom").textContent = `${Math.round(100 * stage.scale)}%`));

listen({ stage, tools, compare, work, does });
masks(stage, { document: () => doc, changed: mark });
start(open);
document.documentElement.classList.add("ready");
const kept = await takeBack();
if (kept) {
  show(kept);
  say("Your picture and your marks are back.");
}
