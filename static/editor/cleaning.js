// What is asked of the server about the open document: what is found in it, and what is taken off it.

import { detect, detectText, remove } from "./calls.js";
import { read as readFindings, readText } from "./findings.js";
import { layBack } from "./large.js";
import { toFile } from "./marks.js";
import { ask, say } from "./page.js";

const at = (id) => document.getElementById(id);
export const CLEANED = "Compare, mark more, or download it.";
const AGAIN = "The server may have done it, and charged one picture: the same again costs nothing more.";
const COUNTS = "The server may have done it, and counted it as one of today’s pictures: the same again counts again.";

export class Cleaning {
  // `document()`: the open one. `changed()`: it is shown again. `nothing()`: nothing was found in it.
  constructor(urls, work, findings, { isAccount, document: open, changed, nothing }) {
    Object.assign(this, { urls, work, findings, isAccount, open, changed, nothing });
  }

  find() {
    const doc = this.open();
    if (!doc || this.work.isBusy) return;
    return this.work.run("Looking for a watermark…", async (signal) => {
      const found = await readFindings(await detect(this.urls, doc.image.file, signal), doc);
      const sure = found.filter((one) => one.sure).map((one) => one.mark);
      if (!found.length) return "No watermark was found. Brush over it, or draw a box around it.";
      doc.find("watermark", found, sure);
      this.changed();
      if (!sure.length) return "Not sure. Press + on what is a watermark, or brush over it.";
      return `Found ${sure.length === 1 ? "a watermark" : `${sure.length} marks`}. Check what is outlined, then press Clean.`;
    });
  }

  findText() {
    const doc = this.open();
    if (!doc || this.work.isBusy) return;
    return this.work.run("Looking for lettering…", async (signal) => {
      const boxes = await detectText(this.urls, doc.image.file, signal);
      const found = readText(boxes);
      doc.find("text", found, []);
      this.changed();
      if (!found.length) return "No lettering was found. Brush over it, or draw a box around it.";
      const lines = found.length === 1 ? "one piece" : boxes.length > found.length ? `the surest ${found.length} of ${boxes.length} pieces` : `${found.length} pieces`;
      return `Outlined ${lines} of lettering. Press + on what is to go, or Accept all, then Clean.`;
    });
  }

  clean() {
    const doc = this.open();
    if (!doc || this.work.isBusy) return;
    if (doc.isCleaned && !doc.isMarked) return say("Mark what is left, or download it.", true);
    if (!doc.isMarked && this.findings.open(doc).some((one) => one.kind === "text")) return say("Press + on the lettering that is to go, or Accept all.", true);
    return this.work.run("Cleaning…", (signal) => this.cleaned(doc, signal), (error) => this.refused(error));
  }

  async cleaned(doc, signal) {
    const isSought = !doc.isMarked;
    const result = await this.remove(doc, null, signal);
    if (!result.pixels) this.nothing();
    if (!result.pixels && isSought) return "No watermark was found, and nothing was charged. Brush over what you want to remove.";
    if (!result.pixels)
      return "No see-through mark was found in the marked area, and nothing was charged. Choose “Fill in” to paint the area over instead.";
    return `Done in ${result.seconds.toFixed(1)} s, ${inPercent(result.coverage)} of the picture${result.laid || `. ${CLEANED}`}`;
  }

  // A saved logo; or what is marked, or the watermark where nothing is. What the server answered; the document shows it.
  async remove(doc, logo, signal) {
    const fields = { image: doc.image.file, mode: at("mode").value };
    if (fields.mode === "auto" && !logo && this.findings.isLettering(doc)) fields.mode = "repaint";
    const mask = logo ? null : await this.mask(doc);
    if (mask) fields.mask = mask;
    if (logo) fields.mark = logo.id;
    const result = await remove(this.urls, fields, doc.keyOf(`${fields.mode} ${fields.mark}`), signal);
    if (result.pixels) result.laid = await this.put(doc, result.file, logo, signal);
    return result;
  }

  // What is sent of what is marked, or null: what was found and left as it is comes off best without a mask.
  async mask(doc) {
    return doc.isMarked && (at("mode").value !== "auto" || !this.findings.isAsFound(doc)) ? toFile(doc.mask) : null;
  }

  // A saved logo, wherever it is around its place. What is marked is for another time.
  takeOff(logo) {
    const [doc, { name }] = [this.open(), logo];
    return this.work.run(`Taking off “${name}”…`, async (signal) => {
      const result = await this.remove(doc, logo, signal);
      if (!result.pixels) return `“${name}” was not found in this picture, and nothing was charged.`;
      if (result.repair === "repainted") return `“${name}” was not recognised, so its place was filled in. Undo where it is not on this picture.`;
      return `“${name}” is taken off, in ${result.seconds.toFixed(1)} s${result.laid || `. ${CLEANED}`}`;
    }, (error) => this.refused(error));
  }

  // A result into its document; how it was laid back, in words. A logo leaves the marks for another time.
  async put(doc, file, logo, signal) {
    const image = { file, bitmap: await createImageBitmap(file), full: null, logo: logo?.id };
    const said = doc.original.full ? await laid(doc, image, signal) : "";
    doc.clean(image, logo ? doc.marks : []);
    this.changed();
    return said;
  }

  // An answer that was not waited for, or was lost, may have been charged: the server does not stop half-way.
  async refused(error) {
    if (error.code === "quota_exceeded" && at("limit")) await ask("limit");
    const lost = { AbortError: "Cancelled. Your marks are as they were." }[error.name] ?? (error.code === "unreachable" && error.message);
    if (lost) say(`${lost} ${this.isAccount ? AGAIN : COUNTS}`, error.code === "unreachable");
  }
}

// Lays the result back over a large original, and says so; where that fails the smaller result is still one.
async function laid({ original, width, height }, image, signal) {
  at("doing").textContent = "Laying it back at full size…";
  try {
    image.full = { ...original.full, file: await layBack(original, image.file, signal) };
  } catch (error) {
    if (signal.aborted) throw error;
    return `, at ${width} × ${height} only: this browser could not lay it back (${error.message}).`;
  }
  return `: cleaned at ${width} × ${height}, laid back at ${image.full.width} × ${image.full.height}.`;
}

const inPercent = (share) => (share < 0.001 ? "less than 0.1%" : `${(100 * share).toFixed(share < 0.1 ? 1 : 0)}%`);
