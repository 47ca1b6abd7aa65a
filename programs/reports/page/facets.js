// Filters: which there are, what they let through, and how many traces each choice has left.

const NONE = "(none)";
const FACETS = [
  { field: "run", title: "Run", of: (row) => [runName(row)] },
  { field: "status", title: "Status" },
  { field: "type", title: "Question type", words: true },
  { field: "difficulty", title: "Difficulty" },
  { field: "model", title: "Model" },
  { field: "need", title: "Blind solve", words: true },
  { field: "notable", title: "To look at", of: (row) => row.notable, optional: true },
];
const RANGES = [
  { field: "score", title: "Judges' score", low: 1, high: 10, step: 0.5 },
  { field: "grade", title: "Mean grade", low: 0, high: 1, step: 0.05 },
];

const valuesOf = (facet, row) => {
  row.valued ??= new Map(FACETS.map((each) => [each, each.of ? each.of(row) : [row[each.field] ?? NONE]]));
  return row.valued.get(facet);
};

const inRange = ({ low, high }, value) =>
  (low === null && high === null) || (value !== null && value >= (low ?? -Infinity) && value <= (high ?? Infinity));

const passes = (facet, row) => {
  const chosen = route.chosen[facet.field];
  return chosen.size === 0 || valuesOf(facet, row).some((value) => chosen.has(value));
};

/** The rows that search and ranges let through, each with the facets that hold it back. */
function sifted(rows, found) {
  const ranged = RANGES.filter(({ field }) => route.ranges[field].low !== null || route.ranges[field].high !== null);
  const active = FACETS.filter((facet) => route.chosen[facet.field].size > 0);
  const left = [];
  const counts = new Map(FACETS.map((facet) => [facet, new Map()]));
  for (const row of rows) {
    if (!found(row) || !ranged.every(({ field }) => inRange(route.ranges[field], row[field]))) continue;
    const against = active.filter((facet) => !passes(facet, row));
    if (against.length === 0) left.push(row);
    // A choice is counted as if nothing else of its own facet were chosen.
    for (const facet of FACETS) {
      if (against.length > 1 || (against.length === 1 && against[0] !== facet)) continue;
      const numbers = counts.get(facet);
      for (const value of valuesOf(facet, row)) numbers.set(value, (numbers.get(value) ?? 0) + 1);
    }
  }
  return { left, counts };
}

/** Makes the form, once: each facet that tells traces apart, each range that any trace has a value for. */
function makeFacets(changed) {
  const form = byId("facet-fields");
  for (const facet of FACETS) {
    const numbers = new Map();
    for (const row of traces.rows) for (const value of valuesOf(facet, row)) numbers.set(value, (numbers.get(value) ?? 0) + 1);
    const values = [...numbers.keys()].sort((one, other) => numbers.get(other) - numbers.get(one) || one.localeCompare(other));
    if (values.length === 0 || (values.length === 1 && (values[0] === NONE || facet.field === "run"))) continue;
    facet.boxes = new Map(values.map((value) => [value, choice(facet, value, changed)]));
    const scroll = element("div", { class: "facet-values" }, [...facet.boxes.values()].map(({ label }) => label));
    form.append(element("fieldset", {}, element("legend", {}, facet.title), scroll));
  }
  for (const range of RANGES) {
    if (traces.rows.every((row) => row[range.field] === null)) continue;
    range.inputs = [limit(range, "low", "from", changed), limit(range, "high", "to", changed)];
    const fields = range.inputs.map(({ label }) => label);
    form.append(element("fieldset", {}, element("legend", {}, range.title), element("div", { class: "range" }, fields)));
  }
}

function choice(facet, value, changed) {
  const box = element("input", { type: "checkbox", name: facet.field, value });
  const count = element("span", { class: "count" });
  box.addEventListener("change", () => {
    route.chosen[facet.field][box.checked ? "add" : "delete"](value);
    changed();
  });
  const name = element("span", {}, facet.words ? inWords(value) : value);
  return { box, count, label: element("label", { class: "check" }, box, name, count) };
}

function limit(range, side, word, changed) {
  const { low, high, step } = range;
  const input = element("input", { type: "number", min: low, max: high, step, name: `${range.field}-${side}` });
  input.addEventListener("input", () => {
    route.ranges[range.field][side] = bound(input.value);
    changed();
  });
  const label = element("label", { class: "range" }, element("span", {}, word), input);
  input.setAttribute("aria-label", `${range.title} ${word}`);
  return { input, side, label };
}

/** Shows in the form what is chosen, and how many traces each choice has. */
function showFacets(counts) {
  for (const facet of FACETS) {
    for (const [value, { box, count }] of facet.boxes ?? []) {
      box.checked = route.chosen[facet.field].has(value);
      count.textContent = number(counts.get(facet).get(value) ?? 0);
    }
  }
  for (const range of RANGES) {
    for (const { input, side } of range.inputs ?? []) {
      const value = route.ranges[range.field][side];
      if (bound(input.value) !== value) input.value = value ?? "";
    }
  }
}
