// The menu of what is done with the whole mask: loaded, saved, grown, shrunk.

import { canvasOf, fromFile, grown, toFile } from "./marks.js";
import { say, save } from "./page.js";

const at = (id) => document.getElementById(id);

// `document()`: the open one. `changed(marks)`: its new marks.
export function masks(stage, { document: open, changed }) {
  at("load-mask").addEventListener("change", async () => {
    const [file] = at("load-mask").files;
    at("load-mask").value = "";
    const doc = open();
    if (!file || !doc) return;
    try {
      changed([...doc.marks, await fromFile(file, doc.width, doc.height)]);
      say("The mask is loaded. Change it, or press Clean.");
    } catch (error) {
      say(error.message, true);
    }
  });
  at("save-mask").addEventListener("click", async () => save(await toFile(open().mask), `${open().name}-mask.png`));

  const by = () => Number(at("grow").value);
  at("grow").addEventListener("input", () => {
    at("grown").textContent = `${by() > 0 ? "+" : ""}${by()} px`;
    stage.preview = by() ? grown(open().mask, by()) : null;
    stage.paint();
  });
  at("grow").addEventListener("change", () => {
    const { preview: canvas } = stage;
    stage.preview = null;
    at("grow").value = 0;
    at("grown").textContent = "0 px";
    if (canvas) changed([{ tool: "mask", canvas }]);
  });
}

// The result as it is shown, for those who need a smaller file than the exact one.
export async function jpeg({ image }) {
  const bitmap = image.full ? await createImageBitmap(image.full.file) : image.bitmap;
  const canvas = canvasOf(bitmap.width, bitmap.height);
  const context = canvas.getContext("2d");
  context.fillStyle = "white"; // below what is transparent, as the API does it
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(bitmap, 0, 0);
  return canvas.convertToBlob({ type: "image/jpeg", quality: 0.95 });
}
