// Filters the table of all verdicts. What is asked for stands in the address, behind "#filter:", so
// that a filtered table can be linked to; without this script the whole table is there.
"use strict";
const form = document.getElementById("filter");
const rows = [...document.querySelectorAll(".all tbody tr")];
const texts = rows.map((row) => row.textContent.toLowerCase());
const MARK = "#filter:";

function asked() {
  return Object.fromEntries([...new FormData(form)].filter(([, value]) => value.trim()));
}

function show() {
  const { text = "", ...exact } = asked();
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  rows.forEach((row, i) => {
    const fits =
      words.every((word) => texts[i].includes(word)) &&
      Object.entries(exact).every(([name, value]) => row.dataset[name] === value);
    row.hidden = !fits;
    shown += fits;
  });
  form.querySelector("output").textContent = `${shown} of ${rows.length} verdicts`;
}

function remember() {
  const query = new URLSearchParams(asked()).toString();
  history.replaceState(null, "", query ? MARK + query : "#verdicts");
  show();
}

function recall() {
  if (!location.hash.startsWith(MARK)) return;
  const query = new URLSearchParams(location.hash.slice(MARK.length));
  for (const field of form.elements) if (field.name) field.value = query.get(field.name) ?? "";
  show();
  document.getElementById("verdicts").scrollIntoView();
}

// What is wider than the screen is scrolled by the keyboard too.
for (const box of document.querySelectorAll(".theorem")) if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;

form.hidden = false;
form.addEventListener("input", remember);
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("reset", () => setTimeout(remember));
addEventListener("hashchange", recall);
addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.target.matches("input, select")) return;
  event.preventDefault();
  form.elements.text.focus();
});
show();
recall();
