// The thought, step by step, each with what carries it.

const STATUS_SHAPES = { supported: "●", inferred: "◐", outside: "○", contradicted: "✕" };
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
    step.kind ? element("span", { class: "kind" }, sentence(inWords(step.kind))) : null,
    statusOf(step),
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
