// What is kept of the open document: on the disk, and over a sign-up or sign-in; and what asks before it is lost.

import { keep } from "./keep.js";
import { jpeg } from "./masks.js";
import { save } from "./page.js";

export class Saving {
  // `document()`: the shown one. `documents()`: all that are open. `address`: of the editor's own page.
  constructor({ document: open, documents, address }) {
    Object.assign(this, { open, documents, address });
    this.isLeaving = false; // on purpose, with everything kept
    addEventListener("beforeunload", (event) => {
      if (this.isUnsaved && !this.isLeaving) event.preventDefault();
    });
    document.addEventListener("click", (event) => this.leave(event));
  }

  get isUnsaved() {
    return this.documents().some((doc) => doc.isUnsaved);
  }

  download() {
    const doc = this.open();
    if (!doc?.isCleaned) return;
    save(doc.file, `${doc.name}-clean.png`);
    doc.saved = doc.image;
  }

  async downloadJpeg() {
    const doc = this.open();
    save(await jpeg(doc), `${doc.name}-clean.jpg`);
    doc.saved = doc.image;
  }

  // Whoever signs up or signs in comes back, and finds everything again.
  async leave(event) {
    const link = event.target.closest("a[href^='/signup'], a[href^='/login']");
    if (!link || !this.open() || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    await keep(this.documents()).then(() => (this.isLeaving = true), (error) => console.error(error));
    const to = new URL(link.href);
    to.searchParams.set("next", this.address);
    location.href = to;
  }
}
