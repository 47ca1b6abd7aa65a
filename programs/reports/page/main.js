// The page begins here.

const VIEWS = ["overview", "traces", "trace", "pairs"];

function showView(moved) {
  for (const name of VIEWS) if (byId(name)) byId(name).hidden = name !== route.view;
  for (const link of byId("views").querySelectorAll("a")) {
    const current = link.dataset.view === route.view || (route.view === "trace" && link.dataset.view === "traces");
    if (current) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
    link.href = address({ view: link.dataset.view, trace: null });
  }
  byId("notes").hidden = route.view === "trace";
  if (moved) scrollTo(0, 0);
}

async function follow(moved) {
  const before = shown.row;
  readAddress();
  if (!VIEWS.includes(route.view) || !byId(route.view)) route.view = "overview";
  searchAnew(showList);
  showList();
  showView(moved);
  if (route.view === "trace") await showTrace();
  else shown.row = null;
  if (route.view === "pairs") showPairs();
  if (moved) focusAfter(before);
}

/** Where the focus goes: to a trace's question, back to the row that was open, or to the view. */
function focusAfter(before) {
  const row = before && [...byId("rows").children].find((item) => item.dataset.key === before.key);
  if (route.view === "traces" && row) row.querySelector("a").focus();
  else if (document.activeElement !== byId("search")) byId(`${route.view}-title`)?.focus({ preventScroll: true });
}

function makeSearch(changed) {
  const input = byId("search");
  const typed = later(120, () => {
    route.query = input.value;
    changed();
  });
  input.addEventListener("input", typed);
  byId("filters").addEventListener("submit", (event) => event.preventDefault());
  byId("in-texts").addEventListener("change", () => {
    route.texts = byId("in-texts").checked;
    changed();
  });
  byId("clear").addEventListener("click", () => {
    input.value = "";
    location.hash = "#view=traces";
  });
}

async function begin() {
  makeTheme();
  await readIndex();
  const changed = () => {
    route.page = 1;
    note();
    searchAnew(showList);
    showList();
  };
  makeFacets(changed);
  makeOrders(changed);
  makeSearch(changed);
  makeKeys();
  if (byId("pairs")) {
    makePairs();
    byId("pairs-sort").addEventListener("change", showPairs);
  }
  if (matchMedia("(max-width: 820px)").matches) byId("facets").open = false;
  byId("skip").addEventListener("click", (event) => {
    event.preventDefault();
    byId("main").focus();
  });
  addEventListener("hashchange", () => follow(true));
  await follow(false);
  document.documentElement.dataset.ready = "yes";
}

begin();
