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

// The thought, step by step, each with what carries it.

const STATUS_SHAPES = { supported: "●", inferred: "◐", outside: "○", contradicted: "✕" };
function stepsOf(trace) {
  if (trace.steps.length === 0) return paragraphs(trace).map((text) => element("p", { class: "prose" }, text));
  const whole = trace.thought === undefined ? null : wholeThought(trace.thought);
  const judged = trace.steps.some((step) => step.judged_by !== undefined);
  return [element("ol", { class: "steps" }, trace.steps.map((step, at) => stepOf(step, at, trace.text, judged))), whole];
}

const wholeThought = (text) =>
  element("details", {}, element("summary", {}, "The thought as it stands"), element("p", { class: "prose" }, text));

function stepOf(step, at, passage, judged) {
  const id = `carried-${at}`;
  const carried = carriedOf(step, passage);
  const block = element("div", { class: "carried", id, hidden: true }, carried);
  const button = element("button", { type: "button", "aria-expanded": "false", "aria-controls": id }, "Evidence");
  button.append(element("span", { class: "hidden" }, ` of step ${at + 1}`));
  button.addEventListener("click", () => {
    block.hidden = !block.hidden;
    button.setAttribute("aria-expanded", String(!block.hidden));
  });
  const head = element(
    "div",
    { class: "step-head" },
    step.kind ? element("span", { class: "kind" }, sentence(inWords(step.kind))) : null,
    judged ? statusOf(step) : null,
    carried.length ? button : null,
  );
  return lighting(element("li", { class: "step" }, head, element("p", { class: "prose" }, step.text), block), `step-${at}`);
}

const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1);

function statusOf(step) {
  const status = step.status ?? "not judged";
  const shape = element("span", { class: "shape", "aria-hidden": "true" }, STATUS_SHAPES[status] ?? "·");
  return element("span", { class: `status status-${step.status ?? "none"}` }, shape, ` ${status}`);
}

/** What a model says that a step rests on. */
function carriedOf(step, passage) {
  const lines = [step.status ? `${sentence(step.status)}, by ${step.judged_by}.` : null, step.reason ? `Reason: ${step.reason}` : null];
  return [quoteOf(step, passage), ...lines.filter(Boolean).map((line) => element("p", {}, line))].filter(Boolean);
}

function quoteOf({ span, quote }, passage) {
  if (span) return element("blockquote", {}, passage.slice(...span));
  return quote === undefined ? null : element("blockquote", {}, quote);
}

function evidenceOf(trace) {
  if (trace.evidence.length === 0) return null;
  const items = trace.evidence.map((item, at) => {
    const found = item.verified ? `${sentence(item.bearing)}.` : `${sentence(item.bearing)}; not found in the passage.`;
    const body = element("li", { class: "item", tabindex: item.span ? 0 : null }, element("p", {}, found), item.claim, quoteOf(item, trace.text));
    return lighting(body, `evidence-${at}`);
  });
  return part("Evidence", element("ul", {}, items));
}

const part = (title, ...children) => element("section", { class: "part" }, element("h3", {}, title), children);

// A passage with the places that steps and evidence rest on, which light up.

/** The passage in its element. `quoted` maps a name to spans; a name's marks light up by `light`. */
function passageOf(text, quoted) {
  const cuts = new Set([0, text.length]);
  for (const spans of quoted.values()) for (const [start, end] of spans) cuts.add(start).add(end);
  const places = [...cuts].sort((one, other) => one - other);
  const parts = [];
  for (let at = 0; at + 1 < places.length; at++) {
    const [start, end] = [places[at], places[at + 1]];
    const names = [...quoted].filter(([, spans]) => spans.some(([from, to]) => from <= start && end <= to)).map(([name]) => name);
    const part = text.slice(start, end);
    parts.push(names.length ? element("mark", { "data-by": names.join(" ") }, part) : part);
  }
  return parts;
}

/** Lights up what has this name, in the passage and beside it, and brings it into view there. */
function light(name) {
  const article = byId("trace");
  if (article.querySelector(`[data-name="${CSS.escape(name)}"].lit`)) return;
  for (const lit of article.querySelectorAll(".lit")) lit.classList.remove("lit");
  article.querySelector(`[data-name="${CSS.escape(name)}"]`)?.classList.add("lit");
  const marks = [...article.querySelectorAll("mark[data-by]")].filter((mark) => mark.dataset.by.split(" ").includes(name));
  for (const mark of marks) mark.classList.add("lit");
  const pane = byId("passage");
  const [first] = marks;
  if (!first || pane.scrollHeight <= pane.clientHeight) return;
  const offset = first.getBoundingClientRect().top - pane.getBoundingClientRect().top;
  if (offset < 0 || offset > pane.clientHeight - 40) pane.scrollTop += offset - pane.clientHeight / 3;
}

/** Makes a part light its places up while the pointer or the focus is on it. */
function lighting(part, name) {
  part.dataset.name = name;
  // Not when the page moves under a pointer that rests.
  part.addEventListener("mousemove", () => light(name));
  part.addEventListener("focusin", () => light(name));
  return part;
}
