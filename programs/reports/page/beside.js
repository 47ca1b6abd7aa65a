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
