// The manual: a language chosen once is shown in every example, and code is copied by a button.
"use strict";

const KEPT = "language";

function choose(ending) {
  for (const tab of document.querySelectorAll(`.tabs input[value="${ending}"]`)) tab.checked = true;
}

for (const tab of document.querySelectorAll(".tabs input"))
  tab.addEventListener("change", () => {
    localStorage.setItem(KEPT, tab.value);
    choose(tab.value);
  });
const kept = localStorage.getItem(KEPT);
if (/^\w+$/.test(kept ?? "")) choose(kept);

// Buttons of copy.js, which runs next.
for (const [number, code] of document.querySelectorAll(".manual .code").entries()) {
  code.querySelector("pre").id = `code-${number}`;
  const button = Object.assign(document.createElement("button"), { type: "button", className: "small secondary copy" });
  Object.assign(button, { textContent: "Copy", hidden: true });
  button.dataset.copy = `code-${number}`;
  code.append(button);
}
