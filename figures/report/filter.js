"use strict";
// Rows of claims that match the search and the choices; a link to a claim shows it whatever is chosen.
const form = document.querySelector("form.controls");
const search = form.querySelector("input");
const choices = [...form.querySelectorAll("select")];
const tables = [...document.querySelectorAll("table.claims")];
const rows = tables.flatMap((table) => [...table.tBodies[0].rows]);
const texts = new Map(rows.map((row) => [row, row.textContent.toLowerCase()]));
const anchored = rows.filter((row) => row.id);

function apply() {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const row of rows) {
    const chosen = choices.every(({ value, dataset }) => !value || row.dataset[dataset.filter].split("|").includes(value));
    row.hidden = !chosen || !words.every((word) => texts.get(row).includes(word));
  }
  for (const table of tables) table.parentElement.hidden = [...table.tBodies[0].rows].every((row) => row.hidden);
  const shown = anchored.filter((row) => !row.hidden).length;
  form.querySelector("output").textContent = `${shown} of ${anchored.length} claims`;
}

function show() {
  const row = anchored.find((row) => `#${row.id}` === location.hash);
  if (!row || !row.hidden) return;
  form.reset();
  apply();
  row.scrollIntoView();
}

form.hidden = false;
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("input", apply);
addEventListener("hashchange", show);
apply();
show();
