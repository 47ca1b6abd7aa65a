// While a run goes on the page reads itself again: never while a trace is open, nor while somebody types or chooses.

function makeLive(seconds) {
  if (!seconds) return;
  const button = byId("pause");
  let paused = false;
  let touched = -Infinity;
  for (const kind of ["keydown", "pointerdown", "wheel"]) {
    document.addEventListener(kind, () => (touched = performance.now()), { passive: true });
  }
  button.addEventListener("click", () => {
    paused = !paused;
    button.setAttribute("aria-pressed", String(paused));
  });
  setInterval(() => {
    const busy = route.view === "trace" || byId("keys").open || performance.now() - touched < 4000;
    if (!paused && !busy) location.reload();
  }, seconds * 1000);
}
