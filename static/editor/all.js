// What is done to all pictures of the strip: the same marks, cleaning, one ZIP.

import { fitted } from "./fitting.js";
import { save, say } from "./page.js";
import { patiently } from "./patience.js";
import { format } from "./quota.js";
import { NOTHING } from "./strip.js";
import { zip } from "./zip.js";

const at = (id) => document.getElementById(id);

export class All {
  // `batches`: a promise of an account's that has results stored; null: they are cleaned one after another, and nothing is.
  // `units`: of the quota, for each picture.
  constructor(strip, work, cleaning, batches, units) {
    Object.assign(this, { strip, work, cleaning, batches, units, isCleaning: false });
  }

  // Whose marks the others may have, too: the shown picture's; where it has none, the first one's that has, or had.
  get source() {
    const { shown, frames } = this.strip;
    if (shown?.doc.isMarked) return shown;
    return frames.find(({ doc }) => doc.isMarked) ?? frames.find(({ doc }) => doc.earlierMarks?.length);
  }

  // The same marks on each that is not cleaned: the shown picture's in the place of what was marked there, another's
  // where nothing is marked.
  mark() {
    const { source, strip } = this;
    if (this.work.isBusy || !source) return;
    const { doc } = source;
    const marks = doc.isMarked ? doc.marks : doc.earlierMarks;
    const others = strip.frames.filter((frame) => frame !== source && !frame.doc.isCleaned && (source === strip.shown || !frame.doc.isMarked));
    for (const frame of others) {
      frame.doc.push({ marks: fitted(marks, doc, frame.doc, at("fitting").value), found: null });
      strip.tell(frame, "marked");
    }
    this.work.changed();
    say(`The same marks are on ${count(others.length)} more. Look at some of them, or press Clean all.`);
  }

  // Where nothing was found, another picture's marks.
  offer() {
    const { source, strip } = this;
    const isOffered = strip.shown?.state === "nothing" && source && source !== strip.shown && !this.work.isBusy;
    at("offer").hidden = !isOffered;
    if (isOffered) at("offer").textContent = `Same marks as in “${source.doc.name}”`;
  }

  // Those that are not cleaned yet, or are marked again.
  get due() {
    return this.strip.frames.filter(({ doc, state }) => doc.isMarked || (!doc.isCleaned && state !== "nothing"));
  }

  // What Clean all costs, at most, beside what is left to pay it with. Nothing is said without a quota.
  update() {
    const cost = this.units * this.due.length;
    const { left } = at("left").dataset;
    at("cost").hidden = !cost || left === undefined;
    at("cost").textContent = `Costs ${cost > 1 ? "up to " : ""}${format(cost)} of ${format(left)} left`;
    at("cost").classList.toggle("wrong", cost > left);
  }

  // One that fails does not stop the others.
  clean() {
    if (this.work.isBusy) return;
    const { due } = this;
    const nothing = this.strip.frames.filter(({ state }) => state === "nothing").length;
    if (!due.length && nothing) return say(`Nothing was found in ${nothing} of them. Mark there what is to go.`, true);
    if (!due.length) return say("All of them are cleaned. Mark what is left, or download them.");
    return this.run(due, null);
  }

  // A saved logo, off each that it was not taken off last.
  takeOff(logo) {
    return this.run(this.strip.frames.filter(({ doc }) => doc.image.logo !== logo.id), logo);
  }

  // `logo`: what is to go; null: what is marked, or the watermark.
  run(due, logo) {
    this.isCleaning = true;
    return this.work.run("Cleaning…", async (signal) => {
      const batches = await this.batches;
      const sent = batches ? due.filter(({ doc }) => batches.takes(doc)) : [];
      const why = sent.length ? await batches.clean(sent, logo, signal) : "";
      const others = signal.aborted || why ? [] : due.filter((frame) => !sent.includes(frame));
      for (const [number, frame] of others.entries()) {
        this.work.reach((due.length - others.length + number) / due.length);
        await this.cleanOne(frame, logo, `Cleaning ${number + 1} of ${others.length}…`, signal);
      }
      return [this.summary(due), why].filter(Boolean).join(" ");
    }, (error) => this.cleaning.refused(error)).finally(() => (this.isCleaning = false));
  }

  async cleanOne(frame, logo, doing, signal) {
    const { strip } = this;
    const before = frame.state;
    strip.tell(frame, "working");
    try {
      await frame.doc.wake();
      const { pixels } = await patiently(this.work, doing, () => this.cleaning.remove(frame.doc, logo, signal), signal);
      strip.tell(frame, pixels ? "done" : "nothing", pixels ? "" : NOTHING);
    } catch (error) {
      const isOver = error.name === "AbortError" || ["quota_exceeded", "unreachable"].includes(error.code);
      strip.tell(frame, isOver ? before : "failed", isOver ? "" : error.message);
      if (isOver) throw error;
    } finally {
      if (frame !== strip.shown) strip.rest(frame);
    }
  }

  summary(due) {
    const of = (...states) => due.filter((frame) => states.includes(frame.state)).length;
    const parts = [`${count(of("done"))} cleaned`];
    if (of("open", "marked")) parts.push(`${of("open", "marked")} as before`);
    if (of("nothing")) parts.push(`nothing found in ${of("nothing")}: mark it there, then Clean all again`);
    if (of("failed")) parts.push(`${of("failed")} failed: choose one to see why, or Clean all tries again`);
    return `${parts.join("; ")}.`;
  }

  async download() {
    const cleaned = this.strip.docs.filter((doc) => doc.isCleaned);
    if (this.work.isBusy || !cleaned.length) return;
    await this.work.run("Packing…", async () => {
      save(await zip(cleaned.map((doc) => ({ name: `${doc.name}-clean.png`, blob: doc.file }))), "clean.zip");
      for (const doc of cleaned) doc.saved = doc.image;
      return `${count(cleaned.length)} in clean.zip.`;
    });
  }
}

const count = (number) => `${number} ${number === 1 ? "picture" : "pictures"}`;
