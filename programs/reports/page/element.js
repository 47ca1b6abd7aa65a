// Elements from data. Text only ever becomes text: nothing here reads markup.

/** An element with these properties (class, data-..., aria-... and others as attributes) and children (null: none). */
function element(name, properties, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else made.setAttribute(key, value === true ? "" : String(value));
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
  return made;
}

const byId = (id) => document.getElementById(id);
const inWords = (name) => String(name).replaceAll("_", " ");
const number = (value, digits = 0) =>
  value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });

/** Once, when nothing has called it for `wait` milliseconds. */
function later(wait, action) {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(action, wait);
  };
}

/** What the browser keeps for this page, where it keeps anything. */
const kept = {
  get(name) {
    try {
      return localStorage.getItem(`synthreasoner.${name}`);
    } catch {
      return null;
    }
  },
  set(name, value) {
    try {
      localStorage.setItem(`synthreasoner.${name}`, value);
    } catch {
      // Without storage the choice lasts as long as the page.
    }
  },
};
