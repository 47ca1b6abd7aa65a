// The list of traces: found, filtered, ordered, a page at a time.

const PAGE = 50;
const list = { rows: [], pages: 1 };

const up = (field) => (one, other) => compared(one[field], other[field], 1) || one.order - other.order;
const down = (field) => (one, other) => compared(one[field], other[field], -1) || one.order - other.order;

/** Rows without a value stand last, whichever way. */
function compared(one, other, sign) {
  if (one === null || other === null) return (one === null) - (other === null);
  return sign * (one - other);
}

const ORDERS = {
  order: { title: "as in the document", by: (one, other) => one.order - other.order },
  "score-up": { title: "lowest judges' score", by: up("score"), field: "score" },
  "score-down": { title: "highest judges' score", by: down("score"), field: "score" },
  "spread-down": { title: "judges furthest apart", by: down("spread"), field: "spread" },
  "grade-up": { title: "lowest grade", by: up("grade"), field: "grade" },
  "grade-down": { title: "highest grade", by: down("grade"), field: "grade" },
  "words-down": { title: "longest thought", by: down("words"), field: "words" },
};

function makeOrders(changed) {
  const select = byId("sort");
  for (const [name, { title, field }] of Object.entries(ORDERS)) {
    if (field === undefined || traces.rows.some((row) => row[field] !== null)) {
      select.append(element("option", { value: name }, title));
    }
  }
  select.addEventListener("change", () => {
    route.sort = select.value;
    changed();
  });
}

/** Filters and shows; says how many there are. */
function showList() {
  const { left, counts } = sifted(traces.rows, isFound);
  const order = ORDERS[route.sort] ?? ORDERS.order;
  list.rows = order === ORDERS.order ? left : left.sort(order.by);
  list.pages = Math.max(1, Math.ceil(left.length / PAGE));
  route.page = Math.min(route.page, list.pages);
  byId("sort").value = route.sort in ORDERS ? route.sort : "order";
  if (document.activeElement !== byId("search")) byId("search").value = route.query;
  byId("in-texts").checked = route.texts;
  showFacets(counts);
  const start = (route.page - 1) * PAGE;
  byId("rows").replaceChildren(...left.slice(start, start + PAGE).map(rowOf));
  byId("rows").start = start + 1;
  const going = search.done ? "" : ", still searching the texts";
  byId("found").textContent = `${number(left.length)} of ${number(traces.rows.length)} traces${going}`;
  showPager(byId("pager"), route.page, list.pages, turnTo);
}

function turnTo(page) {
  route.page = Math.max(1, Math.min(list.pages, page));
  note();
  showList();
  byId("rows").querySelector("a")?.focus();
}

function rowOf(row) {
  const link = element("a", { href: linkTo(row) }, row.question);
  return element("li", { class: "row", "data-key": row.key }, link, metaOf(row), scoresOf(row));
}

/** One line of what a trace is. */
function metaOf(row) {
  const named = [
    traces.facts.runs.length > 1 ? runName(row) : null,
    inWords(row.type),
    inWords(row.difficulty),
    row.title,
    row.model,
    row.variation ? `variation ${row.variation + 1}` : null,
    row.attempt ? `attempt ${row.attempt + 1}` : null,
  ];
  return element("p", { class: "row-meta" }, stateOf(row), named.filter((name) => name !== null).map((name) => element("span", {}, name)));
}

const SHAPES = { accepted: "✓", "turned down": "✕" };

function stateOf(row) {
  const shape = element("span", { "aria-hidden": "true" }, `${SHAPES[row.status] ?? "–"} `);
  const kind = row.status in SHAPES ? row.status.replace(" ", "-") : "other";
  return element("span", { class: `state state-${kind}` }, shape, row.status);
}

function scoresOf(row) {
  const judged = row.score === null ? null : element("span", {}, element("b", {}, number(row.score, 1)), " judges");
  const graded = row.grade === null ? null : element("span", {}, `${number(row.grade, 2)} grade`);
  return element("div", { class: "row-scores" }, judged, graded, judged || graded ? null : element("span", {}, "no score"));
}

function showPager(place, page, pages, turn) {
  if (pages < 2) return place.replaceChildren();
  const button = (title, to) =>
    element("button", { type: "button", disabled: to < 1 || to > pages || to === page, onclick: () => turn(to) }, title);
  place.replaceChildren(
    button("First", 1),
    button("Previous", page - 1),
    element("span", {}, `page ${number(page)} of ${number(pages)}`),
    button("Next", page + 1),
    button("Last", pages),
  );
}
