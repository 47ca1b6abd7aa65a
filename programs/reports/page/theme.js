// Light, dark, or as the system has it.

const THEMES = ["system", "light", "dark"];

function makeTheme() {
  const set = (name) => {
    if (name === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = name;
    byId("theme-name").textContent = name;
  };
  let now = THEMES.includes(kept.get("theme")) ? kept.get("theme") : "system";
  set(now);
  byId("theme").addEventListener("click", () => {
    now = THEMES[(THEMES.indexOf(now) + 1) % THEMES.length];
    set(now);
    kept.set("theme", now);
  });
}
