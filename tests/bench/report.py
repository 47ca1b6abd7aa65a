"""What a report of many traces takes: its size, the time and memory to make it, and how soon the page answers.

The document has eight traces of a passage, each of about `TRACE` bytes with its passage. Their sentences are those of the
sample, with half of the words drawn anew by their frequency: texts that repeated each other would compress far better than
a run's.
"""

import json
import random
import re
import statistics
import tempfile
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path
from typing import Any

import orjson

from programs.document_metadata import DocumentMetadata
from programs.inputs.sources import DEFAULT_INPUT
from tests.bench.options import Options
from tests.bench.process import ROOT, run
from tests.needing import chromium

TRACE = 12_000
PASSAGE, THOUGHT_STEPS, STEP, ANSWER = 2_400, 6, 280, 1_100
"""Characters of the passage, steps of the thought, characters of a step and of the answer."""
A_PASSAGE = 8
TIMES = 20
KINDS = ("clarification", "critical", "interpretation", "application", "comparison", "mechanism", "limitation")
LEVELS = ("beginner", "intermediate", "advanced")

ANSWER_TIME = """async ([action, value]) => {
  const began = performance.now();
  if (action === "filter") byId("filters").querySelector("select[name='Question type']").value = value;
  if (action === "search" || action === "texts") byId("search").value = value;
  byId("in-texts").checked = action === "texts";
  if (action === "open") {
    location.hash = `#trace=${value}`;
    while (byId("trace").dataset.shown !== value) await new Promise((done) => setTimeout(done));
  } else {
    await showList();
  }
  document.body.getBoundingClientRect();
  return performance.now() - began;
}"""
"""From the choice until what is found is laid out."""


class Writer:
    """Writes sentences of science: those of the sample, half of their words exchanged for others of it."""

    def __init__(self, seed: int) -> None:
        lines = (ROOT / DEFAULT_INPUT).read_text(encoding="utf-8").splitlines()
        text = " ".join(str(json.loads(line)["text"]) for line in lines)
        self._random = random.Random(seed)
        self._sentences = [sentence.split() for sentence in re.split(r"(?<=[.!?])\s+", text)]
        words = [word for sentence in self._sentences for word in sentence[1:-1]]
        self._words, self._sums = words, list(accumulate(1 for _ in words))

    def sentence(self) -> str:
        chosen = self._random.choice(self._sentences)
        new = self._random.choices(self._words, k=len(chosen))
        inner = (new[at] if self._random.random() < 0.5 else word for at, word in enumerate(chosen[1:-1]))
        return " ".join([chosen[0], *inner, chosen[-1]]) if len(chosen) > 2 else " ".join(chosen)

    def text(self, characters: int) -> str:
        """Sentences of about so many characters."""
        parts: list[str] = []
        while sum(map(len, parts)) < characters:
            parts.append(self.sentence())
        return " ".join(parts)

    def number(self, low: int, high: int) -> int:
        return self._random.randint(low, high)


def records(traces: int) -> Iterator[dict[str, Any]]:
    """Traces as a document holds them."""
    writer = Writer(0)
    paper: dict[str, Any] = {}
    for number in range(traces):
        if number % A_PASSAGE == 0:
            text = writer.text(PASSAGE)
            paper = {"title": f"{text[:60]} {number}", "domain": "cosmology", "id": f"{number:016x}", "text": text}
        yield _record(number, paper, writer)


def _record(number: int, paper: dict[str, Any], writer: Writer) -> dict[str, Any]:
    steps = [_step(number, paper["text"], writer) for number in range(THOUGHT_STEPS)]
    kind = KINDS[number % len(KINDS)]
    grades = {
        name: writer.number(40, 95) / 100 for name in ("question_alignment", "scientific_accuracy", "completeness")
    }
    grades |= {name: writer.number(40, 95) / 100 for name in ("uncertainty_calibration", "clarity_structure")}
    score = writer.number(10, 20) / 2
    return {
        "source_paper": paper,
        "user_interaction": {
            "question": writer.sentence(),
            "question_type": kind,
            "difficulty_level": LEVELS[number % 3],
            "audience": "survey scientist",
        },
        "reasoning_trace": "<thought>\n" + "\n\n".join(step["text"] for step in steps) + "\n</thought>",
        "final_answer": writer.text(ANSWER),
        "answer_grades": {**grades, "evidence_usage": 0.7, "overall_score": 0.7, "reason": writer.sentence()},
        "metadata": {
            "authenticity_score": None,
            "complexity_level": "medium",
            "reasoning_patterns": ["self_correction", "synthesis"],
            "quality_score": score,
            "quality_spread": float(writer.number(0, 5)),
        },
        "id": f"{writer.number(0, 2**63):016x}",
        "question_id": f"{paper['id']}/{kind}",
        "steps": steps,
        "evidence": [],
        "verdicts": [
            {"judge": judge, "scored": True, "overall": round(score), "reason": writer.sentence()}
            for judge in ("gpt4o", "claudesonnet45")
        ],
        "generation": {"model": "gpt41", "seed": 0, "temperature": 0.7},
    }


