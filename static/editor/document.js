// One picture that is worked on: its file, its marks and its results, as a list of states that undo and redo walk.

import { newKey } from "./calls.js";
import { canvasOf, isEmpty, isSomething, render } from "./marks.js";

export class Document {
  // `image`: {file, bitmap, full}, see reading.js. A state is {image, marks, found}; but for what is found, none is changed
  // once it is in the list.
  constructor(name, image) {
    this.name = name;
    this.states = [{ image, marks: [], found: null }];
    this.at = 0;
    this.width = image.bitmap.width;
    this.height = image.bitmap.height;
    this.mask = canvasOf(this.width, this.height); // null while it rests
    this.saved = image; // the newest image that is on the person's disk
    this.stored = null; // the state that a batch has, which goes on and is kept without this page
    this.repeat = null;
    this.isMarked = false;
  }

  get state() {
    return this.states[this.at];
  }

  get image() {
    return this.state.image;
  }

  // As large as the picture came.
  get file() {
    return (this.image.full ?? this.image).file;
  }

  get marks() {
    return this.state.marks;
  }

  get original() {
    return this.states[0].image;
  }

  get isCleaned() {
    return this.image !== this.original;
  }

  get isUnsaved() {
    return this.state !== this.stored && (this.image !== this.saved || this.isMarked);
  }

  // A new state after this one; what was undone is forgotten.
  push(change) {
    this.states = [...this.states.slice(0, this.at + 1), { ...this.state, ...change }];
    this.go(1);
  }

  add(stroke) {
    if (isSomething(stroke)) this.push({ marks: [...this.marks, stroke] });
    else this.redraw();
  }

  // What was found here, and what of it is marked. Where nothing is, there is nothing to undo.
  // What was found of the same kind before is forgotten; another kind's stays.
  find(kind, newly, sure) {
    const found = [...(this.state.found ?? []).filter((one) => one.kind !== kind), ...newly];
    if (sure.length) this.push({ found, marks: [...this.marks, ...sure] });
    else this.states[this.at] = { ...this.state, found };
  }

  // `marks`: what is still to go.
  clean(image, marks = []) {
    this.push({ image, marks, found: null });
  }

  get canUndo() {
    return this.at > 0;
  }

  get canRedo() {
    return this.at < this.states.length - 1;
  }

  go(step) {
    this.at += step;
    this.repeat = null; // what would be sent is another request now
    this.redraw();
  }

  redraw() {
    if (!this.mask) return void (this.isMarked = this.marks.length > 0); // so far: nothing can be looked at
    render(this.marks, this.mask);
    this.isMarked = this.marks.length > 0 && !isEmpty(this.mask); // asked often, and every pixel is looked at
  }

  // Gives back the memory of its pixels while another is shown.
  rest() {
    this.mask = null;
    for (const { image } of this.states) {
      image.bitmap?.close();
      image.bitmap = null;
    }
  }

  async wake() {
    for (const { image } of this.states) image.bitmap ??= await createImageBitmap(image.file);
    if (this.mask) return;
    this.mask = canvasOf(this.width, this.height);
    this.redraw();
  }

  // The marks that led to the newest result, or null.
  get earlierMarks() {
    for (let i = this.at; i > 0; i--)
      if (this.states[i].image !== this.states[i - 1].image) return this.states[i - 1].marks;
    return null;
  }

  // Idempotency-Key of what is `asked` of this state: the same again after a lost answer costs nothing.
  keyOf(asked) {
    if (this.repeat?.asked !== asked) this.repeat = { asked, key: newKey() };
    return this.repeat.key;
  }
}
