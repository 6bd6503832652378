// Keyboard shortcuts; the page's list of them is in templates/editor/keys.html.

const at = (id) => document.getElementById(id);

// `does`: what each key does, by name. Keys in fields and dialogs are the browser's.
export function listen({ stage, tools, compare, work, does }) {
  document.addEventListener("keydown", (event) => {
    if (!stage.doc || document.querySelector("dialog[open]")) return;
    if (event.target.closest("input[type=text], textarea, select")) return;
    if (held(event) || control(event) || plain(event)) event.preventDefault();
  });
  document.addEventListener("keyup", (event) => {
    if (event.key === "Tab") compare.hold(false);
    if (event.key === " ") space(false);
  });
  addEventListener("blur", () => {
    compare.hold(false);
    space(false);
  });

  function space(on) {
    tools.panning = on;
    stage.element.classList.toggle("panning", on);
  }

  // Space moves the view, Tab shows the original: where the pointer is on the picture, or the picture has the focus.
  function held(event) {
    const here = event.target === document.body || event.target === stage.element;
    if (event.key === " " && here) space(true);
    else if (event.key === "Tab" && here && stage.element.matches(":hover") && stage.doc.isCleaned) compare.hold(true);
    else return false;
    return true;
  }

  function control(event) {
    if (!(event.ctrlKey || event.metaKey) || event.altKey) return false;
    // The letter where the layout has Latin ones, as Dvorak has; else the key's place, as on a Cyrillic keyboard.
    const letter = (/^[a-z]$/i.test(event.key) ? event.key : event.code.replace("Key", "")).toLowerCase();
    const does_it = letter === "y" || (letter === "z" && event.shiftKey) ? does.redo : { z: does.undo, s: does.download }[letter];
    does_it?.();
    return Boolean(does_it);
  }

  function plain(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return false;
    if (event.target === stage.element && tools.key(event)) return true;
    if (event.key === "Escape") return escape();
    if (event.target.matches("input[type=range], [role=slider]") && /^Arrow|Home|End/.test(event.key)) return false;
    const name = event.shiftKey && event.key.toLowerCase() === "r" ? "clean" : NAMES[event.key];
    if (!name) return false;
    does[name]();
    return true;
  }

  function escape() {
    const menu = document.querySelector(".menu[open]");
    if (menu) menu.open = false;
    else if (work.isBusy) work.cancel();
    else if (!tools.cancel()) does.fit();
    return true;
  }
}

const NAMES = {
  ...{ "[": "smaller", "]": "larger", "+": "nearer", "=": "nearer", "-": "farther", 0: "fit", 1: "whole" },
  ...{ b: "brush", x: "box", l: "lasso", e: "eraser", f: "find", c: "compare", m: "again", s: "saved", "?": "keys" },
  ...{ n: "next", p: "previous", t: "findText", a: "acceptAll", Delete: "takeOut" },
};
