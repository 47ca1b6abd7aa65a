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

// The compressed pieces of the page: the index, and the traces by the piece that holds them.

const pieces = new Map();
const PIECES_KEPT = 12;

/** What a piece holds. */
async function unpacked(id) {
  const binary = atob(byId(id).textContent);
  const bytes = new Uint8Array(binary.length);
  for (let at = 0; at < binary.length; at++) bytes[at] = binary.charCodeAt(at);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return JSON.parse(await new Response(stream).text());
}

/** A piece; the last few stay in memory. */
function piece(place) {
  const held = pieces.get(place) ?? unpacked(`piece-${place}`);
  pieces.delete(place);
  pieces.set(place, held);
  if (pieces.size > PIECES_KEPT) pieces.delete(pieces.keys().next().value);
  return held;
}

/** The rest of a trace: its record without what its row has, and `text`, the passage (null: none). */
async function opened(row) {
  const held = await piece(row.chunk);
  const trace = held.traces[row.place];
  return { ...trace, text: held.passages[trace.passage] };
}

/** The paragraphs of a thought. */
const paragraphs = (trace) => (trace.thought === undefined ? trace.steps.map((step) => step.text) : [trace.thought]);

// The rows of all traces, and which belong together.

const traces = { rows: [], byKey: new Map(), byQuestion: new Map(), byPassage: new Map(), facts: {} };

async function readIndex() {
  const { fields, names, rows, ...facts } = await unpacked("index");
  traces.facts = facts;
  traces.rows = rows.map((values, order) => {
    const row = { order };
    fields.forEach((field, place) => {
      row[field] = field in names ? names[field][values[place]] : values[place];
    });
    return row;
  });
  for (const row of traces.rows) {
    row.asked = row.question_id ?? `${row.passage} ${row.question}`;
    traces.byKey.set(row.key, row);
    together(traces.byQuestion, row.asked, row);
    together(traces.byPassage, row.passage, row);
  }
}

function together(groups, name, row) {
  if (!groups.has(name)) groups.set(name, []);
  groups.get(name).push(row);
}

/** Traces that stand beside one: each a title and its rows. */
function relatives(row) {
  const asked = traces.byQuestion.get(row.asked).filter((other) => other !== row);
  const ours = asked.filter((other) => other.run === row.run);
  const attempt = (other) => row.unit !== null && other.unit === row.unit;
  const others = traces.byPassage.get(row.passage).filter((other) => other.run !== row.run);
  const compared = asked.filter((other) => other.run !== row.run);
  return {
    attempts: ours.filter(attempt),
    variations: ours.filter((other) => !attempt(other)),
    compared: compared.length ? compared : others,
    sameQuestion: compared.length > 0,
    passage: traces.byPassage
      .get(row.passage)
      .filter((other) => other.run === row.run && other.asked !== row.asked),
  };
}

const runName = (row) => traces.facts.runs[row.run];

/** The score that two traces are compared by. */
const scoreOf = (row) => row.score ?? row.grade;
