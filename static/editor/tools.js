// The hand: pointers and arrow keys become strokes of the chosen tool, or move the view.

const at = (id) => document.getElementById(id);
const STEP = 12; // of the arrow keys, in pixels of the screen; with Shift 1

export class Tools {
  // `done(stroke)` gets what was drawn; `mayDraw()` says whether anything may be.
  constructor(stage, { done, mayDraw }) {
    Object.assign(this, { stage, done, mayDraw });
    this.pointers = new Map(); // of those that are down: id to place on the stage
    this.panning = false; // with Space held
    this.cross = null; // where the arrow keys are, on the stage
    const { element } = stage;
    element.addEventListener("pointerdown", (event) => this.down(event));
    element.addEventListener("pointermove", (event) => this.move(event));
    element.addEventListener("pointerup", (event) => this.up(event));
    element.addEventListener("pointercancel", (event) => this.up(event, true));
    element.addEventListener("pointerleave", () => (at("ring").hidden = true));
    element.addEventListener("contextmenu", (event) => event.preventDefault());
    element.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    element.addEventListener("blur", () => this.hideCross());
    stage.moved.push(() => this.showCross());
  }

  get tool() {
    return document.querySelector("#editor input[name=tool]:checked").value;
  }

  get size() {
    return Number(at("size").value);
  }

  set size(value) {
    at("size").value = value;
  }

  get isDrawing() {
    return this.stage.stroke !== null;
  }

  down(event) {
    if (event.target.closest("button, [role=slider]")) return;
    this.stage.element.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, this.stage.where(event));
    this.hideCross();
    if (this.pointers.size > 1) return this.cancel(); // two fingers move the view
    if (event.button === 0 && !this.panning && this.mayDraw()) this.begin(this.stage.where(event));
  }

  move(event) {
    this.ring(event);
    const before = this.pointers.get(event.pointerId);
    if (!before) return;
    const now = this.stage.where(event);
    if (this.pointers.size === 2) this.pinch(event.pointerId, before, now);
    else if (this.isDrawing) {
      const parts = event.getCoalescedEvents?.() ?? []; // none in some browsers
      for (const part of parts.length ? parts : [event]) this.extend(this.stage.where(part));
    } else if (this.panning || event.buttons & 4) this.stage.pan(now[0] - before[0], now[1] - before[1]);
    this.pointers.set(event.pointerId, now);
  }

  up(event, cancelled = false) {
    if (!this.pointers.delete(event.pointerId)) return;
    if (cancelled) this.cancel();
    else this.end();
  }

  pinch(id, before, now) {
    const [other] = [...this.pointers].filter(([key]) => key !== id).map(([, place]) => place);
    const apart = (place) => Math.hypot(place[0] - other[0], place[1] - other[1]) || 1;
    const middle = [(now[0] + other[0]) / 2, (now[1] + other[1]) / 2];
    this.stage.pan((now[0] - before[0]) / 2, (now[1] - before[1]) / 2);
    this.stage.zoom(apart(now) / apart(before), ...middle);
  }

  wheel(event) {
    if (!this.stage.doc) return;
    event.preventDefault();
    const lines = event.deltaMode === 1 ? 30 : 1;
    const slow = event.ctrlKey ? 100 : 400; // a pinch on a touchpad comes in smaller steps
    this.stage.zoom(Math.exp((-event.deltaY * lines) / slow), ...this.stage.where(event));
    this.ring(event);
  }

  begin(place) {
    this.stage.stroke = { tool: this.tool, size: this.size, points: [this.stage.pixel(place)] };
    this.stage.paint();
  }

  extend(place) {
    this.stage.stroke.points.push(this.stage.pixel(place));
    this.stage.paint();
  }

  end() {
    const { stroke } = this.stage;
    if (!stroke) return;
    this.stage.stroke = null;
    this.done(stroke);
  }

  cancel() {
    if (!this.isDrawing) return false;
    this.stage.stroke = null;
    this.stage.paint();
    return true;
  }

  ring(event) {
    const drags = this.tool === "box" || this.tool === "lasso";
    at("ring").hidden = drags || this.panning || event.pointerType === "touch" || !this.stage.doc;
    const side = this.size * this.stage.scale;
    const [x, y] = this.stage.where(event);
    Object.assign(at("ring").style, { width: `${side}px`, height: `${side}px`, left: `${x}px`, top: `${y}px` });
  }

  // --- arrow keys: they move a cross; Enter puts the tool down and lifts it again ---

  key(event) {
    const [right, down] = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key] ?? [];
    if (right === undefined && event.key !== "Enter") return false;
    const [width, height] = this.stage.size;
    this.cross ??= [width / 2, height / 2];
    if (event.key === "Enter") this.press();
    else {
      const step = event.shiftKey ? 1 : STEP;
      const within = (value, most) => Math.min(Math.max(value, 0), most);
      this.cross = [within(this.cross[0] + right * step, width), within(this.cross[1] + down * step, height)];
      if (this.isDrawing) this.extend(this.cross);
    }
    this.showCross();
    return true;
  }

  press() {
    if (this.isDrawing) this.end();
    else if (this.mayDraw()) this.begin(this.cross);
  }

  showCross() {
    at("cross").hidden = !this.cross;
    if (this.cross) Object.assign(at("cross").style, { left: `${this.cross[0]}px`, top: `${this.cross[1]}px` });
  }

  hideCross() {
    this.cross = null;
    at("cross").hidden = true;
  }
}
