// One trace: its question, the thought with its passage beside it, the answer, and what was said of them.

const shown = { row: null };

async function showTrace() {
  const article = byId("trace");
  const row = traces.byKey.get(route.trace);
  shown.row = row ?? null;
  if (!row) {
    article.replaceChildren(
      element("h2", { id: "trace-title", tabindex: -1 }, "No such trace"),
      element("p", { class: "hint" }, `This page holds no trace ${route.trace}.`, " ", element("a", { href: "#view=traces" }, "All traces")),
    );
    return;
  }
  const trace = await opened(row);
  if (shown.row !== row) return;
  article.replaceChildren(barOfTrace(row), askedOf(row, trace), readingOf(trace, row), ...partsOf(trace, row));
  const beside = await besideOf(row, trace);
  if (shown.row === row) article.append(...beside, madeOf(trace, row));
  article.dataset.shown = row.key;
}

function barOfTrace(row) {
  const at = list.rows.indexOf(row);
  const step = (title, other) =>
    element("button", { type: "button", disabled: !other, onclick: () => other && go({ view: "trace", trace: other.key }) }, title);
  const where = at < 0 ? "not among those found" : `${number(at + 1)} of ${number(list.rows.length)} found`;
  return element(
    "div",
    { class: "trace-bar" },
    element("a", { href: address({ view: "traces" }), id: "back" }, "← All traces"),
    step("Previous", at > 0 ? list.rows[at - 1] : null),
    step("Next", at >= 0 ? list.rows[at + 1] : list.rows[0]),
    element("span", { class: "where" }, where),
  );
}

function askedOf(row, trace) {
  const audience = trace.user_interaction.audience;
  const meta = metaOf(row);
  meta.append(audience ? element("span", {}, `asked by ${audience}`) : "", element("span", {}, scoreText(row)));
  return element("header", { class: "asked" }, element("h2", { id: "trace-title", tabindex: -1 }, row.question), meta);
}

function readingOf(trace, row) {
  return element("div", { class: "reading" }, element("section", {}, element("h3", {}, "Thought"), stepsOf(trace)), passageSide(trace, row));
}

function passageSide(trace, row) {
  const quoted = new Map();
  trace.steps.forEach((step, at) => step.span && quoted.set(`step-${at}`, [step.span]));
  trace.evidence.forEach((item, at) => item.span && quoted.set(`evidence-${at}`, [item.span]));
  const cut = trace.source_paper.cut_from;
  const body =
    trace.text === null
      ? element("p", { class: "hint" }, "The document does not hold the passage.")
      : element("div", { class: "passage", id: "passage", role: "region", tabindex: 0, "aria-label": "Passage" }, passageOf(trace.text, quoted));
  return element(
    "section",
    { class: "passage-side" },
    element("h3", {}, "Passage"),
    element("p", { class: "passage-title" }, row.title, cut ? `, cut from ${number(cut)} characters` : ""),
    body,
  );
}

function partsOf(trace, row) {
  const answer = part("Answer", element("div", { class: "answer" }, element("p", { class: "prose" }, trace.final_answer)));
  const judged = [verdictsOf(trace), gradesOf(trace)];
  const missing = judged.some(Boolean) || row.score !== null ? null : part("Verdicts and grades", element("p", { class: "hint" }, "It was neither judged nor graded."));
  return [answer, evidenceOf(trace), ...judged, missing, solveOf(trace)].filter(Boolean);
}
