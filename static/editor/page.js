// What the page says and asks: the status line, the panel over the picture while work goes on, and dialogs.

const at = (id) => document.getElementById(id);

export function say(text, wrong = false) {
  for (const line of document.querySelectorAll(".said")) {
    line.textContent = text;
    line.classList.toggle("wrong", wrong);
  }
}

// A job over the picture, with its seconds and a way out. Its sentence is said; so is what it throws, but a Cancel.
export class Work {
  constructor(changed) {
    this.changed = changed;
    this.controller = null;
    at("cancel").addEventListener("click", () => this.cancel());
  }

  get isBusy() {
    return this.controller !== null;
  }

  cancel() {
    this.controller?.abort();
  }

  // What it does now.
  tell(text) {
    at("doing").textContent = text;
  }

  // How far it is, from 0 to 1: before anything is done the bar only moves.
  reach(share) {
    if (share > 0) at("progress").value = share;
    else at("progress").removeAttribute("value");
  }

  async run(doing, job, refused) {
    const started = Date.now();
    const focused = document.activeElement;
    this.controller = new AbortController();
    const tell = () => (at("seconds").textContent = `${Math.round((Date.now() - started) / 1000)} s`);
    at("doing").textContent = doing;
    at("working").hidden = false;
    this.reach(0);
    say(doing);
    tell();
    const clock = setInterval(tell, 1000);
    this.changed();
    try {
      say(await job(this.controller.signal));
    } catch (error) {
      if (error.name === "AbortError") say("Cancelled. Your marks are as they were.");
      else say(error.message, true);
      refused?.(error);
    } finally {
      clearInterval(clock);
      at("working").hidden = true;
      this.controller = null;
      this.changed();
      refocus(focused);
    }
  }
}

// What had the focus was disabled meanwhile, or still is; Cancel had it and is gone.
function refocus(focused) {
  const { activeElement: now } = document;
  if (now !== document.body && !now.disabled && !at("working").contains(now)) return;
  (focused.disabled || focused === document.body ? at("stage") : focused).focus({ preventScroll: true });
}

let answered = Promise.resolve(); // of the dialog before

// Opens a dialog; the value of the button that closed it.
export async function ask(id) {
  await answered; // its event comes after it has closed: a quick key would open the next one before
  const dialog = at(id);
  dialog.returnValue = "";
  dialog.showModal();
  return (answered = new Promise((resolve) => dialog.addEventListener("close", () => resolve(dialog.returnValue), { once: true })));
}

export function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
