// Sorting begins at the end that people want first: the fastest, the cheapest, the first letter.
// The sorting itself is sortable.min.js, which turns to descending first.
addEventListener(
  "click",
  (event) => {
    const head = event.target.closest?.("table.sortable thead th[data-first=ascending]");
    if (head && !head.hasAttribute("aria-sort")) head.setAttribute("aria-sort", "descending");
  },
  true,
);
