// Sends the chosen pictures as one batch with the page's saved mark, and goes to that batch's page.
const form = document.getElementById("many");
const said = document.getElementById("sent");
const button = form.querySelector("button");

async function send() {
  const body = new FormData(form); // with the pictures
  body.delete("csrfmiddlewaretoken");
  body.append("mark", form.dataset.mark);
  const headers = { "X-CSRFToken": form.elements.csrfmiddlewaretoken.value };
  const response = await fetch(form.dataset.send, { method: "POST", body, headers });
  const answer = await response.json();
  const odd = answer.code === "invalid_image" && form.elements.images.files[answer.index];
  if (!response.ok) throw new Error(odd ? `${odd.name} is no picture we can open.` : answer.detail);
  location.href = `${form.dataset.batches}/${answer.id}`;
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  button.disabled = true;
  const { length } = document.getElementById("pictures").files;
  said.textContent = `Sending ${length === 1 ? "one picture" : `${length} pictures`}…`;
  said.className = "";
  try {
    await send();
  } catch (error) {
    said.textContent = error instanceof TypeError || error instanceof SyntaxError ? "The server could not be reached. Nothing was charged." : error.message;
    said.className = "errorlist";
    button.disabled = false;
    button.focus();
  }
});
