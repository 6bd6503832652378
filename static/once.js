// A form is sent once, however quickly its button is pressed again: the second answer would be another's, such as a page
// that waits for a code which was not mailed.
const AGAIN = 2000; // milliseconds after which it may be sent once more

for (const form of document.querySelectorAll("form[method=post]")) {
  let sentAt = -Infinity;
  form.addEventListener("submit", (event) => {
    if (event.timeStamp - sentAt < AGAIN) event.preventDefault();
    else sentAt = event.timeStamp;
  });
}
