// What was found, watermarks and lettering: an outline each, and a button on it that takes it into the marks or leaves it
// out.

import { canvasOf, levelled } from "./marks.js";

const SURE = 200; // levels of the answer's mask: above it is sure, above LIKELY proposed
const LIKELY = 60;
const WIDER = 6; // pixels: a mark is restored inside the mask only, and its edge is soft
const MOST = 12; // outlines with a button; a tiled mark's copies are one
const MOST_LINES = 100; // the same, of lettering: more could not be told apart on a screen
const REACH = 22; // pixels of the screen from a button's middle to its edge
const VISIBLE = 28; // of them as wide is what shows of a button

// [{kind, outline, score, sure, mark}]; sure ones first. `outline`: its corners. `mark` is the mask's part inside of it.
export async function read({ boxes, proposals, mask }, doc) {
  const bytes = Uint8Array.from(atob(mask), (letter) => letter.charCodeAt(0));
  const bitmap = await createImageBitmap(new Blob([bytes]));
  const of = (box, sure) => ({ kind: box.kind, outline: corners(box), score: box.score, sure, mark: part(bitmap, box, sure, doc) });
  const likely = proposals.map((box) => of(box, false)).slice(0, MOST);
  if (boxes.length <= MOST) return [...boxes.map((box) => of(box, true)), ...likely];
  const whole = { kind: "watermark", x: 0, y: 0, width: doc.width, height: doc.height, score: boxes[0].score };
  return [of(whole, true), ...likely];
}

// The same of lettering, of which nothing is sure: whether it is to go, the person knows.
export function readText(boxes) {
  return boxes.slice(0, MOST_LINES).map(({ kind, polygon, score }) => {
    const outline = polygon.map(([x, y]) => [x + 0.5, y + 0.5]); // the middle of a pixel
    return { kind, outline, score, sure: false, mark: { tool: "lasso", points: outline } };
  });
}

function corners({ x, y, width, height }) {
  return [[x, y], [x + width, y], [x + width, y + height], [x, y + height]];
}

function part(bitmap, box, sure, { width, height }) {
  const canvas = canvasOf(width, height);
  const { x, y } = box;
  canvas.getContext("2d").drawImage(bitmap, x, y, box.width, box.height, x, y, box.width, box.height);
  levelled(canvas, (level) => (level >= (sure ? SURE : LIKELY) ? 255 : 0));
  const wider = canvasOf(width, height);
  const widened = wider.getContext("2d");
  widened.drawImage(canvas, 0, 0);
  for (const reach of [WIDER / 2, WIDER])
    for (let turn = 0; turn < 2 * Math.PI; turn += Math.PI / 8)
      widened.drawImage(canvas, Math.round(reach * Math.cos(turn)), Math.round(reach * Math.sin(turn)));
  return { tool: "mask", canvas: wider };
}

export class Findings {
  constructor(stage, changed) {
    this.stage = stage;
    this.changed = changed; // called with the document's new marks
    this.element = document.getElementById("findings");
    stage.moved.push(() => this.place());
  }

  show(doc) {
    this.doc = doc;
    const found = doc?.state.found ?? [];
    if (found !== this.found) {
      this.found = found;
      this.element.replaceChildren(...found.map((one, number) => this.button(one, number)));
    }
    for (const [number, one] of found.entries())
      this.element.children[number].setAttribute("aria-pressed", doc.marks.includes(one.mark));
    this.place();
  }

  button(one, number) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = `finding ${one.kind}`;
    const what = one.kind === "text" ? "lettering" : "finding";
    button.setAttribute("aria-label", `Remove ${what} ${number + 1}, ${Math.round(100 * one.score)}% sure`);
    button.addEventListener("click", () => this.toggle(one));
    return button;
  }

  toggle(one) {
    const { marks } = this.doc;
    this.changed(marks.includes(one.mark) ? marks.filter((mark) => mark !== one.mark) : [...marks, one.mark]);
  }

  // What was found in a document and is not marked.
  open(doc) {
    return (doc.state.found ?? []).filter((one) => !doc.marks.includes(one.mark));
  }

  acceptAll() {
    const more = this.open(this.doc).map((one) => one.mark);
    if (more.length) this.changed([...this.doc.marks, ...more]);
  }

  place() {
    if (!this.found?.length) {
      this.stage.outlines = [];
      return;
    }
    const { x, y, scale } = this.stage;
    const placed = [];
    this.stage.outlines = this.open(this.doc).map((one) => one.outline);
    const [width, height] = this.stage.size;
    for (const [number, { outline }] of this.found.entries()) {
      const across = outline.map(([at]) => x + at * scale);
      const down = outline.map(([, at]) => y + at * scale);
      const box = [Math.min(...across), Math.min(...down), Math.max(...across), Math.max(...down)];
      const button = this.element.children[number];
      button.hidden = box[2] < 0 || box[0] > width || box[3] < 0 || box[1] > height; // out of view
      if (button.hidden) continue;
      const [left, top] = beside(box, [width, height], placed);
      placed.push([left, top]);
      Object.assign(button.style, { left: `${left}px`, top: `${top}px` });
    }
    this.stage.paint();
  }

  // Whether exactly what is sure is marked, all of it and nothing else.
  isAsFound(doc) {
    const sure = (doc.state.found ?? []).filter((one) => one.sure).map((one) => one.mark);
    return sure.length > 0 && sure.length === doc.marks.length && sure.every((mark) => doc.marks.includes(mark));
  }

  // Whether all that is marked is lettering that was found: what was below it cannot be restored.
  isLettering(doc) {
    const lettering = (doc.state.found ?? []).filter((one) => one.kind === "text").map((one) => one.mark);
    return doc.marks.length > 0 && doc.marks.every((mark) => lettering.includes(mark));
  }
}

// Where the middle of a box's button is: beside the box, which it must not cover, and on no other button.
function beside([left, top, right, bottom], [width, height], others) {
  const across = (Math.max(left, 0) + Math.min(right, width)) / 2;
  const down = Math.min((top + bottom) / 2, Math.max(top, 0) + REACH); // of a high one at its top
  const places = [[right + REACH, down], [left - REACH, down], [across, top - REACH], [across, bottom + REACH]];
  const within = (at, side) => Math.min(Math.max(at, REACH), side - REACH);
  const fits = ([x, y]) => x === within(x, width) && y === within(y, height);
  const isFree = ([x, y]) => others.every((other) => Math.hypot(x - other[0], y - other[1]) >= VISIBLE);
  const [x, y] = places.find((each) => fits(each) && isFree(each)) ?? places.find(fits) ?? [right, top];
  return [within(x, width), within(y, height)];
}
