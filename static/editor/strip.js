// Many pictures: a strip of thumbnails with what is to be said of each. One of them is on the stage, the others rest.

import { laid, snapshot } from "./marks.js";
import { save, say } from "./page.js";
import { zip } from "./zip.js";

const at = (id) => document.getElementById(id);
export const MOST = 50;
const STATES = { waiting: "Waiting", working: "Working", done: "Done", failed: "Failed", unmarked: "Needs a mark" };
const STOPS = ["quota_exceeded", "rate_limited", "unreachable", "missing_api_key"]; // the next would fare no better

export class Strip {
  // `read(file)`: its document. `show(doc)`: it is on the stage. `clean(doc, signal)`: whether it came off.
  constructor(work, { read, show, changed, clean, refused }) {
    Object.assign(this, { work, read, show, changed, clean, refused, pictures: [], current: null });
    addEventListener("beforeunload", (event) => this.isUnsaved && event.preventDefault());
  }

  get isUnsaved() {
    return this.pictures.some(({ doc }) => doc?.isUnsaved);
  }

  async fill(files) {
    this.pictures = files.map((file, index) => ({ file, index, state: "waiting", doc: null, shared: null, error: "" }));
    this.current = null;
    at("strip").hidden = !files.length;
    at("pictures").replaceChildren(...this.pictures.map((picture) => this.entry(picture)));
    for (const picture of this.pictures) if (await this.select(picture)) break;
    for (const picture of this.pictures) await thumbnail(picture);
  }

  entry(picture) {
    const item = at("strip-picture").content.cloneNode(true);
    picture.button = item.querySelector("button");
    picture.button.addEventListener("click", () => this.work.isBusy || this.select(picture));
    return item;
  }

  // Whether it is on the stage afterwards.
  async select(picture) {
    if (picture === this.current) return true;
    if (this.isTurning) return false;
    this.isTurning = true;
    try {
      if (picture.doc) await picture.doc.wake();
      else picture.doc = await this.read(picture.file);
      if (picture.shared) picture.doc.push({ marks: [laid(picture.shared, picture.doc)] });
      picture.shared = null;
      const before = this.current;
      this.current = picture;
      this.show(picture.doc);
      before?.doc?.rest();
      picture.button.scrollIntoView({ block: "nearest", inline: "nearest" });
      if (picture.error) say(picture.error, true);
      return true;
    } catch (error) {
      Object.assign(picture, { state: "failed", error: error.message });
      say(`${picture.file.name}: ${error.message}`, true);
      this.update();
      return false;
    } finally {
      this.isTurning = false;
    }
  }

  step(by) {
    const next = this.pictures[this.current?.index + by];
    if (next && !this.work.isBusy) this.select(next);
  }

  // The marks of this picture on all that are not done: in place of theirs, undone there one by one.
  share() {
    const { current } = this;
    if (!current?.doc.isMarked || this.work.isBusy) return;
    const shared = { canvas: snapshot(current.doc.mask), isScaled: at("share-fit").value === "scaled" };
    const others = this.pictures.filter((picture) => picture !== current && picture.state !== "done");
    for (const picture of others) Object.assign(picture, { shared, state: "waiting", error: "" });
    this.changed();
    say(`These marks are on ${others.length} more. Press Clean all.`);
  }

  async cleanAll() {
    const left = this.pictures.filter(({ state }) => state !== "done");
    if (this.work.isBusy || !left.length) return;
    await this.work.run("Cleaning…", async (signal) => {
      for (const [number, picture] of left.entries()) {
        at("doing").textContent = `Cleaning ${number + 1} of ${left.length}…`;
        await this.cleanOne(picture, signal);
      }
      return this.told;
    }, this.refused);
  }

  // What goes wrong with one is kept with it, and the next is taken; but for what would stop each.
  async cleanOne(picture, signal) {
    if (!(await this.select(picture))) return;
    Object.assign(picture, { state: "working", error: "" });
    this.update();
    try {
      picture.state = (await this.clean(picture.doc, signal)) ? "done" : "unmarked";
    } catch (error) {
      const stops = error.name === "AbortError" || STOPS.includes(error.code);
      Object.assign(picture, stops ? { state: "waiting" } : { state: "failed", error: error.message });
      if (stops) throw error;
    } finally {
      this.update();
    }
  }

  get told() {
    const count = (state) => this.pictures.filter((picture) => picture.state === state).length;
    const [done, failed, unmarked] = ["done", "failed", "unmarked"].map(count);
    const parts = [`${done} of ${this.pictures.length} are clean`, failed && `${failed} failed`, unmarked && `${unmarked} need a mark`];
    return `${parts.filter(Boolean).join(", ")}. ${failed || unmarked ? "Clean all takes those that are left." : "Download all."}`;
  }

  get results() {
    return this.pictures.filter(({ doc }) => doc?.isCleaned);
  }

  async download() {
    if (this.work.isBusy || !this.results.length) return;
    const taken = new Set();
    const files = this.results.map(({ doc }) => ({ name: unused(doc.name, taken), blob: (doc.image.full ?? doc.image).file }));
    try {
      save(await zip(files), "clean.zip");
      for (const { doc } of this.results) doc.saved = doc.image;
    } catch (error) {
      say(error.message, true);
    }
  }

  update() {
    for (const picture of this.pictures) {
      settle(picture);
      const { button, state, file, error, index } = picture;
      button.querySelector("small").textContent = STATES[state];
      button.className = state;
      button.disabled = this.work.isBusy;
      button.title = file.name;
      button.setAttribute("aria-label", `${index + 1}, ${file.name}: ${STATES[state]}${error && `. ${error}`}`);
      button.setAttribute("aria-current", picture === this.current);
    }
    const busy = this.work.isBusy;
    at("share").disabled = busy || !this.current?.doc.isMarked;
    at("clean-all").disabled = busy || this.pictures.every(({ state }) => state === "done");
    at("download-all").disabled = busy || !this.results.length;
  }
}

// What was done by hand meanwhile counts, too.
function settle(picture) {
  const { doc, state } = picture;
  if (!doc || state === "working") return;
  if (doc.isCleaned && !doc.isMarked) Object.assign(picture, { state: "done", error: "" });
  else if (state === "done" || (state === "unmarked" && doc.isMarked)) picture.state = "waiting";
}

async function thumbnail({ file, button }) {
  const small = await createImageBitmap(file, { resizeHeight: 96, resizeQuality: "medium" }).catch(() => null);
  if (!small) return; // its state says why, once it is opened
  const canvas = button.querySelector("canvas");
  [canvas.width, canvas.height] = [small.width, small.height];
  canvas.getContext("2d").drawImage(small, 0, 0);
  small.close();
}

function unused(name, taken) {
  let free = `${name}-clean.png`;
  for (let number = 2; taken.has(free); number++) free = `${name}-clean-${number}.png`;
  taken.add(free);
  return free;
}
