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
