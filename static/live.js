// While something on the page has not ended: fetches the page anew, and takes over each element with data-live whose
// text is another. What stays keeps its focus and its pictures.
const EVERY = 2000; // milliseconds

function takeOver(page) {
  for (const element of document.querySelectorAll("[data-live]")) {
    const fresh = page.querySelector(`[data-live="${element.dataset.live}"]`);
    if (fresh && fresh.textContent !== element.textContent) element.replaceChildren(...fresh.childNodes);
  }
}

async function look() {
  if (!document.hidden) {
    const response = await fetch(location.href).catch(() => null); // offline: the next time
    if (response?.redirected || response?.status === 404) return location.reload(); // signed out, or it has expired
    if (response?.ok) {
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      takeOver(page);
      if (!page.querySelector("[data-open]")) return;
    }
  }
  setTimeout(look, EVERY);
}

setTimeout(look, EVERY);
