// Traces beside each other: variations of a question, attempts that were turned down, the other run's.

const SHOWN_BESIDE = 8;

/** One section for each kind of relative that a trace has. */
async function besideOf(row, trace) {
  const found = relatives(row);
  const compared = found.sameQuestion ? "The same question in the other run" : "The same passage in the other run";
  const sections = [
    [`Variations of this question`, found.variations],
    ["Other attempts at this trace", found.attempts],
    [compared, found.compared],
  ];
  const made = [];
  for (const [title, rows] of sections) {
    if (rows.length === 0) continue;
    const shown = rows.slice(0, SHOWN_BESIDE);
    const columns = [columnOf(row, trace, row, "This trace")];
    for (const other of shown) columns.push(columnOf(other, await opened(other), row));
    const more = rows.length > shown.length ? linksTo(rows.slice(SHOWN_BESIDE)) : null;
    const region = element("div", { class: "beside", role: "region", tabindex: 0, "aria-label": title }, columns);
    made.push(part(`${title} (${number(rows.length)})`, region, more));
  }
  if (found.passage.length) made.push(part(`Other questions about this passage (${number(found.passage.length)})`, linksTo(found.passage)));
  return made;
}

const linksTo = (rows) =>
  element("ul", { class: "links" }, rows.slice(0, 50).map((row) => element("li", {}, element("a", { href: linkTo(row) }, row.question), " ", stateOf(row))));

function columnOf(row, trace, beside, title = null) {
  const name = title ?? columnName(row);
  const heading = row === beside ? name : element("a", { href: linkTo(row) }, name);
  const asked = row.question === beside.question ? null : element("p", {}, row.question);
  const verdicts = (trace.verdicts ?? []).map((verdict) =>
    element("p", { class: "why" }, `${verdict.judge}: ${verdict.scored ? said(verdict.overall) : "no score"}. ${verdictWords(verdict)}`));
  return element(
    "section",
    {},
    element("h4", {}, heading),
    element("p", { class: "row-meta" }, stateOf(row), element("span", {}, scoreText(row))),
    asked,
    verdicts,
    element("h5", {}, "Thought"),
    paragraphs(trace).map((text) => element("p", { class: "prose" }, text)),
    element("h5", {}, "Answer"),
    element("p", { class: "prose" }, trace.final_answer),
  );
}

function columnName(row) {
  const run = traces.facts.runs.length > 1 ? `${runName(row)}, ` : "";
  const variation = row.variation === null ? "" : `variation ${row.variation + 1}, `;
  return `${run}${variation}attempt ${(row.attempt ?? 0) + 1}`;
}

function scoreText(row) {
  const judged = row.score === null ? [] : [`judges ${number(row.score, 1)}`];
  const graded = row.grade === null ? [] : [`grade ${number(row.grade, 2)}`];
  return [...judged, ...graded].join(", ") || "no score";
}

// Two runs side by side: the traces of the same question, or else of the same passage.

const PAIRS_PAGE = 40;
const pairs = { all: [], page: 1 };

function makePairs() {
  const accepted = traces.rows.filter((row) => row.status === "accepted");
  const groups = new Map();
  for (const row of accepted) together(groups, row.asked, row);
  const left = new Map();
  for (const rows of groups.values()) {
    if (new Set(rows.map((row) => row.run)).size === 2) pairs.all.push(pairOf(rows, "same question"));
    else for (const row of rows) together(left, row.passage, row);
  }
  for (const rows of left.values()) {
    if (new Set(rows.map((row) => row.run)).size === 2) pairs.all.push(pairOf(rows, "same passage"));
  }
}

function pairOf(rows, by) {
  const sides = [0, 1].map((run) => rows.filter((row) => row.run === run));
  const means = sides.map((side) => meanOf(side.map(scoreOf)));
  // A judges' score and a grade are on different scales.
  const alike = new Set(rows.map((row) => row.score !== null)).size === 1 && !means.includes(null);
  return { by, sides, order: rows[0].order, title: rows[0].title, difference: alike ? means[1] - means[0] : null };
}

function meanOf(values) {
  const known = values.filter((value) => value !== null);
  return known.length ? known.reduce((sum, value) => sum + value, 0) / known.length : null;
}

function showPairs() {
  const orders = {
    order: (one, other) => one.order - other.order,
    loss: (one, other) => compared(one.difference, other.difference, 1),
    gain: (one, other) => compared(one.difference, other.difference, -1),
  };
  const rows = [...pairs.all].sort(orders[byId("pairs-sort").value]);
  const pages = Math.max(1, Math.ceil(rows.length / PAIRS_PAGE));
  pairs.page = Math.max(1, Math.min(pairs.page, pages));
  const start = (pairs.page - 1) * PAIRS_PAGE;
  byId("pair-rows").replaceChildren(...rows.slice(start, start + PAIRS_PAGE).map(pairRow));
  const questions = pairs.all.filter(({ by }) => by === "same question").length;
  const passages = pairs.all.length - questions;
  byId("pairs-found").textContent = `In both runs, with accepted traces: ${counted(questions, "question")}, ${counted(passages, "passage")}`;
  showPager(byId("pairs-pager"), pairs.page, pages, (page) => {
    pairs.page = page;
    showPairs();
  });
}

const counted = (count, name) => `${number(count)} ${name}${count === 1 ? "" : "s"}`;

function pairRow({ by, sides, title, difference }) {
  const side = (rows) => element("td", {}, element("ul", {}, rows.slice(0, 6).map((row) =>
    element("li", {}, element("a", { href: linkTo(row) }, row.question), " ", element("span", { class: "score" }, scoreText(row)))),
    rows.length > 6 ? element("li", { class: "score" }, `and ${number(rows.length - 6)} more`) : null));
  const change = difference === null ? unknown : `${difference > 0 ? "+" : difference < 0 ? "−" : ""}${number(Math.abs(difference), 2)}`;
  return element("tr", {}, element("th", { scope: "row" }, title, element("span", { class: "count" }, ` ${by}`)), sides.map(side), element("td", { class: "number" }, change));
}
