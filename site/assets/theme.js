// Runs before anything is painted: whether scripts run, and the colours that were chosen.
(() => {
  const root = document.documentElement;
  const names = { "": "as the system has them", light: "light", dark: "dark" };
  const order = ["", "light", "dark"];
  let chosen = "";
  try {
    chosen = localStorage.getItem("tool-bench-theme") || "";
  } catch {
    // no storage: the choice lasts as long as the page
  }
  const apply = () => {
    if (chosen) root.dataset.theme = chosen;
    else delete root.dataset.theme;
    const button = document.getElementById("theme");
    if (button) button.setAttribute("aria-label", `Colours: ${names[chosen]}`);
  };
  root.classList.add("js");
  if (!(chosen in names)) chosen = "";
  apply();
  addEventListener("DOMContentLoaded", () => {
    apply();
    document.getElementById("theme").addEventListener("click", () => {
      chosen = order[(order.indexOf(chosen) + 1) % order.length];
      apply();
      try {
        localStorage.setItem("tool-bench-theme", chosen);
      } catch {
        // as above
      }
    });
  });
})();
