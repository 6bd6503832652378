// The page before a picture is open: drop, paste, choose, or one of the examples with its handle between before and after.

const at = (id) => document.getElementById(id);

// `open(files, example)`: the example's data, where it is one.
export function start(open) {
  for (const id of ["file", "more-files"])
    at(id).addEventListener("change", () => open([...at(id).files]).then(() => (at(id).value = "")));
  for (const example of document.querySelectorAll(".example")) {
    const range = example.querySelector("input");
    range?.addEventListener("input", () => example.style.setProperty("--share", `${range.value}%`));
    const button = example.querySelector("button");
    button?.addEventListener("click", async () => {
      const answer = await fetch(button.dataset.picture);
      const file = new File([await answer.blob()], `${button.dataset.name}.webp`);
      await open([file], button.dataset);
    });
  }
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    document.body.classList.add("dropping");
  });
  for (const over of ["dragleave", "drop"])
    document.addEventListener(over, (event) => {
      if (over === "drop" || !event.relatedTarget) document.body.classList.remove("dropping");
    });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    open([...event.dataTransfer.files]);
  });
  document.addEventListener("paste", (event) => {
    open([...event.clipboardData.files]);
  });
}
