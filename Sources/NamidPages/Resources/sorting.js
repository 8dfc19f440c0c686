// The script that sorts a table's rows by the column whose heading is clicked.
//
// Without it the table stands as it was written. A first click on a column of figures puts the largest on top, on
// one of words the first; the next click turns the order round. Places without a value stay at the end.
"use strict";
(function () {
  const collator = new Intl.Collator("en", {numeric: true});

  function key(row, column) {
    const cell = row.cells[column];
    if (!cell) return null;
    if (cell.dataset.sort !== undefined) return Number(cell.dataset.sort);
    const text = (cell.firstChild ? cell.firstChild.textContent : "").trim();
    if (text === "" || text === "–") return null;
    const isFigure = cell.classList.contains("number");
    const figure = isFigure ? parseFloat(text.replace("−", "-").replace(/^[^-.0-9]+/, "")) : NaN;
    return Number.isNaN(figure) ? (isFigure ? null : text) : figure;
  }

  function compare(a, b) {
    if (typeof a === "number" && typeof b === "number") return a - b;
    return collator.compare(String(a), String(b));
  }

  function sort(table, column, heading) {
    const descends = heading.hasAttribute("aria-sort")
      ? heading.getAttribute("aria-sort") === "ascending"
      : heading.classList.contains("number");
    for (const other of heading.parentNode.children) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", descends ? "descending" : "ascending");
    const body = table.tBodies[0];
    const rows = Array.from(body.rows).map((row) => ({row, value: key(row, column)}));
    rows.sort((a, b) => {
      if (a.value === null || b.value === null) {
        return (a.value === null) - (b.value === null);
      }
      return descends ? compare(b.value, a.value) : compare(a.value, b.value);
    });
    body.append(...rows.map((item) => item.row));
  }

  for (const table of document.querySelectorAll(".table table")) {
    if (table.tBodies[0].rows.length < 2) continue;
    Array.from(table.tHead.rows[0].cells).forEach((heading, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...heading.childNodes);
      button.addEventListener("click", () => sort(table, column, heading));
      heading.append(button);
    });
  }
})();
