// The editor: the open documents, the stage that one of them is on, and what each button and key does to it.

import { All } from "./all.js";
import { renew } from "./calls.js";
import { CLEANED, Cleaning } from "./cleaning.js";
import { Compare } from "./compare.js";
import { Document } from "./document.js";
import { Findings } from "./findings.js";
import { takeBack } from "./keep.js";
import { listen } from "./keys.js";
import { masks } from "./masks.js";
import { ask, say, Work } from "./page.js";
import { read } from "./reading.js";
import { Saved } from "./saved.js";
import { Saving } from "./saving.js";
import { Stage } from "./stage.js";
import { start } from "./start.js";
import { MOST, Strip } from "./strip.js";
import { Tools } from "./tools.js";

const at = (id) => document.getElementById(id);
const { page: address, maxBytes, maxSide, remove: removeUrl, detect: detectUrl, marks: marksUrl, units, account, batch: batchUrl, batchMost, batchBytes, findsText } = at("editor").dataset;
const urls = { remove: removeUrl, detect: detectUrl };
const BRUSH = "Brush over what you want to remove, or press Clean: it finds a watermark.";
const MANY = (number) => `${number} pictures. Mark one and press Same marks for all; or press Clean all, which looks for the watermark.`;

let doc = null;
const stage = new Stage();
const work = new Work(update);
const compare = new Compare(stage);
const findings = new Findings(stage, mark);
const cleaning = new Cleaning(urls, work, findings, {
  ...{ isAccount: Boolean(account), document: () => doc, changed: update, nothing: () => strip.nothing() },
});
const strip = new Strip({ show, mayTurn: () => !tools.isDrawing && (!work.isBusy || all.isCleaning), remove: takeOut });
const limits = { most: batchMost, maxBytes: batchBytes, maxFile: maxBytes };
const sends = ({ Batches }) => new Batches(batchUrl, limits, { strip, work, cleaning });
const batches = batchUrl ? import("./batches.js").then(sends) : null; // visitors send none
const all = new All(strip, work, cleaning, batches, Number(units));
const saving = new Saving({ document: () => doc, documents: () => strip.docs, address });
const [takeOff, takeOffAll] = [(logo) => cleaning.takeOff(logo), (logo) => all.takeOff(logo)];
const saved = new Saved(marksUrl, work, strip, { document: () => doc, changed: update, takeOff, takeOffAll });
const tools = new Tools(stage, { done: (stroke) => change(() => doc.add(stroke)), mayDraw: () => doc && !work.isBusy });

// --- the document -----------------------------------------------------------------------------------------------

// One picture takes the place of the one that is open; several, or one more, come beside them.
async function open(files, example = {}) {
  if (work.isBusy || !files.length) return;
  const isMore = doc && (strip.isMany || files.length > 1);
  if (!isMore && saving.isUnsaved && (await ask("unsaved")) !== "lose") return;
  const room = MOST - (isMore ? strip.frames.length : 0);
  const refused = files.length > room ? [`${MOST} pictures at most are open at once.`] : [];
  const opened = [];
  for (const file of files.slice(0, room)) {
    if (files.length > 1) say(`Opening ${opened.length + 1} of ${files.length}…`);
    try {
      const image = await read(file, { maxBytes, maxSide });
      if (!isMore && !opened.length) strip.clear();
      await strip.add(new Document(file.name?.replace(/\.[^.]*$/, "") || "picture", image));
      opened.push(image);
    } catch (error) {
      refused.push(error.message);
    }
  }
  if (opened.length) update();
  if (refused.length) return say(refused.join(" "), true);
  if (strip.isMany) return say(MANY(strip.frames.length));
  const [image] = opened;
  say(image.scaled ? smaller(image) : BRUSH);
  if (example.box) {
    const [x, y, right, bottom] = example.box.split(" ").map(Number);
    mark([{ tool: "box", points: [[x, y], [right, bottom]] }]);
    say("The hikers are marked. Press Clean.");
  } else if (example.picture) await cleaning.find();
}

