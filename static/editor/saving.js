// What is kept of the open document: on the disk, and over a sign-up or sign-in; and what asks before it is lost.

import { keep } from "./keep.js";
import { jpeg } from "./masks.js";
import { save } from "./page.js";

export class Saving {
  // `document()`: the open one.
  constructor({ document: open }) {
    this.open = open;
    this.isLeaving = false; // on purpose, with everything kept
    addEventListener("beforeunload", (event) => {
      if (open()?.isUnsaved && !this.isLeaving) event.preventDefault();
    });
    document.addEventListener("click", (event) => this.leave(event));
  }

  download() {
    const doc = this.open();
    if (!doc?.isCleaned) return;
    save((doc.image.full ?? doc.image).file, `${doc.name}-clean.png`);
    doc.saved = doc.image;
  }

  async downloadJpeg() {
    const doc = this.open();
    save(await jpeg(doc), `${doc.name}-clean.jpg`);
    doc.saved = doc.image;
  }

  // Whoever signs up or signs in finds everything again afterwards.
  async leave(event) {
    const link = event.target.closest("a[href^='/signup'], a[href^='/login']");
    if (!link || !this.open() || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    await keep(this.open()).then(() => (this.isLeaving = true), (error) => console.error(error));
    location.href = link.href;
  }
}
