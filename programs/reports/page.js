"use strict";
// Shows the list of traces, and a single trace beside its passage. Text is only inserted as text, never parsed as HTML.

const PAGE_SIZE = 50, ANY = "any";
const list = { all: [], found: [], shown: PAGE_SIZE, searches: 0 };
const byId = (id) => document.getElementById(id);
const words = (name) => String(name).replaceAll("_", " ");
const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
const known = (values) => Object.entries(values).filter(([, value]) => value !== null);

function element(name, attributes, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children.flat());
  return node;
}

const muted = (...text) => element("p", { class: "muted" }, ...text);
const prose = (text) => element("p", { class: "prose" }, text);
const linkTo = (row, text) => element("a", { href: `#trace=${encodeURIComponent(row.key)}` }, text);

/** Decompresses and parses a piece of the page. */
async function unpack(id) {
  const bytes = Uint8Array.from(atob(byId(id).textContent), (char) => char.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"))).json();
}

const recordOf = (row) => unpack(`record-${list.all.indexOf(row)}`);

function addSelect(name, options) {
  const select = element("select", { name }, options.map(([value, shown]) => element("option", { value }, shown)));
  select.addEventListener("change", showList);
  byId("filters").append(element("label", {}, `${name} `, select));
}

/** Adds a select for each facet in which traces differ, and one for the sort order. */
function makeFilters() {
  for (const name of Object.keys(list.all[0]?.facets ?? {})) {
    const counts = new Map();
    for (const value of list.all.flatMap((row) => row.facets[name])) counts.set(value, (counts.get(value) ?? 0) + 1);
    const values = [...counts].sort(([, one], [, other]) => other - one);
    if (values.every(([, count]) => count === list.all.length)) continue;
    addSelect(name, [[ANY, ANY], ...values.map(([value, count]) => [value, `${words(value)} (${count})`])]);
  }
  const scores = [...new Set(list.all.flatMap((row) => known(row.scores).map(([name]) => name)))];
  const orders = scores.flatMap((name) => [[`-${name}`, `highest ${name}`], [`+${name}`, `lowest ${name}`]]);
  addSelect("Order", [["", "as in the document"], ...orders]);
}

async function showList() {
  const searchNumber = ++list.searches;
  const { Order: order, ...chosen } = Object.fromEntries(new FormData(byId("filters")));
  const wanted = Object.entries(chosen).filter(([, value]) => value !== ANY);
  const passes = (row) => wanted.every(([name, value]) => row.facets[name].includes(value));
  const found = await search(list.all.filter(passes), searchNumber);
  if (found === null) return;
  // In both directions, rows without the score come last.
  const direction = order.startsWith("-") ? -1 : 1;
  const value = (row) => (row.scores[order.slice(1)] ?? direction * Infinity) * direction;
  list.found = order ? found.sort((one, other) => value(one) - value(other) || 0) : found;
  list.shown = PAGE_SIZE;
  showRows();
}

/** The rows that contain every word, if asked for also in the texts of their records; null once a newer search starts. */
async function search(rows, searchNumber) {
  const wanted = byId("search").value.toLowerCase().split(/\s+/);
  const has = (...texts) => wanted.every((word) => texts.join("\n").toLowerCase().includes(word));
  if (!byId("in-texts").checked) return rows.filter((row) => has(row.question, ...row.about));
  byId("found").textContent = "Searching the texts …";
  const found = [];
  for (const row of rows) {
    const record = await recordOf(row);
    if (searchNumber !== list.searches) return null;
    if (has(row.question, ...row.about, record.reasoning_trace, record.final_answer, record.passage)) found.push(row);
  }
  return found;
}

function showRows() {
  const [found, all] = [list.found, list.all].map((rows) => rows.length.toLocaleString("en-US"));
  byId("found").textContent = `${found} of ${all} traces`;
  byId("rows").replaceChildren(rowsOf(list.found.slice(0, list.shown)));
  byId("more").hidden = list.shown >= list.found.length;
}

const rowsOf = (rows) =>
  element("ol", { class: "rows" }, rows.map((row) => element("li", {}, linkTo(row, row.question), about(row))));

/** A line with the facts about a trace. */
function about(row) {
  const scores = known(row.scores).map(([name, value]) => `${name} ${textOf(value)}`);
  return muted([...Object.values(row.facets).flat().map(words), ...row.about, ...scores].join(" · "));
}

async function showTrace(key) {
  const article = byId("trace");
  const row = list.all.find((candidate) => candidate.key === key);
  if (!row) return article.replaceChildren(element("h2", {}, "No such trace"), `This page has no trace ${key}.`);
  const { passage, steps = [], evidence = [], ...record } = await recordOf(row);
  const chars = [...(passage ?? "")];
  const thought = steps.length ? steps.map((step) => quotation(step, chars)) : prose(record.reasoning_trace);
  const beside = element("div", { class: "passage" }, section("Passage", markedPassage(chars, [...steps, ...evidence])));
  const others = list.all.filter((other) => other !== row && other.asked === row.asked);
  article.replaceChildren(
    neighbours(row),
    element("h2", {}, row.question),
    about(row),
    element("div", { class: "beside" }, section("Thought", thought), beside),
    section("Answer", prose(record.final_answer)),
    section("Evidence", evidence.map((item) => quotation(item, chars))),
    section("Other attempts and variations of this question", others.length ? rowsOf(others) : []),
    ...partsOf(record.judged),
    element("details", {}, element("summary", {}, "How it was made"), partsOf(record.made)),
  );
  article.dataset.shown = key;
}

/** Content with a title; an empty string if there is no content. */
function section(title, content) {
  const parts = [content].flat();
  return parts.length ? element("section", {}, element("h3", {}, title), parts) : "";
}

function neighbours(row) {
  const index = list.found.indexOf(row);
  const others = index < 0 ? [] : [["Previous", list.found[index - 1]], ["Next", list.found[index + 1]]];
  const links = others.filter(([, other]) => other).flatMap(([name, other]) => [" · ", linkTo(other, name)]);
  return element("p", {}, element("a", { href: "#traces" }, "All traces"), links);
}

/** The range of a quote in the passage, in code points, as in the record; null if the quote is not there. */
const rangeOf = ({ quote, start, end }, chars) =>
  quote && chars.slice(start, end).join("") === quote ? [start, end] : null;

/** The passage, with what steps and evidence quote marked. */
function markedPassage(chars, quotes) {
  if (!chars.length) return muted("The document does not hold the passage.");
  const ranges = quotes.map((item) => rangeOf(item, chars)).filter(Boolean);
  const cuts = [...new Set([0, chars.length, ...ranges.flat()])].sort((one, other) => one - other);
  const parts = cuts.slice(1).map((end, index) => {
    const [start, part] = [cuts[index], chars.slice(cuts[index], end).join("")];
    const quoted = ranges.some(([from, to]) => from <= start && end <= to);
    return quoted ? element("mark", { "data-from": start }, part) : part;
  });
  return element("div", { id: "passage", class: "prose", role: "region", tabindex: 0, "aria-label": "Passage" }, parts);
}

/** A step or a piece of evidence: its text and its quote, which is highlighted in the passage on hover or focus. */
function quotation({ text, claim, quote, start, end, ...others }, chars) {
  const range = rangeOf({ quote, start, end }, chars);
  const facts = Object.entries(others).map(([name, value]) => `${words(name)}: ${words(textOf(value))}`);
  const node = element("div", { class: "quoting", tabindex: 0 }, muted(facts.join(" · ")), prose(text ?? claim));
  if (quote && !range) node.append(muted("Not found in the passage:"));
  if (quote) node.append(element("blockquote", {}, quote));
  const highlight = () => {
    for (const mark of byId("trace").querySelectorAll("mark")) {
      const from = Number(mark.dataset.from);
      mark.classList.toggle("lit", range !== null && range[0] <= from && from < range[1]);
    }
  };
  // Not mouseenter, which also fires if the page scrolls under a resting pointer.
  for (const event of ["mousemove", "focus"]) node.addEventListener(event, highlight);
  return node;
}

/** Any value of a record as text. */
function textOf(value) {
  if (value === null || value === undefined) return "not known";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "number") return String(Number(value.toFixed(3)));
  if (Array.isArray(value)) return value.map(textOf).join(", ");
  if (!isObject(value)) return value;
  return Object.entries(value).map(([name, part]) => `${words(name)}: ${textOf(part)}`).join("; ");
}

