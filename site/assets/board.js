// The home page's table: filters, columns and order, all of them kept in the address.
(() => {
  const table = document.getElementById("board");
  const form = document.getElementById("filters");
  if (!table || !form) return;
  const heads = [...table.tHead.rows[0].cells];
  const keys = heads.map((head) => head.dataset.key);
  const filters = ["kind", "size", "license", "key", "trained"];
  const preset = [...form.elements.col].filter((box) => box.defaultChecked).map((box) => box.value);
  const presetSort = "mean.descending";
  const rows = () => [...table.tBodies].flatMap((body) => [...body.rows]).filter((row) => row.dataset.name !== undefined);

  const chosenColumns = () => [...form.elements.col].filter((box) => box.checked).map((box) => box.value);
  const sorted = () => {
    const head = heads.find((one) => one.hasAttribute("aria-sort"));
    return head ? `${head.dataset.key}.${head.getAttribute("aria-sort")}` : presetSort;
  };

  const showColumns = () => {
    const shown = new Set(["method", ...chosenColumns()]);
    for (const row of [table.tHead.rows[0], ...rows()]) {
      for (const [index, key] of keys.entries()) row.cells[index].classList.toggle("more", !shown.has(key));
    }
  };

  const filter = () => {
    const words = form.elements.q.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of rows()) {
      const fits =
        words.every((word) => row.dataset.name.toLowerCase().includes(word)) &&
        filters.every((name) => !form.elements[name].value || row.dataset[name] === form.elements[name].value);
      row.hidden = !fits;
      shown += fits;
    }
    const all = rows().length;
    form.querySelector("output").textContent = shown === all ? `${all} method${all === 1 ? "" : "s"}` : `${shown} of ${all} methods`;
    const incomplete = table.querySelector("tbody.incomplete");
    const divider = table.querySelector("tbody.divider");
    if (divider) divider.hidden = [...incomplete.rows].every((row) => row.hidden);
  };

  const remember = () => {
    const state = new URLSearchParams();
    if (form.elements.q.value) state.set("q", form.elements.q.value);
    for (const name of filters) if (form.elements[name].value) state.set(name, form.elements[name].value);
    if (chosenColumns().join() !== preset.join()) state.set("columns", chosenColumns().join(","));
    if (sorted() !== presetSort) state.set("sort", sorted());
    const text = state.toString();
    history.replaceState(null, "", text ? `#${text}` : location.pathname + location.search);
  };

  const recall = () => {
    const state = new URLSearchParams(location.hash.slice(1));
    form.elements.q.value = state.get("q") || "";
    for (const name of filters) {
      form.elements[name].value = state.get(name) || "";
      if (form.elements[name].selectedIndex < 0) form.elements[name].value = "";
    }
    const wanted = state.has("columns") ? state.get("columns").split(",") : preset;
    for (const box of form.elements.col) box.checked = wanted.includes(box.value);
    const sort = state.get("sort") || presetSort;
    const [key, direction] = [sort.slice(0, sort.lastIndexOf(".")), sort.slice(sort.lastIndexOf(".") + 1)];
    const head = heads[keys.indexOf(key)];
    if (head && sorted() !== `${key}.${direction}`) {
      for (const other of heads) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", direction === "ascending" ? "descending" : "ascending");
      head.querySelector("button").click();
    }
  };

  form.addEventListener("input", (event) => {
    if (event.target.name === "col") showColumns();
    else filter();
    remember();
  });
  form.addEventListener("keydown", (event) => {
    const picker = form.querySelector(".picker");
    if (event.key !== "Escape" || !picker.open) return;
    picker.open = false;
    picker.querySelector("summary").focus();
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () =>
    setTimeout(() => {
      showColumns();
      filter();
      const head = heads[keys.indexOf("mean")];
      if (sorted() !== presetSort) {
        for (const other of heads) other.removeAttribute("aria-sort");
        head.querySelector("button").click();
      }
      remember();
    }),
  );
  table.addEventListener("sort-end", remember);
  addEventListener("hashchange", () => {
    if (location.hash && !location.hash.includes("=")) {
      remember(); // a link within the page, such as the skip link
      return;
    }
    recall();
    showColumns();
    filter();
  });
  recall();
  if (chosenColumns().join() !== preset.join()) showColumns();
  filter();
  document.documentElement.dataset.ready = "yes";
  performance.mark("ready");
})();
