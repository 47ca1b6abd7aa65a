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
