// What is done to all pictures of the strip: the same marks, cleaning one after another, one ZIP.

import { fitted } from "./fitting.js";
import { save, say } from "./page.js";
import { zip } from "./zip.js";

const at = (id) => document.getElementById(id);
const PATIENCE = 120; // seconds that are waited where the server asks for it
const SOON = ["rate_limited", "busy", "too_many_calls"];

export class All {
  constructor(strip, work, cleaning) {
    Object.assign(this, { strip, work, cleaning, isCleaning: false });
  }

  // The marks of the shown picture, on each of the others in the place of what was marked there.
  mark() {
    const { shown, frames } = this.strip;
    if (this.work.isBusy || !shown?.doc.isMarked) return;
    const others = frames.filter((frame) => frame !== shown && !frame.doc.isCleaned);
    for (const frame of others) {
      frame.doc.push({ marks: fitted(shown.doc.marks, shown.doc, frame.doc, at("fitting").value), found: null });
      this.strip.tell(frame, "marked");
    }
    say(`The same marks are on ${count(others.length)} more. Look at some of them, or press Clean all.`);
  }

  // Those that are not clean yet, or are marked again. One that fails does not stop the others.
  clean() {
    if (this.work.isBusy) return;
    const due = this.strip.frames.filter(({ doc, state }) => doc.isMarked || (!doc.isCleaned && state !== "nothing"));
    if (!due.length) return say("All of them are clean. Mark what is left, or download them.");
    this.isCleaning = true;
    return this.work.run("Cleaning…", async (signal) => {
      for (const [number, frame] of due.entries())
        await this.cleanOne(frame, `Cleaning ${number + 1} of ${due.length}…`, signal);
      return this.summary(due);
    }, (error) => this.cleaning.refused(error)).finally(() => (this.isCleaning = false));
  }

  async cleanOne(frame, doing, signal) {
    const { strip } = this;
    const before = frame.state;
    strip.tell(frame, "working");
    try {
      await frame.doc.wake();
      const { pixels } = await patiently(this.work, doing, () => this.cleaning.remove(frame.doc, signal), signal);
      strip.tell(frame, pixels ? "done" : "nothing", pixels ? "" : "Nothing was found. Mark what is to go.");
    } catch (error) {
      const isOver = error.name === "AbortError" || ["quota_exceeded", "unreachable"].includes(error.code);
      strip.tell(frame, isOver ? before : "failed", isOver ? "" : error.message);
      if (isOver) throw error;
    } finally {
      if (frame !== strip.shown) strip.rest(frame);
    }
  }

  summary(due) {
    const of = (state) => due.filter((frame) => frame.state === state).length;
    const parts = [`${count(of("done"))} clean`];
    if (of("nothing")) parts.push(`nothing found in ${of("nothing")}: mark it there, then Clean all again`);
    if (of("failed")) parts.push(`${of("failed")} failed: choose one to see why, or Clean all tries again`);
    return `${parts.join("; ")}.`;
  }

  async download() {
    const clean = this.strip.docs.filter((doc) => doc.isCleaned);
    if (this.work.isBusy || !clean.length) return;
    await this.work.run("Packing…", async () => {
      save(await zip(clean.map((doc) => ({ name: `${doc.name}-clean.png`, blob: doc.file }))), "clean.zip");
      for (const doc of clean) doc.saved = doc.image;
      return `${count(clean.length)} in clean.zip.`;
    });
  }
}

const count = (number) => `${number} ${number === 1 ? "picture" : "pictures"}`;

// What the server has no room for right now is asked again when it says.
async function patiently(work, doing, ask, signal) {
  for (;;)
    try {
      work.tell(doing);
      return await ask();
    } catch (error) {
      if (!SOON.includes(error.code) || !error.wait || error.wait > PATIENCE) throw error;
      work.tell(`${doing} The next may start in ${error.wait} s.`);
      await pause(error.wait, signal);
    }
}

function pause(seconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, 1000 * seconds);
    signal.addEventListener("abort", () => (clearTimeout(timer), reject(signal.reason)), { once: true });
  });
}
