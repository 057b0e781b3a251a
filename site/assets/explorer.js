// The query explorer: a list of queries, two methods held against each other, one query in whole.
"use strict";
(() => {
  const box = document.getElementById("explorer");
  const form = box.querySelector("form");
  const list = document.getElementById("list");
  const pager = document.getElementById("pager");
  const detail = document.getElementById("detail");
  const summary = document.getElementById("summary");
  const dialog = document.getElementById("dispute");
  const top = 4095; // a score of 1
  const onePage = 25;
  const depth = 10;
  const fields = ["table", "a", "b", "show", "slice", "order", "find"];
  let table; // index of the table that is shown, its scores, and which queries the list has
  let page = 0;
  let open = ""; // id of the query that is shown in whole
  let turn = 0; // of the newest request: what an older one loads is not shown

  const element = (name, properties = {}, ...children) => {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children);
    return made;
  };
  const text = (content, properties = {}) => element("bdi", { textContent: content, ...properties });
  const share = (score) => (score / top).toFixed(3).replace(/^0/, "");
  const chosen = (name) => form.elements[name].value;
  const slug = () => chosen("table");

  const address = (query) => {
    const state = new URLSearchParams();
    for (const name of fields) if (chosen(name)) state.set(name, chosen(name));
    if (page) state.set("page", String(page + 1));
    if (query) state.set("q", query);
    return `#${state}`;
  };

  const textOf = async (query) => {
    if (!table.texts) return [table.ids[query], ""];
    const piece = await toolBench.piece(slug(), `text-${Math.floor(query / table.texts)}`);
    return piece.queries[query % table.texts];
  };

  const scoresOf = async (method) => {
    if (!table.scores[method]) table.scores[method] = toolBench.unpack(await toolBench.piece(slug(), `score-${method}`), 2);
    return table.scores[method];
  };

  const rankingsOf = async (query) => {
    const piece = await toolBench.piece(slug(), `rank-${Math.floor(query / table.ranks)}`);
    const row = query % table.ranks;
    const places = toolBench.unpack(piece.ranked[row], 3);
    return {
      gold: piece.gold[row].map((place) => piece.tools[place]),
      ranked: table.methods.map((_, method) =>
        places.slice(method * depth, (method + 1) * depth).filter((place) => place > 0).map((place) => piece.tools[place - 1]),
      ),
    };
  };

  const loadTable = async () => {
    const index = await toolBench.piece(slug(), "index");
    table = { ...index, scores: [], means: toolBench.unpack(index.mean, 2), slices: new Map(index.slices) };
    const best = table.methods.map((_, number) => number).sort((x, y) => table.methods[y][2] - table.methods[x][2]);
    for (const name of ["a", "b"]) {
      const select = form.elements[name];
      const preset = form.elements.table.selectedOptions[0].dataset[name];
      const before = select.value;
      select.replaceChildren(...best.map((number) => element("option", { value: table.methods[number][0], textContent: `${table.methods[number][0]} (${table.methods[number][2].toFixed(3).replace(/^0/, "")})` })));
      select.value = table.methods.some(([method]) => method === before) ? before : preset;
    }
    const slice = form.elements.slice;
    const before = slice.value;
    slice.replaceChildren(element("option", { value: "", textContent: "all" }), ...[...table.slices.keys()].filter((name) => name !== "all").map((name) => element("option", { value: name, textContent: name })));
    slice.value = table.slices.has(before) ? before : "";
  };

  const number = (name) => Math.max(0, table.methods.findIndex(([method]) => method === chosen(name)));

  const selected = async () => {
    const [a, b] = await Promise.all([scoresOf(number("a")), scoresOf(number("b"))]);
    const inSlice = chosen("slice") ? toolBench.members(table.slices.get(chosen("slice")), table.ids.length) : null;
    const words = chosen("find").toLowerCase().split(/\s+/).filter(Boolean);
    const show = chosen("show");
    const counts = { a: 0, b: 0, tie: 0, miss: 0 };
    let found = [];
    for (let query = 0; query < table.ids.length; query += 1) {
      if (inSlice && !inSlice[query]) continue;
      const outcome = a[query] > b[query] ? "a" : a[query] < b[query] ? "b" : "tie";
      const missed = a[query] === 0 && b[query] === 0;
      counts[outcome] += 1;
      counts.miss += missed;
      if (!show || show === outcome || (show === "miss" && missed)) found.push(query);
    }
    if (words.length) {
      const texts = await Promise.all(found.map(textOf));
      found = found.filter((query, place) => words.every((word) => `${texts[place].join(" ")} ${table.ids[query]}`.toLowerCase().includes(word)));
    }
    const gap = (query) => Math.abs(a[query] - b[query]);
    if (chosen("order") === "") found.sort((x, y) => table.means[x] - table.means[y]);
    if (chosen("order") === "gap") found.sort((x, y) => gap(y) - gap(x) || table.means[x] - table.means[y]);
    return { found, counts, a, b };
  };

  const link = (query, words) => {
    const made = element("a", { href: address(table.ids[query]), className: "query" }, text(words));
    made.dataset.query = table.ids[query];
    return made;
  };

  const drawList = async () => {
    const own = (turn += 1);
    const { found, counts, a, b } = await selected();
    page = Math.min(page, Math.max(0, Math.ceil(found.length / onePage) - 1));
    const shown = found.slice(page * onePage, (page + 1) * onePage);
    const texts = await Promise.all(shown.map(textOf));
    if (own !== turn) return;
    summary.replaceChildren(
      "A = ", text(chosen("a")), ` is better on ${counts.a.toLocaleString("en")}, B = `, text(chosen("b")), ` on ${counts.b.toLocaleString("en")}; the same on ${counts.tie.toLocaleString("en")}, `,
      `both miss ${counts.miss.toLocaleString("en")}. Shown: ${found.length.toLocaleString("en")}. Scores are nDCG@10.`,
    );
    list.start = page * onePage + 1;
    list.replaceChildren(
      ...shown.map((query, place) =>
        element("li", {},
          link(query, texts[place][0]),
          element("p", { className: "note" }, `A ${share(a[query])}, B ${share(b[query])}, mean of all ${share(table.means[query])}`),
        ),
      ),
    );
    const turnTo = (name, to, able) => {
      const button = element("button", { type: "button", textContent: name, disabled: !able });
      button.addEventListener("click", () => {
        page = to;
        history.replaceState(null, "", address(open));
        drawList();
      });
      return button;
    };
    const last = Math.ceil(found.length / onePage) - 1;
    pager.replaceChildren(turnTo("Back", page - 1, page > 0), ` ${found.length ? page + 1 : 0} of ${last + 1} `, turnTo("On", page + 1, page < last));
  };

  const ranking = (tools, golds) => {
    if (!tools.length) return element("p", { className: "note", textContent: "Nothing." });
    return element("ol", { className: "ranking" }, ...tools.map((tool) => {
      const right = golds.includes(tool);
      const item = element("li", { className: right ? "gold" : "" }, text(tool[1] ?? tool[0], { title: tool[0] }));
      if (tool[2]) item.append(" ", text(tool[2], { className: "provider" }));
      if (right) item.append(" ", element("span", { className: "right", textContent: "✓ right" }));
      return item;
    }));
  };

  const drawDetail = async (fresh) => {
    const query = table.ids.indexOf(open);
    for (const link of list.querySelectorAll("a")) link.toggleAttribute("aria-current", link.dataset.query === open);
    if (query < 0) {
      detail.replaceChildren(element("p", { className: "note", textContent: open ? `There is no query ${open} here.` : "Choose a query to see what every method ranked for it." }));
      return;
    }
    const [words, found] = await Promise.all([textOf(query), rankingsOf(query)]);
    const scores = await Promise.all(table.methods.map((_, method) => scoresOf(method)));
    const [a, b] = [number("a"), number("b")];
    const order = table.methods.map((_, method) => method).sort((x, y) => scores[y][query] - scores[x][query] || table.methods[y][2] - table.methods[x][2]);
    const named = (tool) => (tool ? `${tool[1] ?? tool[0]}${tool[2] ? ` (${tool[2]})` : ""}` : "nothing");
    const column = (letter, method) => element("div", {}, element("h3", {}, `${letter}: `, text(table.methods[method][0]), ` ${share(scores[method][query])}`), ranking(found.ranked[method], found.gold));
    const dispute = element("button", { type: "button", textContent: "Is this label wrong?" });
    dispute.addEventListener("click", () => askAbout(open, words, found, order.slice(0, 3).map((method) => [table.methods[method][0], named(found.ranked[method][0])])));
    const close = element("button", { type: "button", textContent: "Close" });
    close.addEventListener("click", () => { location.hash = address(""); });
    const all = element("table", {},
      element("caption", {}, element("span", { textContent: "What every method ranked, the best first." })),
      element("thead", {}, element("tr", {}, ...["Method", "nDCG@10", "Ranking"].map((name) => element("th", { scope: "col", textContent: name })))),
      element("tbody", {}, ...order.map((method) => element("tr", {},
        Object.assign(element("th", { scope: "row" }, element("a", { href: `../methods/${table.methods[method][1]}.html` }, text(table.methods[method][0])))),
        element("td", { className: "number", textContent: share(scores[method][query]) }),
        element("td", {}, ranking(found.ranked[method], found.gold)),
      ))),
    );
    detail.replaceChildren(
      element("h2", {}, text(words[0])),
      ...(words[1] ? [element("p", { className: "note" }, "Instruction: ", text(words[1]))] : []),
      element("p", { className: "note" }, "Right: ", ...found.gold.flatMap((tool, place) => [place ? ", " : "", text(named(tool), { className: "gold" })]), `. Query ${open}. `, element("a", { href: address(open), textContent: "Link to this query" }), " ", dispute, " ", close),
      element("div", { className: "versus" }, column("A", a), column("B", b)),
      element("div", { className: "scroll", tabIndex: 0, role: "region", ariaLabel: "All methods" }, all),
    );
    detail.scrollTop = 0;
    if (fresh) {
      detail.focus({ preventScroll: true });
      detail.scrollIntoView({ block: "nearest" });
    }
  };

  const askAbout = (id, words, found, firsts) => {
    const name = (tool) => `${tool[1] ?? tool[0]} (${tool[0]})`;
    const title = `Label of ${box.dataset.task} ${id}`;
    const body = [
      `Task: ${box.dataset.task}`, `Query: ${id}`, `Text: ${words[0]}`, ...(words[1] ? [`Instruction: ${words[1]}`] : []),
      `Labelled right: ${found.gold.map(name).join(", ")}`, ...firsts.map(([method, tool]) => `${method} ranks first: ${tool}`),
      "", "What is wrong with the label, and which tools would be right:", "",
    ].join("\n");
    dialog.querySelector("textarea").value = `${title}\n\n${body}`;
    const link = dialog.querySelector("[data-do=open]");
    if (link) link.href = `${box.dataset.repository}/issues/new?${new URLSearchParams({ title, body: body.slice(0, 4000) })}`;
    dialog.showModal();
  };
  dialog.addEventListener("click", async (event) => {
    const area = dialog.querySelector("textarea");
    if (event.target.dataset.do === "close") dialog.close();
    if (event.target.dataset.do === "copy") {
      area.select();
      try {
        await navigator.clipboard.writeText(area.value);
        event.target.textContent = "Copied";
      } catch {
        event.target.textContent = "Selected: press Ctrl+C";
      }
    }
  });

  const failed = (error) => {
    summary.textContent = `${error.message}. Build the board again: tool-bench site build.`;
  };

  const recall = async () => {
    const state = new URLSearchParams(location.hash.slice(1));
    if (state.get("table")) form.elements.table.value = state.get("table");
    if (!form.elements.table.value) form.elements.table.selectedIndex = 0;
    await loadTable();
    for (const name of fields.slice(1)) {
      if (!state.has(name)) continue;
      const before = form.elements[name].value;
      form.elements[name].value = state.get(name);
      if (form.elements[name].tagName === "SELECT" && form.elements[name].selectedIndex < 0) form.elements[name].value = before;
    }
    page = Math.max(0, Number(state.get("page") || 1) - 1) || 0;
    open = state.get("q") || "";
    await drawList();
    await drawDetail(true);
    document.documentElement.dataset.ready = "yes";
  };

  let waiting;
  form.addEventListener("input", (event) => {
    clearTimeout(waiting);
    waiting = setTimeout(async () => {
      try {
        if (event.target.name === "table") await loadTable();
        page = 0;
        history.replaceState(null, "", address(open));
        await drawList();
        await drawDetail(false);
      } catch (error) {
        failed(error);
      }
    }, event.target.name === "find" ? 200 : 0);
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  addEventListener("hashchange", () => recall().catch(failed));
  recall().catch(failed);
})();
