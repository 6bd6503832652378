// <button data-copy="id" hidden>: selects the text of the element with that id, and copies it.
// execCommand, not navigator.clipboard: that one is missing on plain http, where people try the service first.
for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", () => {
    getSelection().selectAllChildren(document.getElementById(button.dataset.copy));
    button.textContent = document.execCommand("copy") ? "Copied" : "Selected: press Ctrl+C";
  });
}
