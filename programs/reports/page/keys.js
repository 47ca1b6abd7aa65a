// Keys. Those of one character can be turned off, since speech input and screen readers may send them unasked.

const keys = { single: kept.get("keys") !== "off" };

function makeKeys() {
  const box = byId("single-keys");
  box.checked = keys.single;
  box.addEventListener("change", () => {
    keys.single = box.checked;
    kept.set("keys", box.checked ? "on" : "off");
  });
  byId("show-keys").addEventListener("click", () => byId("keys").showModal());
  byId("close-keys").addEventListener("click", () => byId("keys").close());
  document.addEventListener("keydown", pressed);
}

function pressed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || byId("keys").open) return;
  const typing = event.target.closest?.("input:not([type=checkbox]), select, textarea");
  if (event.key === "Escape") return escape(typing);
  if (typing) return;
  const action = actions()[event.key];
  if (action === undefined || (event.key.length === 1 && !keys.single)) return;
  // The arrows scroll what has the focus and can be scrolled.
  if (event.key.startsWith("Arrow") && event.target.closest?.(".scroll, .passage, .beside, summary")) return;
  event.preventDefault();
  action();
}

function actions() {
  const search = { "/": () => go({ view: "traces" }) || setTimeout(() => byId("search").focus()) };
  const views = {
    1: () => go({ view: "overview" }),
    2: () => go({ view: "traces" }),
    ...(byId("pairs") ? { 3: () => go({ view: "pairs" }) } : {}),
    "?": () => byId("keys").showModal(),
  };
  const moves = { traces: inList, trace: inTrace }[route.view]?.() ?? {};
  return { ...search, ...views, ...moves };
}

function inList() {
  const links = [...byId("rows").querySelectorAll("a")];
  const at = links.indexOf(document.activeElement);
  const next = () => (at + 1 < links.length ? links[at + 1]?.focus() : route.page < list.pages && turnTo(route.page + 1));
  const previous = () => (at > 0 ? links[at - 1].focus() : links[0]?.focus());
  return { j: next, ArrowDown: next, k: previous, ArrowUp: previous, n: () => turnTo(route.page + 1), p: () => turnTo(route.page - 1) };
}

function inTrace() {
  const steps = [...byId("trace").querySelectorAll(".step button")];
  const at = steps.indexOf(document.activeElement);
  const next = () => steps[Math.min(at + 1, steps.length - 1)]?.focus();
  const previous = () => steps[Math.max(at - 1, 0)]?.focus();
  const place = list.rows.indexOf(shown.row);
  const turn = (by) => () => list.rows[place + by] && place >= 0 && go({ view: "trace", trace: list.rows[place + by].key });
  return { j: next, ArrowDown: next, k: previous, ArrowUp: previous, n: turn(1), p: turn(-1) };
}

function escape(typing) {
  if (typing) return typing.blur();
  if (route.view === "trace") go({ view: "traces" });
}

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
