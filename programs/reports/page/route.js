// What the page shows, in its address: #view=traces&type=mechanism&q=lensing, or #trace=ID.

const route = { view: "overview", trace: null, query: "", texts: false, sort: "order", page: 1, chosen: {}, ranges: {} };

function readAddress() {
  const said = new URLSearchParams(location.hash.slice(1));
  route.trace = said.get("trace");
  route.view = route.trace === null ? (said.get("view") ?? "overview") : "trace";
  route.query = said.get("q") ?? "";
  route.texts = said.has("texts");
  route.sort = said.get("sort") ?? "order";
  route.page = Math.max(1, Number(said.get("page")) || 1);
  route.chosen = {};
  route.ranges = {};
  for (const facet of FACETS) route.chosen[facet.field] = new Set(said.getAll(facet.field));
  for (const range of RANGES) {
    const [low, high] = (said.get(range.field) ?? ":").split(":");
    route.ranges[range.field] = { low: bound(low), high: bound(high) };
  }
}

const bound = (text) => (text === "" || text === undefined || Number.isNaN(Number(text)) ? null : Number(text));

/** The address of what is shown, with `changes` to it. */
function address(changes = {}) {
  const wanted = { ...route, ...changes };
  const said = new URLSearchParams();
  if (wanted.view === "trace") said.set("trace", wanted.trace);
  else said.set("view", wanted.view);
  if (wanted.query) said.set("q", wanted.query);
  if (wanted.texts) said.set("texts", "1");
  if (wanted.sort !== "order") said.set("sort", wanted.sort);
  if (wanted.page > 1) said.set("page", wanted.page);
  for (const [field, values] of Object.entries(wanted.chosen)) for (const value of values) said.append(field, value);
  for (const [field, { low, high }] of Object.entries(wanted.ranges)) {
    if (low !== null || high !== null) said.set(field, `${low ?? ""}:${high ?? ""}`);
  }
  return `#${said}`;
}

const linkTo = (row) => address({ view: "trace", trace: row.key });

/** Goes there, so that the browser's Back leads here again. */
function go(changes) {
  location.hash = address(changes);
}

/** Notes in the address what has been chosen, without a step for Back. */
function note() {
  history.replaceState(null, "", address());
}

// Search: every word must stand in a trace's question, title or domain (or be its id); or, piece by piece, in its texts.

const search = { serial: 0, hits: null, words: [], done: true };

const wordsOf = (query) => query.toLowerCase().split(/\s+/).filter(Boolean);

const namesOf = (row) => (row.names ??= `${row.question}\n${row.title}\n${row.domain}`.toLowerCase());

const inNames = (row, words) => words.every((word) => namesOf(row).includes(word) || row.key.toLowerCase() === word);

/** Whether a row is found so far. */
function isFound(row) {
  return search.words.length === 0 || inNames(row, search.words) || (search.hits?.has(row.key) ?? false);
}

/** Searches anew for what the route says; `progress` is called whenever more is found, and at the end. */
async function searchAnew(progress) {
  const serial = ++search.serial;
  search.words = wordsOf(route.query);
  search.hits = null;
  search.done = !(route.texts && search.words.length > 0);
  if (search.done) return;
  search.hits = new Set();
  const byPiece = Map.groupBy ? Map.groupBy(traces.rows, (row) => row.chunk) : grouped(traces.rows);
  let shown = performance.now();
  for (const [place, rows] of byPiece) {
    const held = await unpacked(`piece-${place}`);
    if (serial !== search.serial) return;
    const passages = held.passages.map((text) => (text ?? "").toLowerCase());
    for (const row of rows) {
      const trace = held.traces[row.place];
      const text = `${namesOf(row)}\n${paragraphs(trace).join("\n")}\n${trace.final_answer}`.toLowerCase();
      const passage = passages[trace.passage];
      if (search.words.every((word) => text.includes(word) || passage.includes(word))) search.hits.add(row.key);
    }
    if (performance.now() - shown > 250) {
      progress();
      shown = performance.now();
    }
  }
  search.done = true;
  progress();
}

function grouped(rows) {
  const groups = new Map();
  for (const row of rows) together(groups, row.chunk, row);
  return groups;
}
