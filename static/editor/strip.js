// The pictures that are open, as a strip below the stage where they are several. One is shown, the others rest.

import { canvasOf } from "./marks.js";

const at = (id) => document.getElementById(id);
const [WIDTH, HEIGHT] = [176, 124]; // pixels: a thumbnail's
export const MOST = 50;
const WORDS = { open: "", marked: "marked", working: "cleaning", done: "clean", nothing: "mark it", failed: "failed" };

export class Strip {
  // `show(doc)`: one is to be shown. `mayTurn()`: whether another may be, now.
  constructor({ show, mayTurn }) {
    Object.assign(this, { show, mayTurn, frames: [], shown: null });
  }

  get isMany() {
    return this.frames.length > 1;
  }

  get docs() {
    return this.frames.map((frame) => frame.doc);
  }

  // Of a document that is awake. The first is shown.
  async add(doc) {
    const frame = { doc, state: "open", why: "", of: null, drawn: null, element: document.createElement("li") };
    frame.element.innerHTML = `<button type="button" class="frame"><canvas width="${WIDTH}" height="${HEIGHT}"></canvas><span></span></button>`;
    frame.element.firstChild.addEventListener("click", () => this.turn(frame));
    this.frames.push(frame);
    at("frames").append(frame.element);
    at("strip").hidden = !this.isMany;
    this.picture(frame);
    this.tell(frame, usual(doc));
    if (this.shown) doc.rest();
    else await this.turn(frame);
  }

  clear() {
    this.frames = [];
    this.shown = null;
    at("frames").replaceChildren();
    at("strip").hidden = true;
  }

  async turn(frame) {
    if (!frame || frame === this.shown || !this.mayTurn()) return;
    const before = this.shown;
    this.shown = frame;
    await frame.doc.wake();
    if (this.shown !== frame) return; // another was asked for meanwhile
    this.show(frame.doc);
    if (before && before.state !== "working") this.rest(before);
    for (const each of this.frames) each.element.firstChild.setAttribute("aria-current", each === frame);
    frame.element.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  next(step) {
    return this.turn(this.frames[this.frames.indexOf(this.shown) + step]);
  }

  rest(frame) {
    this.picture(frame);
    frame.doc.rest();
  }

  // What became of it: a key of WORDS; `why`: a sentence.
  tell(frame, state, why = "") {
    Object.assign(frame, { state, why, of: frame.doc.state });
    const button = frame.element.firstChild;
    button.dataset.state = state;
    button.lastChild.textContent = WORDS[state];
    const number = `${this.frames.indexOf(frame) + 1} of ${this.frames.length}`;
    button.title = [`${frame.doc.name}, ${number}`, WORDS[state], why].filter(Boolean).join(": ");
    button.setAttribute("aria-label", button.title);
  }

  // After a change of the shown one.
  update() {
    const frame = this.shown;
    if (!frame || frame.state === "working") return;
    const isRefused = ["nothing", "failed"].includes(frame.state) && frame.of === frame.doc.state;
    if (!isRefused) this.tell(frame, usual(frame.doc));
    this.picture(frame);
  }

  // Its thumbnail, where that is of an earlier image.
  picture(frame) {
    const { doc, element } = frame;
    const { bitmap } = doc.image;
    if (!bitmap || frame.drawn === doc.image) return;
    frame.drawn = doc.image;
    const scale = Math.min(WIDTH / doc.width, HEIGHT / doc.height);
    const [width, height] = [doc.width * scale, doc.height * scale];
    const context = element.querySelector("canvas").getContext("2d");
    context.clearRect(0, 0, WIDTH, HEIGHT);
    context.imageSmoothingQuality = "high";
    context.drawImage(small(bitmap, width, height), (WIDTH - width) / 2, (HEIGHT - height) / 2, width, height);
  }
}

const usual = ({ isMarked, isCleaned }) => (isMarked ? "marked" : isCleaned ? "done" : "open");

// Halved again and again: one step from a large picture leaves out most of its pixels.
function small(bitmap, width, height) {
  let from = bitmap;
  while (from.width > 2 * width && from.height > 2 * height && Math.min(from.width, from.height) > 1) {
    const to = canvasOf(Math.ceil(from.width / 2), Math.ceil(from.height / 2));
    to.getContext("2d").drawImage(from, 0, 0, to.width, to.height);
    from = to;
  }
  return from;
}
