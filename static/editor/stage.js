// The view of a document: where the picture lies on the stage and how large, and what is drawn over it.

import { draw } from "./marks.js";

const at = (id) => document.getElementById(id);
const FARTHEST = 32; // times the picture's own size
const TINT = "#ff2fd0"; // with a dark and a white rim it shows on everything
const RIMS = [
  ["#000", 2.5],
  ["#fff", 1.25],
];

export class Stage {
  constructor() {
    this.element = at("stage");
    this.sheet = at("sheet");
    this.layers = { picture: at("picture"), original: at("original") };
    this.overlay = at("overlay");
    this.shape = new OffscreenCanvas(1, 1);
    this.moved = []; // who is told when the view has changed
    this.outlines = []; // lists of corners, each joined by a dashed line
    this.stroke = null; // that is being drawn
    this.preview = null; // a mask shown in place of the document's
    this.doc = null;
    new ResizeObserver(() => this.doc && this.resized()).observe(this.element);
  }

  show(doc) {
    const fresh = doc !== this.doc;
    this.doc = doc;
    for (const [name, image] of Object.entries({ picture: doc.image, original: doc.original })) {
      const layer = this.layers[name];
      if (layer.image === image) continue;
      layer.image = image;
      fill(layer, image.bitmap);
      if (image.full) fillLater(layer, image);
    }
    if (fresh) this.fit();
    else this.paint();
  }

  get size() {
    return [this.element.clientWidth, this.element.clientHeight];
  }

  get fitting() {
    const [width, height] = this.size;
    const edge = width > 700 ? 24 : 8;
    return Math.max(0.01, Math.min((width - 2 * edge) / this.doc.width, (height - 2 * edge) / this.doc.height, 4));
  }

  fit() {
    const [width, height] = this.size;
    const scale = this.fitting;
    this.isFit = true;
    this.place(scale, (width - scale * this.doc.width) / 2, (height - scale * this.doc.height) / 2);
  }

  resized() {
    if (this.isFit) this.fit();
    else this.place(this.scale, this.x, this.y);
  }

  // (x, y): of the picture's corner on the stage. Some of the picture always stays in view.
  place(scale, x, y) {
    const [width, height] = this.size;
    const within = (value, side, room) => Math.min(Math.max(value, 60 - side), room - 60);
    this.scale = scale;
    this.x = within(x, scale * this.doc.width, width);
    this.y = within(y, scale * this.doc.height, height);
    this.sheet.style.width = `${this.doc.width}px`;
    this.sheet.style.height = `${this.doc.height}px`;
    this.sheet.style.transform = `translate(${this.x}px, ${this.y}px) scale(${scale})`;
    this.sheet.classList.toggle("near", scale >= 3);
    this.paint();
    for (const tell of this.moved) tell();
  }

  pan(byX, byY) {
    this.isFit = false;
    this.place(this.scale, this.x + byX, this.y + byY);
  }

  // The point (x, y) of the stage, its middle unless another is given, stays where it is.
  zoom(factor, x = this.size[0] / 2, y = this.size[1] / 2) {
    const scale = Math.min(FARTHEST, Math.max(this.fitting / 2, this.scale * factor));
    const ratio = scale / this.scale;
    this.isFit = false;
    this.place(scale, x - (x - this.x) * ratio, y - (y - this.y) * ratio);
  }

  // Of an event, on the stage.
  where(event) {
    const box = this.element.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  // Of a place on the stage, in the picture's pixels.
  pixel([x, y]) {
    return [(x - this.x) / this.scale, (y - this.y) / this.scale];
  }

  paint() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      if (this.doc) this.paintNow();
    });
  }

  paintNow() {
    const ratio = devicePixelRatio;
    const [width, height] = this.size.map((side) => Math.round(side * ratio));
    const { overlay, shape } = this;
    if (overlay.width !== width || overlay.height !== height)
      for (const canvas of [overlay, shape]) [canvas.width, canvas.height] = [width, height];
    const context = overlay.getContext("2d");
    context.clearRect(0, 0, width, height);
    this.paintMarks(context, ratio);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    for (const outline of this.outlines) this.paintOutline(context, outline);
    context.setTransform(1, 0, 0, 1, 0, 0);
  }

  paintMarks(context, ratio) {
    const { shape, overlay } = this;
    const mask = shape.getContext("2d");
    mask.setTransform(1, 0, 0, 1, 0, 0);
    mask.globalCompositeOperation = "source-over";
    mask.clearRect(0, 0, shape.width, shape.height);
    mask.setTransform(this.scale * ratio, 0, 0, this.scale * ratio, this.x * ratio, this.y * ratio);
    mask.drawImage(this.preview ?? this.doc.mask, 0, 0);
    if (this.stroke) draw(this.stroke, mask);
    mask.setTransform(1, 0, 0, 1, 0, 0);
    mask.globalCompositeOperation = "source-in";
    const tint = (colour) => {
      mask.fillStyle = colour;
      mask.fillRect(0, 0, shape.width, shape.height);
    };
    for (const [colour, reach] of RIMS) {
      tint(colour);
      for (let turn = 0; turn < 8; turn++) {
        const angle = (turn * Math.PI) / 4;
        context.drawImage(shape, reach * ratio * Math.cos(angle), reach * ratio * Math.sin(angle));
      }
    }
    context.globalCompositeOperation = "destination-out";
    context.drawImage(shape, 0, 0);
    context.globalCompositeOperation = "source-over";
    tint(TINT);
    context.globalAlpha = 0.45;
    context.drawImage(shape, 0, 0);
    context.globalAlpha = 1;
  }

  paintOutline(context, corners) {
    context.beginPath();
    for (const [x, y] of corners) context.lineTo(this.x + x * this.scale, this.y + y * this.scale);
    context.closePath();
    for (const [colour, dash, thick] of [["#000", [], 4], ["#fff", [7, 5], 2]]) {
      Object.assign(context, { strokeStyle: colour, lineWidth: thick });
      context.setLineDash(dash);
      context.stroke();
    }
    context.setLineDash([]);
  }
}

function fill(layer, bitmap) {
  [layer.width, layer.height] = [bitmap.width, bitmap.height]; // clears it
  layer.getContext("2d").drawImage(bitmap, 0, 0);
}

// With every pixel of a large picture, once they are read. They are held by the layer only.
async function fillLater(layer, image) {
  const bitmap = await createImageBitmap(image.full.file);
  if (layer.image === image) fill(layer, bitmap);
  bitmap.close();
}
