(() => {
  const box = document.getElementById("find");
  const told = document.getElementById("found");
  const tables = [...document.querySelectorAll("section.table")].map((section) => {
    const rows = [...section.querySelectorAll(".columns tbody tr")];
    return {
      section,
      head: section.querySelector(".head").textContent.toLowerCase(),
      rows: rows.map((row) => ({ row, text: row.textContent.toLowerCase() })),
    };
  });
  const show = () => {
    const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
    const has = (text) => words.every((word) => text.includes(word));
    let tablesFound = 0;
    let columnsFound = 0;
    for (const { section, head, rows } of tables) {
      const isWhole = has(head);
      const hits = rows.filter(({ text }) => isWhole || has(text));
      for (const { row } of rows) row.hidden = true;
      for (const { row } of hits) row.hidden = false;
      section.hidden = hits.length === 0;
      if (hits.length) tablesFound += 1;
      columnsFound += hits.length;
    }
    for (const group of document.querySelectorAll("section.group")) {
      group.hidden = !group.querySelector("section.table:not([hidden])");
    }
    for (const part of document.querySelectorAll(".only-whole")) part.hidden = words.length > 0;
    told.textContent = words.length ? `${columnsFound} columns in ${tablesFound} tables` : "";
  };
  box.addEventListener("input", show);
  box.closest("form").addEventListener("submit", (event) => event.preventDefault());
  // A link leads to its table also while others are hidden.
  addEventListener("hashchange", () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target || target.offsetParent) return;
    box.value = "";
    show();
    target.scrollIntoView();
  });
  box.closest("form").hidden = false;
})();
