"use strict";
// The list of traces, and one of them beside its passage. Text only ever becomes text: nothing here reads markup.

const PAGE = 50, ANY = "any";
const list = { all: [], found: [], shown: PAGE, search: 0 };
const byId = (id) => document.getElementById(id);
const words = (name) => String(name).replaceAll("_", " ");
const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
const known = (values) => Object.entries(values).filter(([, value]) => value !== null);

function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children.flat());
  return made;
}

const muted = (...text) => element("p", { class: "muted" }, ...text);
const prose = (text) => element("p", { class: "prose" }, text);
const linkTo = (row, text) => element("a", { href: `#trace=${encodeURIComponent(row.key)}` }, text);

/** What a compressed piece of the page holds. */
async function unpacked(id) {
  const bytes = Uint8Array.from(atob(byId(id).textContent), (sign) => sign.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"))).json();
}

const recordOf = (row) => unpacked(`record-${list.all.indexOf(row)}`);

function choice(name, options) {
  const select = element("select", { name }, options.map(([value, shown]) => element("option", { value }, shown)));
  select.addEventListener("change", showList);
  byId("filters").append(element("label", {}, `${name} `, select));
}

/** A choice for each facet that tells traces apart, and one for the order. */
function makeFilters() {
  for (const name of Object.keys(list.all[0]?.facets ?? {})) {
    const counts = new Map();
    for (const value of list.all.flatMap((row) => row.facets[name])) counts.set(value, (counts.get(value) ?? 0) + 1);
    const values = [...counts].sort(([, one], [, other]) => other - one);
    if (values.every(([, count]) => count === list.all.length)) continue;
    choice(name, [[ANY, ANY], ...values.map(([value, count]) => [value, `${words(value)} (${count})`])]);
  }
  const scores = [...new Set(list.all.flatMap((row) => known(row.scores).map(([name]) => name)))];
  const orders = scores.flatMap((name) => [[`-${name}`, `highest ${name}`], [`+${name}`, `lowest ${name}`]]);
  choice("Order", [["", "as in the document"], ...orders]);
}

async function showList() {
  const serial = ++list.search;
  const { Order: order, ...chosen } = Object.fromEntries(new FormData(byId("filters")));
  const wanted = Object.entries(chosen).filter(([, value]) => value !== ANY);
  const passes = (row) => wanted.every(([name, value]) => row.facets[name].includes(value));
  const found = await searched(list.all.filter(passes), serial);
  if (found === null) return;
  // Those without the score stand last, whichever way.
  const sign = order.startsWith("-") ? -1 : 1;
  const value = (row) => (row.scores[order.slice(1)] ?? sign * Infinity) * sign;
  list.found = order ? found.sort((one, other) => value(one) - value(other) || 0) : found;
  list.shown = PAGE;
  showRows();
}

/** The rows that have every word, by name or, record by record, in their texts; null once another search has begun. */
async function searched(rows, serial) {
  const wanted = byId("search").value.toLowerCase().split(/\s+/);
  const has = (...texts) => wanted.every((word) => texts.join("\n").toLowerCase().includes(word));
  if (!byId("in-texts").checked) return rows.filter((row) => has(row.question, ...row.about));
  byId("found").textContent = "Searching the texts …";
  const found = [];
  for (const row of rows) {
    const record = await recordOf(row);
    if (serial !== list.search) return null;
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

/** One line of what a trace is. */
function about(row) {
  const scores = known(row.scores).map(([name, value]) => `${name} ${plain(value)}`);
  return muted([...Object.values(row.facets).flat().map(words), ...row.about, ...scores].join(" · "));
}

async function showTrace(key) {
  const article = byId("trace");
  const row = list.all.find((one) => one.key === key);
  if (!row) return article.replaceChildren(element("h2", {}, "No such trace"), `This page holds no trace ${key}.`);
  const { passage, steps = [], evidence = [], ...record } = await recordOf(row);
  const signs = [...(passage ?? "")];
  const whole = record.reasoning_trace.replace(/^\s*<thought>|<\/thought>\s*$/g, "").trim();
  const thought = steps.length ? steps.map((step) => quoting(step, signs)) : prose(whole);
  const beside = element("div", { class: "passage" }, section("Passage", passageOf(signs, [...steps, ...evidence])));
  const others = list.all.filter((other) => other !== row && other.asked === row.asked);
  article.replaceChildren(
    steppers(row),
    element("h2", {}, row.question),
    about(row),
    element("div", { class: "beside" }, section("Thought", thought), beside),
    section("Answer", prose(record.final_answer)),
    section("Evidence", evidence.map((item) => quoting(item, signs))),
    section("Other attempts and variations of this question", others.length ? rowsOf(others) : []),
    ...partsOf(record.judged),
    element("details", {}, element("summary", {}, "How it was made"), partsOf(record.made)),
  );
  article.dataset.shown = key;
}

/** A part with its title; nothing where there is nothing to show. */
function section(title, content) {
  const parts = [content].flat();
  return parts.length ? element("section", {}, element("h3", {}, title), parts) : "";
}

function steppers(row) {
  const at = list.found.indexOf(row);
  const others = at < 0 ? [] : [["Previous", list.found[at - 1]], ["Next", list.found[at + 1]]];
  const links = others.filter(([, other]) => other).flatMap(([name, other]) => [" · ", linkTo(other, name)]);
  return element("p", {}, element("a", { href: "#traces" }, "All traces"), links);
}

/** Where a quote stands in the passage, in code points, as the record counts them. Null where it does not. */
const placeOf = ({ quote, start, end }, signs) =>
  quote && signs.slice(start, end).join("") === quote ? [start, end] : null;

/** The passage, marked where steps and evidence quote it. */
function passageOf(signs, quotes) {
  if (!signs.length) return muted("The document does not hold the passage.");
  const places = quotes.map((each) => placeOf(each, signs)).filter(Boolean);
  const cuts = [...new Set([0, signs.length, ...places.flat()])].sort((one, other) => one - other);
  const parts = cuts.slice(1).map((end, at) => {
    const [start, part] = [cuts[at], signs.slice(cuts[at], end).join("")];
    const quoted = places.some(([from, to]) => from <= start && end <= to);
    return quoted ? element("mark", { "data-from": start }, part) : part;
  });
  return element("div", { id: "passage", class: "prose", role: "region", tabindex: 0, "aria-label": "Passage" }, parts);
}

/** A step or a piece of evidence: its text, and what it rests on, which lights up in the passage. */
function quoting({ text, claim, quote, start, end, ...said }, signs) {
  const place = placeOf({ quote, start, end }, signs);
  const facts = Object.entries(said).map(([name, value]) => `${words(name)}: ${words(plain(value))}`);
  const made = element("div", { class: "quoting", tabindex: 0 }, muted(facts.join(" · ")), prose(text ?? claim));
  if (quote && !place) made.append(muted("Not found in the passage:"));
  if (quote) made.append(element("blockquote", {}, quote));
  const light = () => {
    for (const mark of byId("trace").querySelectorAll("mark")) {
      const from = Number(mark.dataset.from);
      mark.classList.toggle("lit", place !== null && place[0] <= from && from < place[1]);
    }
  };
  // Not when the page moves under a pointer that rests: mouseenter would be sent.
  for (const event of ["mousemove", "focus"]) made.addEventListener(event, light);
  return made;
}

/** Whatever a record holds as a text, by its form alone. */
function plain(value) {
  if (value === null || value === undefined) return "not known";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "number") return String(Number(value.toFixed(3)));
  if (Array.isArray(value)) return value.map(plain).join(", ");
  if (!isObject(value)) return value;
  return Object.entries(value).map(([name, part]) => `${words(name)}: ${plain(part)}`).join("; ");
}

/** The parts of a record: a table for a list of objects, pairs for an object; what is a value alone stands at the end. */
function partsOf(parts) {
  const isPart = ([, part]) => isObject(part) || (Array.isArray(part) && part.every(isObject));
  const shown = Object.entries(parts).filter(isPart).map(([name, part]) =>
    section(words(name), isObject(part) ? pairsOf(Object.entries(part)) : tableOf(part, words(name))));
  const values = Object.entries(parts).filter((entry) => !isPart(entry));
  return [...shown, section("Trace", values.length ? pairsOf(values) : [])];
}

function pairsOf(pairs) {
  const pair = ([name, value]) => element("div", {}, element("dt", {}, words(name)), element("dd", {}, plain(value)));
  return element("dl", { class: "pairs" }, pairs.map(pair));
}

function tableOf(part, title) {
  const columns = [...new Set(part.flatMap(Object.keys))];
  const head = element("tr", {}, columns.map((name) => element("th", { scope: "col" }, words(name))));
  const rows = part.map((row) => element("tr", {}, columns.map((name) => element("td", {}, plain(row[name])))));
  const table = element("table", {}, element("thead", {}, head), element("tbody", {}, rows));
  return element("div", { class: "scroll", role: "region", tabindex: 0, "aria-label": title }, table);
}

/** Shows what the address says: #overview, #traces or #trace=KEY. */
async function follow() {
  const [view, key = ""] = location.hash.slice(1).split("=");
  const shown = ["traces", "trace"].includes(view) ? view : "overview";
  if (shown === "trace") await showTrace(decodeURIComponent(key));
  for (const part of document.querySelectorAll("main > [id]")) part.hidden = part.id !== shown;
  for (const tab of document.querySelectorAll("nav a")) tab.toggleAttribute("aria-current", tab.hash === `#${shown}`);
  if (shown === "trace") scrollTo(0, 0);
}

async function begin() {
  list.all = await unpacked("index");
  makeFilters();
  byId("filters").addEventListener("submit", (event) => event.preventDefault());
  for (const id of ["search", "in-texts"]) byId(id).addEventListener("input", showList);
  byId("more").addEventListener("click", () => {
    list.shown += PAGE;
    showRows();
  });
  addEventListener("hashchange", follow);
  await showList();
  await follow();
  document.documentElement.dataset.ready = "yes";
}

begin();
