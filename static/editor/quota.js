// What is left to clean with: the line below the stage, as the server last said it.

const at = (id) => document.getElementById(id);
const LINE = ".foot .left";

// Of an answer, refused or not. Nothing is said without a quota.
export function told(headers) {
  const [left, limit] = ["X-Quota-Remaining", "X-Quota-Limit"].map((name) => headers.get(name));
  if (left === null || !at("left")) return;
  at("left").dataset.left = left;
  at("left").textContent = format(left);
  if (limit && at("limit-now")) at("limit-now").textContent = format(limit);
  if (at("used-up")) at("used-up").hidden = left > 0;
}

// From the page as the server makes it now: the plan may be another, or somebody has signed in.
export function renewed(page) {
  const line = page.querySelector(LINE);
  if (line) document.querySelector(LINE).replaceWith(document.adoptNode(line));
}

export const format = (number) => Number(number).toLocaleString("en");
