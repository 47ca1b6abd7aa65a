// The thought, step by step, each with what carries it.

const STATUS_SHAPES = { supported: "●", inferred: "◐", outside: "○", contradicted: "✕" };
const METHODS = {
  exact: "found word for word",
  normalised: "found but for signs and spaces",
  fuzzy: "found nearly word for word",
  words: "found by shared words",
  model: "named by the model that judged",
};

function stepsOf(trace) {
  if (trace.steps.length === 0) return paragraphs(trace).map((text) => element("p", { class: "prose" }, text));
  const whole = trace.thought === undefined ? null : wholeThought(trace.thought);
  return [element("ol", { class: "steps" }, trace.steps.map((step, at) => stepOf(step, at, trace.text))), whole];
}

const wholeThought = (text) =>
  element("details", {}, element("summary", {}, "The thought as it stands"), element("p", { class: "prose" }, text));

function stepOf(step, at, passage) {
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
    element("span", { class: "move" }, sentence(inWords(step.move))),
    statusOf(step),
    carried.length ? button : element("span", {}, "nothing quoted"),
  );
  return lighting(element("li", { class: "step" }, head, element("p", { class: "prose" }, claimed(step)), block), `step-${at}`);
}

const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1);

function statusOf(step) {
  const status = step.status ?? "not judged";
  const shape = element("span", { class: "shape", "aria-hidden": "true" }, STATUS_SHAPES[status] ?? "·");
  return element("span", { class: `status status-${step.status ?? "none"}` }, shape, ` ${status}`);
}

/** A step's text, the sentence of it that the rules looked at underlined. */
function claimed({ text, claim_span: span }) {
  if (!span) return [text];
  return [text.slice(0, span[0]), element("span", { class: "claim" }, text.slice(...span)), text.slice(span[1])];
}

/** What a step rests on, in words. */
function carriedOf(step, passage) {
  const quote = quoteOf(step, passage);
  const nearness = step.similarity === undefined ? "" : `, similarity ${number(step.similarity, 1)} of 100`;
  const by = step.judged_by === "rule" ? "by rule" : `by ${step.judged_by}`;
  const lines = [
    step.method ? `${sentence(METHODS[step.method])}${nearness}.` : null,
    step.status ? `${sentence(step.status)}, ${by}.` : null,
    step.claim ? `Claim: ${step.claim}` : null,
    step.reason ? `Reason: ${step.reason}` : null,
    step.conflict ? `Against it by rule: ${step.conflict}` : null,
    step.unfound_numbers?.length ? `Not in the passage: ${step.unfound_numbers.join("; ")}` : null,
    step.unquoted_numbers?.length ? `Not in the quote: ${step.unquoted_numbers.join("; ")}` : null,
  ];
  return [quote, ...lines.filter(Boolean).map((line) => element("p", {}, line))].filter(Boolean);
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
