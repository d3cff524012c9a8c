"use strict";
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  [...table.tHead.rows[0].cells].forEach((head, at) => {
    if (head.classList.contains("bar")) return;
    const isNumber = head.classList.contains("n");
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    const keyOf = (row) => {
      const cell = row.cells[at];
      if (!isNumber) return cell.textContent;
      return cell.dataset.v === undefined ? -Infinity : Number(cell.dataset.v);
    };
    button.addEventListener("click", () => {
      const was = head.getAttribute("aria-sort");
      const isDown = was === null ? isNumber : was === "ascending";
      for (const other of head.parentNode.cells) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", isDown ? "descending" : "ascending");
      const rows = [...body.rows].map((row) => [keyOf(row), row]);
      const compare = isNumber ? (a, b) => a[0] - b[0] : (a, b) => a[0].localeCompare(b[0]);
      rows.sort((a, b) => (isDown ? compare(b, a) : compare(a, b)) || 0);
      body.append(...rows.map(([, row]) => row));
    });
  });
}
