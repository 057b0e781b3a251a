// Reads the explorer's pieces. They are scripts, because a page opened from a folder may read no
// other files; tool_bench/leaderboard/explorer.py writes them and says what is in them.
"use strict";
const toolBench = (() => {
  const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const value = new Map([...digits].map((digit, index) => [digit, index]));
  const here = document.currentScript.src.replace(/assets\/[^/]*$/, "");
  const loaded = new Map();
  let arrived;

  /** Called by a piece with what it holds. */
  const put = (name, content) => {
    arrived = { name, content };
  };

  /** Return a promise of the piece `name` of `table`; each is loaded once. */
  const piece = (table, name) => {
    const address = `${here}explore/${encodeURIComponent(table)}/${encodeURIComponent(name)}.js`;
    if (!loaded.has(address)) {
      loaded.set(
        address,
        new Promise((resolve, reject) => {
          const script = document.createElement("script");
          script.src = address;
          script.onload = () => {
            script.remove();
            resolve(arrived.content);
          };
          script.onerror = () => {
            script.remove();
            loaded.delete(address);
            reject(new Error(`${name}.js of ${table} cannot be loaded`));
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

  /** Return which of `count` queries a slice has, as an array of booleans. */
  const members = (text, count) => {
    const own = new Array(count);
    for (let query = 0; query < count; query += 1) own[query] = ((value.get(text[Math.floor(query / 6)]) >> (5 - (query % 6))) & 1) === 1;
    return own;
  };

  return { put, piece, unpack, members };
})();
