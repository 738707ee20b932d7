"use strict";
(() => {
  const root = document.documentElement;
  root.classList.add("js");

  // A heading sorts its column: numbers by data-v, words as words; equal rows keep their order.
  for (const table of document.querySelectorAll("table.sortable")) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, place) => head.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      heads.forEach(other => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const numeric = head.classList.contains("n");
      const key = row => {
        const cell = row.cells[place], text = cell.dataset.v ?? cell.textContent;
        return numeric ? (text === "inf" ? Infinity : Number(text)) : text;
      };
      const order = (a, b) => {
        const x = key(a), y = key(b);
        if (x === Infinity || y === Infinity) return (x === Infinity) - (y === Infinity);
        return (numeric ? x - y : x.localeCompare(y)) * (down ? -1 : 1);
      };
      table.tBodies[0].append(...[...table.tBodies[0].rows].sort(order));
    }));
  }

  // A name in a legend hides and shows its series everywhere.
  for (const button of document.querySelectorAll("[data-toggle]")) {
    button.addEventListener("click", () => {
      const name = button.dataset.toggle, show = button.getAttribute("aria-pressed") !== "true";
      for (const twin of document.querySelectorAll("[data-toggle]"))
        if (twin.dataset.toggle === name) twin.setAttribute("aria-pressed", String(show));
      for (const series of document.querySelectorAll("[data-series]"))
        if (series.dataset.series === name) series.classList.toggle("hidden", !show);
    });
  }

  // The address says which page is shown: that of an instance, or the overview.
  const route = () => {
    const target = document.getElementById(location.hash.slice(1));
    const page = target && target.closest(".page");
    for (const each of document.querySelectorAll(".page")) each.classList.toggle("shown", each === page);
    root.classList.toggle("one-page", Boolean(page));
    if (target) target.scrollIntoView();
  };
  window.addEventListener("hashchange", route);
  route();
})();
