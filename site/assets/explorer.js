// The query explorer: a list of queries, two methods held against each other, one query in whole.
// The address says what is shown; what it leaves out is as at the beginning.
"use strict";
(() => {
  const box = document.getElementById("explorer");
  const form = box.querySelector("form");
  const list = document.getElementById("list");
  const pager = document.getElementById("pager");
  const detail = document.getElementById("detail");
  const summary = document.getElementById("summary");
  const dialog = document.getElementById("dispute");
  const top = 64 ** 3 - 1; // a score of 1
  const onePage = 25;
  const fields = ["table", "a", "b", "show", "slice", "order", "find"];
  let state = {}; // of the address: the fields, page (from 0) and q, the open query's id
  let filled; // the table whose methods and slices the form offers
  let turn = 0; // of the newest drawing: what an older one loads is not shown

  const element = (name, properties = {}, ...children) => {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children);
    return made;
  };
  const text = (content, properties = {}) => element("bdi", { textContent: content, ...properties });
  const plain = (content) => `\u2068${content}\u2069`; // isolates it where there is no markup
  const share = (value) => value.toFixed(3).replace(/^0/, "");
  const count = (number) => number.toLocaleString("en");
  const named = (tool) => (tool ? `${tool[1] ?? tool[0]}${tool[2] ? ` (${tool[2]})` : ""}` : "nothing");

  const read = () => {
    const params = new URLSearchParams(location.hash.slice(1));
    state = { page: Math.max(0, Math.floor(Number(params.get("page") || 1)) - 1) || 0, q: params.get("q") || "" };
    for (const name of fields) state[name] = params.get(name) || "";
  };

  const address = (changes = {}) => {
    const wanted = { ...state, ...changes };
    const params = new URLSearchParams();
    for (const name of fields) if (wanted[name]) params.set(name, wanted[name]);
    if (wanted.page) params.set("page", String(wanted.page + 1));
    if (wanted.q) params.set("q", wanted.q);
    return params.size ? `#${params}` : location.pathname + location.search;
  };

  const change = (changes) => {
    Object.assign(state, changes);
    history.replaceState(null, "", address());
    return draw(false);
  };

  const select = (name, wanted, preset) => {
    const field = form.elements[name];
    field.value = wanted || preset;
    if (field.selectedIndex < 0) field.value = preset;
  };

  const fill = (table) => {
    const option = (value, label) => element("option", { value, textContent: label });
    if (filled !== table) {
      const best = [...table.methods].sort((x, y) => y.mean - x.mean);
      for (const name of ["a", "b"]) form.elements[name].replaceChildren(...best.map((method) => option(method.name, `${plain(method.name)} (${share(method.mean)})`)));
      form.elements.slice.replaceChildren(option("", "all"), ...table.slices.filter((name) => name !== "all").map((name) => option(name, name)));
      filled = table;
    }
    const preset = form.elements.table.selectedOptions[0].dataset;
    select("a", state.a, preset.a);
    select("b", state.b, preset.b);
    if (!state.b && form.elements.a.value === form.elements.b.value) form.elements.b.value = preset.a;
    select("show", state.show, "");
    select("slice", state.slice, "");
    select("order", state.order, "");
    if (document.activeElement !== form.elements.find) form.elements.find.value = state.find;
  };

  /** Draw what `state` says; `fresh` is whether a query was just opened. */
  const draw = async (fresh) => {
    const own = (turn += 1);
    const current = () => own === turn;
    try {
      select("table", state.table, form.elements.table.options[0].value);
      const table = await toolBench.table(form.elements.table.value);
      if (!current()) return;
      fill(table);
      const place = (name) => table.methods.findIndex((method) => method.name === form.elements[name].value);
      const [a, b] = [place("a"), place("b")];
      await drawList(table, a, b, current);
      await drawDetail(table, a, b, current, fresh);
      document.documentElement.dataset.ready = "yes";
    } catch (error) {
      if (current()) summary.textContent = `${error.message}. Reload the page; if that does not help, build the board again.`;
    }
  };

  const chosen = async (table, a, b) => {
    const inSlice = (query) => !form.elements.slice.value || table.inSlice(form.elements.slice.value, query);
    const words = state.find.toLowerCase().split(/\s+/).filter(Boolean);
    let found = table.ids.map((_, query) => query).filter(inSlice);
    if (words.length) {
      const texts = await Promise.all(found.map(table.text));
      found = found.filter((query, at) => words.every((word) => `${texts[at].join(" ")} ${table.ids[query]}`.toLowerCase().includes(word)));
    }
    const kinds = {
      a: (query) => a[query] > b[query],
      b: (query) => a[query] < b[query],
      tie: (query) => a[query] === b[query],
      miss: (query) => a[query] === 0 && b[query] === 0,
    };
    const counts = Object.fromEntries(Object.entries(kinds).map(([kind, fits]) => [kind, found.filter(fits).length]));
    const mean = (scores) => found.reduce((sum, query) => sum + scores[query], 0) / Math.max(found.length, 1) / top;
    const told = { ...counts, of: found.length, meanA: mean(a), meanB: mean(b) };
    if (kinds[form.elements.show.value]) found = found.filter(kinds[form.elements.show.value]);
    const gap = (query) => Math.abs(a[query] - b[query]);
    const order = form.elements.order.value;
    if (order === "") found.sort((x, y) => table.means[x] - table.means[y]);
    if (order === "gap") found.sort((x, y) => gap(y) - gap(x) || table.means[x] - table.means[y]);
    return { found, told };
  };

  const drawList = async (table, a, b, current) => {
    const [scoresA, scoresB] = await Promise.all([table.scores(a), table.scores(b)]);
    const { found, told } = await chosen(table, scoresA, scoresB);
    const last = Math.max(0, Math.ceil(found.length / onePage) - 1);
    const page = Math.min(state.page, last);
    const shown = found.slice(page * onePage, (page + 1) * onePage);
    const texts = await Promise.all(shown.map(table.text));
    if (!current()) return;
    summary.replaceChildren(
      `Of ${count(told.of)} ${told.of === 1 ? "query" : "queries"} A, `, text(table.methods[a].name), `, is better on ${count(told.a)} and B, `, text(table.methods[b].name), `, on ${count(told.b)}; `,
      `they score the same on ${count(told.tie)}, of which both miss ${count(told.miss)}. Mean nDCG@10 of these queries: A ${share(told.meanA)}, B ${share(told.meanB)}. Shown: ${count(found.length)}.`,
    );
    list.start = page * onePage + 1;
    list.replaceChildren(
      ...shown.map((query, at) => {
        const link = element("a", { href: address({ q: table.ids[query] }), className: "query" }, text(texts[at][0]));
        link.dataset.query = table.ids[query];
        return element("li", {}, link, element("p", { className: "note" }, `A ${share(scoresA[query] / top)}, B ${share(scoresB[query] / top)}, mean of all ${share(table.means[query] / top)}`));
      }),
    );
    mark();
    const turnTo = (name, to, able) => {
      const button = element("button", { type: "button", textContent: name, disabled: !able });
      button.addEventListener("click", async () => {
        await change({ page: to });
        list.scrollIntoView({ block: "nearest" });
        list.focus({ preventScroll: true });
      });
      return button;
    };
    if (found.length) pager.replaceChildren(turnTo("Previous page", page - 1, page > 0), `${page + 1} of ${last + 1}`, turnTo("Next page", page + 1, page < last));
    else pager.replaceChildren("No query fits.");
  };

  const mark = () => {
    for (const link of list.querySelectorAll("a")) {
      if (link.dataset.query === state.q) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
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

  const drawDetail = async (table, a, b, current, fresh) => {
    const id = state.q;
    const query = table.ids.indexOf(id);
    mark();
    if (query < 0) {
      detail.replaceChildren(element("p", { className: "note" }, ...(id ? ["There is no query ", text(id), " here."] : ["Choose a query to see what every method ranked for it."])));
      return;
    }
    const [words, found] = await Promise.all([table.text(query), table.rankings(query)]);
    const scores = (await Promise.all(table.methods.map((_, method) => table.scores(method)))).map((own) => own[query]);
    if (!current()) return;
    const order = table.methods.map((_, method) => method).sort((x, y) => scores[y] - scores[x] || table.methods[y].mean - table.methods[x].mean);
    const column = (letter, method) => element("div", {}, element("h3", {}, `${letter}: `, text(table.methods[method].name), ` ${share(scores[method] / top)}`), ranking(found.ranked[method], found.gold));
    const button = (name, act) => {
      const made = element("button", { type: "button", textContent: name });
      made.addEventListener("click", act);
      return made;
    };
    const firsts = order.slice(0, 3).map((method) => `${table.methods[method].name} ranks first: ${named(found.ranked[method][0])}`);
    const close = async () => {
      await change({ q: "" });
      ([...list.querySelectorAll("a")].find((link) => link.dataset.query === id) ?? list).focus();
    };
    detail.replaceChildren(
      element("h2", {}, text(words[0])),
      ...(words[1] ? [element("p", { className: "note" }, "Instruction: ", text(words[1]))] : []),
      element("p", { className: "note" },
        ...(found.gold.length ? ["Right: ", ...found.gold.flatMap((tool, at) => [at ? ", " : "", text(named(tool), { className: "gold" })]), ". "] : []),
        "Query ", text(id), ". ", element("a", { href: address(), textContent: "Link to this query" }), " ",
        ...(found.gold.length ? [button("Is this label wrong?", () => ask(id, words, found.gold, firsts)), " "] : []), button("Close", close)),
      element("div", { className: "versus" }, column("A", a), column("B", b)),
      element("div", { className: "scroll", tabIndex: 0, role: "region", ariaLabel: "What every method ranked" },
        element("table", {},
          element("caption", {}, element("span", { textContent: "What every method ranked, the best first." })),
          element("thead", {}, element("tr", {}, ...["Method", "nDCG@10", "Ranking"].map((name) => element("th", { scope: "col", textContent: name })))),
          element("tbody", {}, ...order.map((method) => element("tr", {},
            element("th", { scope: "row" }, element("a", { href: `../methods/${table.methods[method].page}.html` }, text(table.methods[method].name))),
            element("td", { className: "number", textContent: share(scores[method] / top) }),
            element("td", {}, ranking(found.ranked[method], found.gold)),
          ))),
        )),
    );
    detail.scrollTop = 0;
    if (fresh) {
      detail.focus({ preventScroll: true });
      detail.scrollIntoView({ block: "nearest" });
    }
  };

  /** Show a text that says which label is doubted, the question first: an address holds little. */
  const ask = (id, words, gold, firsts) => {
    const brief = (content) => (content.length > 400 ? `${content.slice(0, 400)}…` : content);
    const title = `Label of ${box.dataset.task}, query ${id}`;
    const lines = [
      "What is wrong with the label, and which tools would be right:", "", "",
      `Task: ${box.dataset.task}`, `Query: ${id}`, `Text: ${brief(words[0])}`, ...(words[1] ? [`Instruction: ${brief(words[1])}`] : []),
      `Labelled right: ${brief(gold.map((tool) => `${tool[1] ?? tool[0]} (${tool[0]})`).join(", "))}`, ...firsts.map(brief),
    ];
    dialog.querySelector("textarea").value = `${title}\n\n${lines.join("\n")}`;
    dialog.querySelector("output").textContent = "";
    const link = dialog.querySelector("[data-do=open]");
    while (encodeURIComponent(lines.join("\n")).length > 6000) lines.pop();
    if (link) link.href = `${box.dataset.repository}/issues/new?${new URLSearchParams({ title, body: lines.join("\n") })}`;
    dialog.showModal();
  };
  dialog.addEventListener("click", async (event) => {
    if (event.target.dataset.do === "close") dialog.close();
    if (event.target.dataset.do !== "copy") return;
    const area = dialog.querySelector("textarea");
    area.focus();
    area.select();
    let told = "Copied.";
    try {
      await navigator.clipboard.writeText(area.value);
    } catch {
      told = "Selected: press Ctrl+C.";
    }
    dialog.querySelector("output").textContent = told;
  });

  let waiting;
  form.addEventListener("input", ({ target }) => {
    clearTimeout(waiting);
    waiting = setTimeout(() => change({ [target.name]: target.value, page: 0 }), target.name === "find" ? 200 : 0);
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  addEventListener("hashchange", () => {
    if (location.hash && !location.hash.includes("=")) {
      history.replaceState(null, "", address()); // a link within the page, such as the skip link
      return;
    }
    const before = state.q;
    read();
    draw(state.q !== before);
  });
  read();
  draw(true);
})();