def _step(number: int, passage: str, writer: Writer) -> dict[str, Any]:
    sentences = re.split(r"(?<=[.!?])\s+", passage)
    quote = sentences[writer.number(0, len(sentences) - 1)]
    start = passage.index(quote)
    return {
        "kind": "wrong" if number == 3 else "considers",
        "text": writer.text(STEP),
        "quote": quote,
        "start": start,
        "end": start + len(quote),
        "status": "supported" if number % 2 else "inferred",
        "judged_by": "gpt4o",
        "reason": writer.sentence(),
    }


def write_document(path: Path, traces: int) -> int:
    """A document of so many traces. Returns the mean bytes of one."""
    metadata = DocumentMetadata(
        generation_timestamp="2026-01-01T00:00:00Z", total_traces_generated=traces, status="completed"
    )
    size = 0
    with path.open("wb") as file:
        file.write(b'{"metadata": ' + orjson.dumps(metadata.model_dump(mode="json")) + b', "questions": [\n')
        for number, record in enumerate(records(traces)):
            line = orjson.dumps(record)
            size += len(line)
            file.write((b",\n" if number else b"") + line)
        file.write(b"]}\n")
    return size // traces


def _measured(traces: int, folder: Path) -> dict[str, Any]:
    """Makes a report of so many traces, and opens it in Chromium."""
    with tempfile.TemporaryDirectory(dir=folder) as name:
        document = Path(name) / "many.json"
        bytes_a_trace = write_document(document, traces)
        bill = run(["-m", "programs.report", str(document)])
        page = document.with_suffix(".html")
        return {
            "traces": traces,
            "kb_a_trace": round(bytes_a_trace / 1e3, 1),
            "document_mb": round(document.stat().st_size / 1e6, 1),
            "report_mb": round(page.stat().st_size / 1e6, 1),
            "said": " ".join(bill.output.split()[1:]),
            "made_s": round(bill.wall, 1),
            "peak_mb": round(bill.peak_mb),
            **_in_browser(page),
        }


def _in_browser(path: Path) -> dict[str, Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium())
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        page.goto(f"{path.as_uri()}#traces")
        page.wait_for_selector("html[data-ready]", state="attached", timeout=120_000)
        ready = page.evaluate("performance.now()")
        keys = page.evaluate("list.all.map(row => row.key)")
        words = ["the", "lensing", "satellite", "map per", "noise", "of the sky", "spectrum", "zzz", "a", "cluster"]
        filters = [KINDS[number % len(KINDS)] for number in range(TIMES)]
        opened = [keys[number * len(keys) // TIMES] for number in range(TIMES)]
        times = {
            "filter": [page.evaluate(ANSWER_TIME, ["filter", kind]) for kind in filters],
            "search": [page.evaluate(ANSWER_TIME, ["search", words[n % len(words)]]) for n in range(TIMES)],
            "open": [page.evaluate(ANSWER_TIME, ["open", key]) for key in opened],
            "texts": [page.evaluate(ANSWER_TIME, ["texts", word]) for word in ("lensing noise", "zzz")],
        }
        browser.close()
    found: dict[str, Any] = {"page_ready_ms": round(ready)}
    for action, taken in times.items():
        found[f"{action}_ms"] = f"median {statistics.median(taken):.0f}, worst {max(taken):.0f}"
    return found


def report(options: Options) -> Iterator[dict[str, Any]]:
    """1,000 traces and 10,000 (or those asked for); `quick`: 200."""
    folder = options.folder or Path(tempfile.gettempdir())
    folder.mkdir(parents=True, exist_ok=True)
    most = options.traces or 10_000
    for traces in (200,) if options.quick else dict.fromkeys((min(1_000, most), most)):
        yield _measured(traces, folder)