/** The parts of a record: a table for a list of objects, pairs for an object. Single values come at the end. */
function partsOf(parts) {
  const isPart = ([, part]) => isObject(part) || (Array.isArray(part) && part.every(isObject));
  const shown = Object.entries(parts).filter(isPart).map(([name, part]) =>
    section(words(name), isObject(part) ? pairsOf(Object.entries(part)) : tableOf(part, words(name))));
  const values = Object.entries(parts).filter((entry) => !isPart(entry));
  return [...shown, section("Trace", values.length ? pairsOf(values) : [])];
}

function pairsOf(pairs) {
  const pair = ([name, value]) => element("div", {}, element("dt", {}, words(name)), element("dd", {}, textOf(value)));
  return element("dl", { class: "pairs" }, pairs.map(pair));
}

function tableOf(part, title) {
  const columns = [...new Set(part.flatMap(Object.keys))];
  const head = element("tr", {}, columns.map((name) => element("th", { scope: "col" }, words(name))));
  const rows = part.map((row) => element("tr", {}, columns.map((name) => element("td", {}, textOf(row[name])))));
  const table = element("table", {}, element("thead", {}, head), element("tbody", {}, rows));
  return element("div", { class: "scroll", role: "region", tabindex: 0, "aria-label": title }, table);
}

/** Shows what the URL names: #overview, #traces or #trace=KEY. */
async function showView() {
  const [view, key = ""] = location.hash.slice(1).split("=");
  const shown = ["traces", "trace"].includes(view) ? view : "overview";
  if (shown === "trace") await showTrace(decodeURIComponent(key));
  for (const part of document.querySelectorAll("main > [id]")) part.hidden = part.id !== shown;
  for (const tab of document.querySelectorAll("nav a")) tab.toggleAttribute("aria-current", tab.hash === `#${shown}`);
  if (shown === "trace") scrollTo(0, 0);
}

async function startPage() {
  list.all = await unpack("index");
  makeFilters();
  byId("filters").addEventListener("submit", (event) => event.preventDefault());
  for (const id of ["search", "in-texts"]) byId(id).addEventListener("input", showList);
  byId("more").addEventListener("click", () => {
    list.shown += PAGE_SIZE;
    showRows();
  });
  addEventListener("hashchange", showView);
  await showList();
  await showView();
  document.documentElement.dataset.ready = "yes";
}

startPage();
