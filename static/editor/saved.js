// Marks that the account keeps: what is painted is saved with its place, what was saved is laid on this picture.

import { laidMask, savedMarks, saveMark } from "./calls.js";
import { boundsOf, canvasOf, levelled, toFile } from "./marks.js";
import { ask } from "./page.js";

const at = (id) => document.getElementById(id);
const WHOLE = 0.6; // of both sides: what is as wide and as high lies on the whole picture
const DOWN = ["top", "middle", "bottom"];
const ACROSS = ["left", "centre", "right"];

export class Saved {
  // `document()`: the open one. `changed()`: it has new marks. `takeOff(logo)`, `takeOffAll(logo)`: it, or each picture
  // of the strip, is to be cleaned by it.
  constructor(url, work, strip, { document: open, changed, takeOff, takeOffAll }) {
    Object.assign(this, { url, work, strip, open, changed, takeOff, takeOffAll });
  }

  // Asks for a name and a place, which is where it lies in this picture unless another is chosen.
  async save() {
    const doc = this.open();
    if (!this.url || !doc?.isMarked || this.work.isBusy) return;
    document.querySelector(".menu").open = false;
    at("mark-place").value = placeOf(doc.mask);
    if ((await ask("save-marks")) !== "save") return;
    const [name, anchor] = [at("mark-name").value.trim(), at("mark-place").value];
    const scaling = at("mark-pixels").checked ? "pixels" : "picture";
    await this.work.run("Saving the marks…", async (signal) => {
      await saveMark(this.url, { name, anchor, scaling, kind: "mask", image: await toFile(doc.mask) }, signal);
      at("mark-name").value = "";
      return `“${name}” is saved. Find it under Saved, for this and later pictures.`;
    });
  }

  // Lists them; the chosen mask becomes marks, the chosen logo is taken off at once: of the shown picture, or of all.
  async use() {
    if (!this.url || !this.open() || this.work.isBusy) return;
    let marks = null;
    await this.work.run("Getting your saved marks…", async (signal) => {
      marks = await savedMarks(this.url, signal);
      return "Choose saved marks, or mark by hand.";
    });
    if (!marks) return;
    at("saved-list").replaceChildren(...marks.map((mark) => entry(mark, this.strip.isMany)));
    at("saved-none").hidden = marks.length > 0;
    const [id, all] = (await ask("saved-marks")).split(" ");
    const chosen = marks.find((mark) => mark.id === id);
    if (chosen?.kind === "logo") await (all ? this.takeOffAll(chosen) : this.takeOff(chosen));
    else if (chosen) await (all ? this.layOnAll(chosen) : this.lay(chosen));
  }

  lay(mark) {
    return this.work.run("Laying it on…", async (signal) => {
      const doc = this.open();
      doc.push({ marks: [...doc.marks, await laid(mark, doc, signal)] });
      this.changed();
      return `“${mark.name}” is laid on. Change it, or press Clean.`;
    });
  }

  // On each that is not clean yet, once for each size of them.
  layOnAll(mark) {
    return this.work.run("Laying it on…", async (signal) => {
      const frames = this.strip.frames.filter(({ doc }) => !doc.isCleaned);
      const sizes = new Map();
      for (const { doc } of frames) {
        const size = `${doc.width} × ${doc.height}`;
        if (!sizes.has(size)) sizes.set(size, await laid(mark, doc, signal));
      }
      for (const frame of frames) {
        const { doc } = frame;
        doc.push({ marks: [...doc.marks, sizes.get(`${doc.width} × ${doc.height}`)] });
        this.strip.tell(frame, "marked");
      }
      this.changed();
      return `“${mark.name}” is laid on ${frames.length} pictures. Look at some of them, or press Clean all.`;
    });
  }
}

// A saved mask as a mark of this document, with its soft edges.
async function laid(mark, doc, signal) {
  const bitmap = await createImageBitmap(await laidMask(mark.mask, doc, signal));
  const canvas = canvasOf(doc.width, doc.height);
  canvas.getContext("2d").drawImage(bitmap, 0, 0);
  return { tool: "mask", canvas: levelled(canvas, (level) => level) };
}

function entry(mark, isMany) {
  const item = at("saved-mark").content.cloneNode(true);
  const isLogo = mark.kind === "logo";
  item.querySelector("img").src = mark.thumbnail;
  item.querySelector("strong").textContent = mark.name;
  item.querySelector("small").textContent = `${isLogo ? "Logo" : "Mask"}, ${mark.width} × ${mark.height} pixels`;
  const [one, all] = item.querySelectorAll("button");
  one.value = mark.id;
  one.textContent = isLogo ? "Take off" : "Use";
  one.setAttribute("aria-label", `${one.textContent} ${mark.name}`);
  all.value = `${mark.id} all`;
  all.textContent = isLogo ? "Off all" : "On all";
  all.setAttribute("aria-label", isLogo ? `Take ${mark.name} off all` : `Use ${mark.name} on all`);
  all.hidden = !isMany;
  return item;
}

// The ninth of the picture in which the middle of what is marked lies, by the API's names.
function placeOf(mask) {
  const { left, top, right, bottom } = boundsOf(mask);
  if (right - left > WHOLE * mask.width && bottom - top > WHOLE * mask.height) return "whole";
  const third = (from, to, side) => Math.min(2, Math.floor((1.5 * (from + to)) / side));
  const [down, across] = [third(top, bottom, mask.height), third(left, right, mask.width)];
  return down === 1 && across === 1 ? "centre" : `${DOWN[down]}-${ACROSS[across]}`;
}
