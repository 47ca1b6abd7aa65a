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
