// Verdicts, grades and the checks of a trace, and how it was made.

const unknown = "not known";
const said = (value, digits = 0) => (value === null || value === undefined ? unknown : number(value, digits));

/** A table that scrolls by itself where it is too wide. `rows` are lists of cells, the first a row's name; texts are
 * numbers, anything else comes as an element. */
function table(title, head, rows) {
  const kind = (value) => (value instanceof Node ? null : "number");
  const heads = head.map((name, at) => element("th", { scope: "col", class: at ? kind(rows[0][at]) : null }, name === "drawn" ? hidden(name) : name));
  const row = ([name, ...cells]) =>
    element("tr", {}, element("th", { scope: "row" }, name), cells.map((cell) => element("td", { class: kind(cell) }, cell)));
  const made = element("table", {}, element("thead", {}, element("tr", {}, heads)), element("tbody", {}, rows.map(row)));
  return element("div", { class: "scroll", role: "region", tabindex: 0, "aria-label": title }, made);
}

const hidden = (text) => element("span", { class: "hidden" }, text);
const prose = (text) => element("span", {}, text);

/** What a judge said beside its ratings; of older versions and unscored verdicts the reason. */
function verdictWords(verdict) {
  const parts = [["Fault", verdict.fault], ["Best", verdict.best_point]];
  return parts.filter(([, text]) => text).map(([name, text]) => `${name}: ${text}`).join(" ") || (verdict.reason ?? "");
}

function verdictsOf(trace) {
  const verdicts = trace.verdicts ?? [];
  if (verdicts.length === 0) return null;
  const calibrated = verdicts.some((verdict) => verdict.raw_overall !== undefined);
  const given = (verdict) => Object.keys(verdict).filter((name) => typeof verdict[name] === "number");
  const names = [...new Set(verdicts.flatMap(given))].filter((name) => !["overall", "raw_overall"].includes(name));
  const dimensions = names.map((name) => name.replaceAll("_", " "));
  const head = ["judge", "overall", ...(calibrated ? ["as given"] : []), ...dimensions, "in words"];
  const rows = verdicts.map((verdict) => [
    verdict.judge,
    verdict.scored ? said(verdict.overall, Number.isInteger(verdict.overall) ? 0 : 1) : "no score",
    ...(calibrated ? [said(verdict.raw_overall)] : []),
    ...names.map((name) => said(verdict[name])),
    prose(verdictWords(verdict) || "nothing said"),
  ]);
  const section = part("Verdicts (1-10)", table("Verdicts", head, rows));
  section.classList.add("whole");
  return section;
}

function gradesOf(trace) {
  if (trace.answer_grades === null) return null;
  const { reason, ...grades } = trace.answer_grades;
  const rows = Object.entries(grades).map(([name, value]) => [inWords(name), said(value, 2), barOf(value)]);
  return part("Grades of the answer (0-1)", table("Grades", ["grade", "value", "drawn"], rows), reason ? element("p", { class: "hint" }, reason) : null);
}

function barOf(value) {
  const bar = element("span", { class: "bar", "aria-hidden": "true" });
  bar.style.width = `${Math.max(0, Math.min(1, value ?? 0)) * 8}rem`;
  return bar;
}

function solveOf(trace) {
  const solve = trace.blind_solve;
  if (!solve) return null;
  const head = ["setting", "asked", "equivalent", "partial", "contradicts", "absent", "pass rate"];
  const rows = [["without the passage", solve.without_passage], ["with it", solve.with_passage]].map(([name, tries]) => [
    name, said(tries.asked), said(tries.equivalent), said(tries.partial), said(tries.contradicts), said(tries.absent), said(tries.pass_rate, 2),
  ]);
  const told = `${sentence(inWords(solve.need ?? "undecided"))}; measured difficulty ${said(solve.difficulty, 2)}. Solved by ${solve.solver}, compared by ${solve.compared_by}.`;
  return part("Blind solve", element("p", { class: "hint" }, told), table("Blind solve", head, rows));
}

const pairsOf = (pairs) =>
  element("dl", { class: "pairs" }, pairs.map(([name, value]) => element("div", {}, element("dt", {}, name), element("dd", {}, String(value)))));

function madeOf(trace, row) {
  const found = trace.metadata;
  const made = trace.generation ?? {};
  const paper = trace.source_paper;
  const pairs = [
    ["id", row.key],
    ["question id", row.question_id],
    ["model", made.model],
    ["other models", Object.entries(made.models ?? {}).map(([stage, name]) => `${stage}: ${name}`).join(", ")],
    ["calls", made.calls],
    ["tokens read, written", made.prompt_tokens === undefined ? null : `${number(made.prompt_tokens)}, ${said(made.completion_tokens)}`],
    ["shape", trace.shape ? Object.values(trace.shape).join(", ") : null],
    ["answer in a word", trace.yes_or_no],
    ["figures of the passage alone", (trace.needs_passage ?? []).join(", ")],
    ["prompts (fingerprint)", made.program],
    ["seed, temperature", made.seed === undefined ? null : `${made.seed}, ${made.temperature ?? unknown}`],
    ["complexity", found.complexity_level],
    ["kinds of reasoning", (found.reasoning_patterns ?? []).map(inWords).join(", ")],
    ["domain", paper.domain],
    ["file and line", paper.place ? `${paper.place.file}, line ${paper.place.line}` : null],
    ["sections", (paper.excerpt?.sections ?? []).join("; ")],
    ["flags of the text", (paper.flags ?? []).join(", ")],
    ["left out of the text", Object.entries(paper.removed ?? {}).map(([kind, count]) => `${number(count)} characters of ${kind}`).join(", ")],
  ].filter(([, value]) => value !== null && value !== undefined && value !== "");
  return part(
    "How it was made",
    pairsOf(pairs),
    ...Object.entries(made.model_reasoning ?? {}).map(([stage, text]) =>
      element("details", {}, element("summary", {}, `The model's own reasoning: ${stage}`), element("p", { class: "prose" }, text))),
    Object.keys(paper.extra ?? {}).length ? element("details", {}, element("summary", {}, "The text's input record"), element("p", { class: "plain" }, JSON.stringify(paper.extra, null, 2))) : null,
  );
}
