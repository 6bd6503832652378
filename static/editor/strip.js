// The pictures that are open, as a strip below the stage where they are several. One is shown, the others rest.
// A frame is one of them: {doc, state, why, element}.

import { canvasOf } from "./marks.js";

const at = (id) => document.getElementById(id);
const [WIDTH, HEIGHT] = [160, 90]; // pixels: a thumbnail's
export const MOST = 50;
const WORDS = {
  ...{ open: "", marked: "marked", waiting: "waiting", working: "cleaning" },
  ...{ done: "cleaned", nothing: "nothing found", failed: "failed" },
};
export const NOTHING = "Nothing was found. Mark what is to go.";

export class Strip {
  // `show(doc)`: one is to be shown. `mayTurn()`: whether another may be, now. `remove(frame)`: one is to be taken out.
  constructor({ show, mayTurn, remove }) {
    Object.assign(this, { show, mayTurn, remove, frames: [], shown: null });
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
    frame.element.innerHTML = `<button type="button" class="frame"><canvas width="${WIDTH}" height="${HEIGHT}"></canvas><span></span></button><button type="button" class="take-out">×</button>`;
    frame.element.firstChild.addEventListener("click", () => this.turn(frame));
    frame.element.lastChild.addEventListener("click", () => this.remove(frame));
    this.frames.push(frame);
    at("frames").append(frame.element);
    at("strip").hidden = !this.isMany;
    this.picture(frame);
    this.tell(frame, usual(doc));
    this.number();
    if (this.shown) doc.rest();
    else await this.turn(frame);
  }

  clear() {
    this.frames = [];
    this.shown = null;
    at("frames").replaceChildren();
    at("strip").hidden = true;
  }

  // The next one is shown where it was.
  async takeOut(frame) {
    const number = this.frames.indexOf(frame);
    this.frames.splice(number, 1);
    frame.element.remove();
    at("strip").hidden = !this.isMany;
    this.number();
    if (frame === this.shown) await this.turn(this.frames[number] ?? this.frames[number - 1]);
    this.shown.element.firstChild.focus({ preventScroll: true });
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
    this.name(frame, this.frames.indexOf(frame) + 1);
  }

  // A mark was looked for in the shown one.
  nothing() {
    this.tell(this.shown, "nothing", NOTHING);
  }

  // As undone: it was not cleaned after all.
  untell(frame) {
    this.tell(frame, usual(frame.doc));
  }

  // All of them anew, since they are more or fewer.
  number() {
    for (const [number, frame] of this.frames.entries()) this.name(frame, number + 1);
  }

  name({ doc, state, why, element }, number) {
    const [button, takeOut] = element.children;
    button.title = [`${doc.name}, ${number} of ${this.frames.length}`, WORDS[state], why].filter(Boolean).join(": ");
    button.setAttribute("aria-label", button.title);
    takeOut.title = "Take it out of the strip (Del)";
    takeOut.setAttribute("aria-label", `Take ${doc.name} out of the strip`);
  }

  // After a change of the shown one.
  update() {
    const frame = this.shown;
    if (!frame || ["waiting", "working"].includes(frame.state)) return;
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
