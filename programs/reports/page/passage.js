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
