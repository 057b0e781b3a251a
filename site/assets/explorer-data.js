// Reads the explorer's pieces. They are scripts, because a page opened from a folder may read no
// other files; tool_bench/leaderboard/explorer.py writes them and says what is in them.
"use strict";
const toolBench = (() => {
  const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const value = new Map([...digits].map((digit, index) => [digit, index]));
  const here = document.currentScript.src.replace(/assets\/[^/]*$/, "");
  const loaded = new Map();
  const tables = new Map();
  let arrived;

  /** Called by a piece with what it holds. */
  const put = (name, content) => {
    arrived = { name, content };
  };

  /** Return a promise of the piece `name` of `table`; each is loaded once. */
  const piece = (table, name) => {
    const build = document.getElementById("explorer").dataset.build; // no cache mixes two builds
    const address = `${here}explore/${encodeURIComponent(table)}/${encodeURIComponent(name)}.js?v=${build}`;
    if (!loaded.has(address)) {
      loaded.set(
        address,
        new Promise((resolve, reject) => {
          const script = document.createElement("script");
          const fail = () => {
            loaded.delete(address);
            reject(new Error(`${name}.js of ${table} cannot be loaded`));
          };
          script.src = address;
          script.onload = () => {
            const got = arrived;
            arrived = undefined;
            script.remove();
            if (got?.name === name) resolve(got.content);
            else fail(); // it loaded and was no piece
          };
          script.onerror = () => {
            script.remove();
            fail();
          };
          document.head.append(script);
        }),
      );
    }
    return loaded.get(address);
  };

  /** Return the numbers of `text`, `width` digits of base 64 each. */
  const unpack = (text, width) => {
    const numbers = new Array(text.length / width);
    for (let place = 0; place < numbers.length; place += 1) {
      let number = 0;
      for (let digit = 0; digit < width; digit += 1) number = number * 64 + value.get(text[place * width + digit]);
      numbers[place] = number;
    }
    return numbers;
  };

  /** Return whether a slice, as its bits have it, holds query number `query`. */
  const holds = (bits, query) => ((value.get(bits[Math.floor(query / 6)]) >> (5 - (query % 6))) & 1) === 1;

  /** Return a promise of a table: its index, and what its pieces say of a query. */
  const table = (name) => {
    if (!tables.has(name)) {
      tables.set(
        name,
        make(name).catch((error) => {
          tables.delete(name);
          throw error;
        }),
      );
    }
    return tables.get(name);
  };

  const make = async (name) => {
    const index = await piece(name, "index");
    const slices = new Map(index.slices);
    return {
      name,
      methods: index.methods.map(([method, page, mean]) => ({ name: method, page, mean })),
      ids: index.ids,
      means: unpack(index.mean, 3),
      hasData: index.texts > 0,
      slices: [...slices.keys()],
      inSlice: (slice, query) => holds(slices.get(slice), query),
      scores: async (method) => unpack(await piece(name, `score-${method}`), 3),
      text: async (query) => {
        if (!index.texts) return [index.ids[query], ""];
        return (await piece(name, `text-${Math.floor(query / index.texts)}`)).queries[query % index.texts];
      },
      rankings: async (query) => {
        const found = await piece(name, `rank-${Math.floor(query / index.ranks)}`);
        const row = query % index.ranks;
        const places = unpack(found.ranked[row], 3);
        return {
          gold: found.gold[row].map((place) => found.tools[place]),
          ranked: index.methods.map((_, method) =>
            places.slice(method * 10, method * 10 + 10).filter((place) => place > 0).map((place) => found.tools[place - 1]),
          ),
        };
      },
    };
  };

  return { put, table };
})();
