// The original beside the result: by a handle on the picture, or all of it while a key is held.

const at = (id) => document.getElementById(id);

export class Compare {
  constructor(stage) {
    this.stage = stage;
    this.share = 0.5; // of the picture's width that shows the original
    this.isOn = false;
    this.isHeld = false;
    this.handle = at("handle");
    this.handle.addEventListener("pointerdown", (event) => this.handle.setPointerCapture(event.pointerId));
    this.handle.addEventListener("pointermove", (event) => this.drag(event));
    this.handle.addEventListener("keydown", (event) => this.key(event));
    stage.moved.push(() => this.update());
  }

  drag(event) {
    if (event.buttons & 1) this.set(this.stage.pixel(this.stage.where(event))[0] / this.stage.doc.width);
  }

  key(event) {
    const to = { ArrowLeft: this.share - 0.02, ArrowRight: this.share + 0.02, Home: 0, End: 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    this.set(to);
  }

  set(share) {
    this.share = Math.min(1, Math.max(0, share));
    this.update();
  }

  toggle(on = !this.isOn) {
    this.isOn = on;
    this.update();
  }

  hold(held) {
    this.isHeld = held;
    this.update();
  }

  update() {
    const { stage } = this;
    if (!stage.doc) return;
    if (!stage.doc.isCleaned) this.isOn = false;
    const share = this.isHeld ? 1 : this.isOn ? this.share : 0;
    stage.layers.original.hidden = share === 0;
    stage.layers.original.style.clipPath = `inset(0 ${100 - 100 * share}% 0 0)`;
    stage.overlay.hidden = this.isHeld;
    this.handle.hidden = !this.isOn || this.isHeld;
    this.handle.style.left = `${stage.x + share * stage.doc.width * stage.scale}px`;
    this.handle.setAttribute("aria-valuenow", Math.round(100 * share));
    at("compare").setAttribute("aria-pressed", this.isOn);
  }
}