function smaller({ bitmap, full }) {
  const size = `Made smaller, to ${bitmap.width} × ${bitmap.height}${account ? "" : " (larger with an account)"}`;
  if (full) return `${size}. What is cleaned is laid back at ${full.width} × ${full.height}. ${BRUSH}`;
  return `${size}, for good: parts of it are see-through. ${BRUSH}`;
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

// Of several pictures one. What is downloaded, or kept in Batches, is gone without a question.
async function takeOut(frame) {
  if (!strip.isMany || work.isBusy || tools.isDrawing) return;
  if (frame.doc.isCleaned && frame.doc.isUnsaved && (await ask("unsaved-one")) !== "lose") return;
  await strip.takeOut(frame);
  update();
  say(`“${frame.doc.name}” is taken out.`);
}

async function close() {
  if (work.isBusy || (saving.isUnsaved && (await ask("unsaved")) !== "lose")) return;
  strip.clear();
  doc = stage.doc = null;
  document.body.classList.remove("editing");
  say("");
  at("file").focus();
}

// --- the page ---------------------------------------------------------------------------------------------------

function update() {
  if (!doc) return;
  stage.show(doc);
  findings.show(doc);
  compare.update();
  strip.update();
  all.update();
  all.offer();
  const busy = work.isBusy;
  const disabled = {
    ...{ find: busy, clean: busy || (doc.isCleaned && !doc.isMarked), another: busy, grow: busy || !doc.isMarked, "load-mask": busy },
    ...{ undo: busy || !doc.canUndo, redo: busy || !doc.canRedo, "save-mask": !doc.isMarked },
    ...(findsText && { "find-text": busy }),
    ...{ "accept-all": busy || !findings.open(doc).length },
    ...(account && { saved: busy, "keep-marks": busy || !doc.isMarked }),
    ...{ again: busy || !doc.earlierMarks || doc.isMarked, compare: !doc.isCleaned },
    ...{ download: busy || !doc.isCleaned, jpeg: busy || !doc.isCleaned },
    ...{ "mark-all": busy || !all.source, "clean-all": busy, "download-all": busy || !strip.docs.some((one) => one.isCleaned) },
  };
  for (const [id, off] of Object.entries(disabled)) at(id).disabled = off;
  for (const button of document.querySelectorAll(".take-out")) button.disabled = busy;
  at("accept-all").hidden = !findings.open(doc).length;
  at("fitting").hidden = strip.docs.every(({ width, height }) => width === doc.width && height === doc.height);
  const isResult = doc.isCleaned && !doc.isMarked;
  at("download").classList.toggle("secondary", !isResult);
  at("clean").classList.toggle("secondary", isResult);
}

const choose = (tool) => () => (document.querySelector(`#editor input[value=${tool}]`).checked = true);
const resize = (factor) => () => (tools.size = Math.round(tools.size * factor + Math.sign(factor - 1)));
const does = {
  ...{ find: () => cleaning.find(), clean: () => tools.isDrawing || cleaning.clean() },
  ...{ download: () => saving.download(), jpeg: () => saving.downloadJpeg(), another: close },
  ...{ undo: () => step(-1), redo: () => step(1), next: () => strip.next(1), previous: () => strip.next(-1) },
  takeOut: () => takeOut(strip.shown),
  ...{ markAll: () => all.mark(), cleanAll: () => all.clean(), downloadAll: () => all.download() },
  findText: () => findsText && cleaning.findText(),
  acceptAll: () => work.isBusy || findings.acceptAll(),
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
document.addEventListener("visibilitychange", () => document.hidden || renew().then(update, () => {})); // offline it stays
document.documentElement.classList.add("ready");
for await (const kept of takeBack()) await strip.add(kept);
if (doc) say(strip.isMany ? "Your pictures and your marks are back." : "Your picture and your marks are back.");
