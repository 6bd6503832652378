// <button data-copy="id" hidden>: shown where copying works, copies the text of the element with that id.
for (const button of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) continue; // not on plain http
  button.hidden = false;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Select and copy it yourself";
    }
  });
}
