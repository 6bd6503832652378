// The strip's pictures as batches: the server goes on when the page is closed. They are sent, followed, and their results
// put back into the strip.

import { cancelBatch, lookAtBatch, newKey, Refusal, sendBatch, storedResult } from "./calls.js";
import { patiently, pause } from "./patience.js";
import { NOTHING } from "./strip.js";
import { distinct, zip } from "./zip.js";

const EVERY = 1; // seconds from look to look
const LONGEST = 200; // letters of a name
const OPEN = { queued: "waiting", running: "working" }; // the strip's word for an item's status

export class Batches {
  // `most`, `maxBytes`: pictures and bytes of a batch. `maxFile`: bytes of a picture.
  constructor(url, { most, maxBytes, maxFile }, { strip, work, cleaning }) {
    Object.assign(this, { url, most, maxBytes, maxFile, strip, work, cleaning });
    this.unanswered = null; // what was sent last: the same again is no second batch
  }

  // A result that is cleaned again may be larger than what a batch takes.
  takes({ image }) {
    return image.file.size <= this.maxFile;
  }

  // As many as may be sent; why no more were, in words. Throws where none was. Cancelled, it takes what is done by then.
  async clean(frames, logo, signal) {
    const sent = new Map(); // of a batch's id: its frames by index, as long as they wait
    this.total = frames.length;
    try {
      const why = await this.sendAll(frames, logo, sent, signal);
      while (sent.size) {
        for (const id of sent.keys()) await this.look(id, sent, logo, signal);
        if (sent.size) await pause(EVERY, signal);
      }
      return why;
    } catch (error) {
      if (!signal.aborted || !sent.size) throw error;
      await this.cancel(sent, frames, logo);
      return "";
    } finally {
      for (const frame of frames) this.settle(frame);
    }
  }

  async sendAll(frames, logo, sent, signal) {
    for (let parts = this.parts(frames); parts.length; ) {
      const [part] = parts;
      try {
        sent.set(await this.send(part, logo, signal), new Map(part.entries()));
        for (const { doc } of part) if (!doc.original.full) doc.stored = doc.state;
        parts = parts.slice(1);
      } catch (error) {
        const refused = part[error.index];
        if (!refused && (!sent.size || signal.aborted)) throw error;
        if (!refused) return error.message;
        this.strip.tell(refused, "failed", error.message); // it does not stop the others
        parts = [part.filter((frame) => frame !== refused), ...parts.slice(1)].filter((each) => each.length);
      }
    }
    return "";
  }

  // Each of at most so many pictures, and of half of the bytes, since masks come with them.
  parts(frames) {
    const parts = [];
    let bytes = 0;
    for (const frame of frames) {
      const { size } = frame.doc.image.file;
      if (!parts.length || parts.at(-1).length >= this.most || 2 * (bytes + size) > this.maxBytes) {
        parts.push([]);
        bytes = 0;
      }
      parts.at(-1).push(frame);
      bytes += size;
    }
    return parts;
  }

  async send(part, logo, signal) {
    const mode = document.getElementById("mode").value;
    const asked = [mode, logo?.id, ...part.map(({ doc }) => doc.state)];
    const doing = `Sending ${part.length} pictures…`;
    this.work.tell(doing);
    if (!same(asked, this.unanswered?.asked))
      this.unanswered = { asked, key: newKey(), archive: await this.packed(part, logo) };
    const { archive, key } = this.unanswered;
    const fields = { archive, mode, partial: "true", ...(logo && { mark: logo.id }) };
    const id = await patiently(this.work, doing, () => sendBatch(this.url, fields, key, signal), signal);
    this.unanswered = null;
    for (const frame of part) this.strip.tell(frame, "waiting");
    return id;
  }

  // A ZIP of pictures with their masks. No two have one stem, by which a mask is found, and none reads as a mask's.
  async packed(part, logo) {
    const files = [];
    const stems = distinct(part.map(({ doc }) => doc.name.replace(/[\\/]/g, "-").replace(/_mask$/, "-mask").slice(0, LONGEST)));
    for (const [number, frame] of part.entries()) {
      const { doc } = frame;
      files.push({ name: `${stems[number]}.${doc.image.file.type.split("/")[1] || "png"}`, blob: doc.image.file });
      if (logo || !doc.marks.length) continue;
      await doc.wake();
      const mask = await this.cleaning.mask(doc);
      if (mask) files.push({ name: `${stems[number]}_mask.png`, blob: mask });
      if (frame !== this.strip.shown) this.strip.rest(frame);
    }
    return zip(files);
  }

  // Takes what has ended since. A server that is away is asked again: the batch waits for it, too.
  async look(id, sent, logo, signal) {
    const waiting = sent.get(id);
    try {
      const items = await lookAtBatch(this.url, id, signal);
      for (const item of items) if (waiting.has(item.index)) await this.take(item, waiting, logo, signal);
    } catch (error) {
      if (signal.aborted || !(error instanceof Refusal) || error.code === "not_found") throw error;
      return this.work.tell(`${error.message} The batch goes on meanwhile.`);
    }
    if (!waiting.size) sent.delete(id);
    const open = [...sent.values()].reduce((sum, each) => sum + each.size, 0);
    this.work.reach(1 - open / this.total);
    this.work.tell(`Cleaning: ${open} to go. You may close the page; the results go to Batches.`);
  }

  async take(item, waiting, logo, signal) {
    const frame = waiting.get(item.index);
    if (OPEN[item.status]) {
      if (frame.state !== OPEN[item.status]) this.strip.tell(frame, OPEN[item.status]);
      return;
    }
    if (item.status === "succeeded") await this.put(frame, item.result, logo, signal);
    else if (item.status === "failed") this.strip.tell(frame, "failed", item.error.detail);
    waiting.delete(item.index);
  }

  async put(frame, result, logo, signal) {
    const { strip } = this;
    if (result?.coverage === 0) return strip.tell(frame, "nothing", NOTHING);
    const gone = (error) => (error.code === "not_found" ? null : Promise.reject(error));
    const file = result && (await storedResult(result.url, signal).catch(gone));
    if (!file) return strip.tell(frame, "failed", "Its result is gone: the batch was deleted.");
    strip.tell(frame, "working"); // it stays awake
    await frame.doc.wake();
    await this.cleaning.put(frame.doc, file, logo, signal);
    if (!frame.doc.original.full) frame.doc.stored = frame.doc.state;
    strip.tell(frame, "done");
    if (frame !== strip.shown) strip.rest(frame);
  }

  // What is not done is not charged. The batches go with what they stored, so the results are here only.
  async cancel(sent, frames, logo) {
    const signal = AbortSignal.timeout(60_000);
    for (const id of [...sent.keys()]) {
      await this.look(id, sent, logo, signal);
      if (sent.has(id)) await cancelBatch(this.url, id, signal).catch((error) => this.goesOn(error));
    }
    for (const { doc } of frames) doc.stored = null;
  }

  goesOn(error) {
    throw new Error(`${error.message} The batch was not cancelled: it goes on, see Batches.`);
  }

  // One that is not clean after all is as it was before.
  settle(frame) {
    if (frame.state !== "done") frame.doc.stored = null;
    if (["waiting", "working"].includes(frame.state)) this.strip.untell(frame);
    if (frame !== this.strip.shown) this.strip.rest(frame);
  }
}

const same = (one, other) => one.length === other?.length && one.every((each, number) => each === other[number]);
