// The editor: one open document, the stage it is on, and what each button and key does to it.

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
const { maxBytes, maxSide, remove: removeUrl, detect: detectUrl, marks: marksUrl, account } = at("editor").dataset;
const urls = { remove: removeUrl, detect: detectUrl };
const BRUSH = "Brush over what you want to remove, or press Find.";

let doc = null;
const stage = new Stage();
const work = new Work(update);
const compare = new Compare(stage);
const findings = new Findings(stage, mark);
const cleaning = new Cleaning(urls, work, findings, { isAccount: Boolean(account), document: () => doc, changed: update });
const saving = new Saving({ document: () => doc });
const saved = new Saved(marksUrl, work, { document: () => doc, changed: mark, takeOff: (logo) => cleaning.takeOff(logo) });
const strip = new Strip(work, {
  ...{ read: opened, show, changed: update },
  ...{ clean: (doc, signal) => cleaning.cleanOne(doc, signal), refused: (error) => cleaning.refused(error) },
});
const tools = new Tools(stage, { done: (stroke) => change(() => doc.add(stroke)), mayDraw: () => doc && !work.isBusy });

// --- the document -----------------------------------------------------------------------------------------------

async function opened(file) {
  return new Document(file.name?.replace(/\.[^.]*$/, "") || "picture", await read(file, { maxBytes, maxSide }));
}

async function open([file, ...others], example = {}) {
  if (work.isBusy || !file) return;
  if ((doc?.isUnsaved || strip.isUnsaved) && (await ask("unsaved")) !== "lose") return;
  if (others.length) {
    if (others.length >= MOST) return say(`Choose at most ${MOST} pictures.`, true);
    say(`${others.length + 1} pictures. Mark one and use its marks for all, or press Clean all to find them.`);
    return strip.fill([file, ...others]);
  }
  try {
    const single = await opened(file);
    strip.fill([]);
    show(single);
    say(single.image.scaled ? smaller(single.image) : BRUSH);
  } catch (error) {
    return say(error.message, true);
  }
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

async function close() {
  if (work.isBusy || ((doc.isUnsaved || strip.isUnsaved) && (await ask("unsaved")) !== "lose")) return;
  strip.fill([]);
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
  ...{ find: () => cleaning.find(), clean: () => tools.isDrawing || cleaning.clean() },
  ...{ download: () => saving.download(), jpeg: () => saving.downloadJpeg(), another: close },
  ...{ undo: () => step(-1), redo: () => step(1) },
  ...{ next: () => strip.step(1), previous: () => strip.step(-1), share: () => strip.share() },
  ...{ cleanAll: () => strip.cleanAll(), downloadAll: () => strip.download() },
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
