"""What a large journal costs: opening it again, memory, and saving one more trace.

A journal of N finished traces is made from the lines of one real trace, stage records included, with an id for each of N
made-up texts; its index is built as the runner builds it. Then the generator is told to make a few more traces from the
same texts and some new ones.
"""

import json
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from programs.inputs.sample import bytes_id, content_id
from programs.journal import Journal
from tests.bench.process import run
from tests.bench.server import bench_server
from tests.bench.texts import text_of, write_texts

MORE = 20
CHARACTERS = 1500


def scale(traces: int) -> dict[str, Any]:
    """Resumes a run that has so many traces, for a few more."""
    with tempfile.TemporaryDirectory() as name, bench_server(0.05) as server:
        folder = Path(name)
        texts = write_texts(folder / "texts.jsonl", traces + MORE + 10, CHARACTERS)
        words = [
            *("-m", "programs.generate", "--model", "openai/bench", "--api-base", server.base, "--concurrency", "16"),
            *("--input-file", str(texts), "--output", str(folder / "out.json")),
        ]
        run([*words, "--max-traces", "1"])
        journal = folder / "out.journal.jsonl"
        bytes_a_trace = _multiply(journal, texts, traces)
        size = journal.stat().st_size
        started = time.monotonic()
        Journal(journal).close()
        index_s = time.monotonic() - started
        bill = run([*words, "--max-traces", str(traces + MORE)])
        first = server.stats()["first_after"]
        document_mb = (folder / "out.json").stat().st_size / 2**20
    return {
        "traces": traces,
        "journal_gb": round(size / 2**30, 2),
        "bytes_a_trace": bytes_a_trace,
        "index_built_anew_s": round(index_s, 1),
        "resume_to_first_call_s": round(first - bill.started, 2),
        "whole_run_s": round(bill.wall, 1),
        "document_mb": round(document_mb),
        "peak_mb": round(bill.peak_mb),
    }


def _multiply(journal: Path, texts: Path, traces: int) -> int:
    """Fills the journal with the lines of its one trace for every text. Returns the bytes of a trace."""
    lines = journal.read_bytes().splitlines(keepends=True)
    runs = [line for line in lines if line.startswith(b'{"kind":"run"')]
    key = next(json.loads(line)["key"] for line in lines if line.startswith(b'{"kind":"sample"'))
    first_line = bytes_id(next(_raw(texts)))
    form = b"".join(line for line in lines if line not in runs)
    with journal.open("wb") as file:
        file.write(runs[0])
        for number, raw in enumerate(_raw(texts)):
            if number == traces:
                break
            identity = content_id(text_of(number, CHARACTERS)).encode()
            file.write(form.replace(key.encode(), identity).replace(first_line.encode(), bytes_id(raw).encode()))
        file.write(runs[-1])
    Path(f"{journal}.index").unlink()
    return len(form)


def _raw(texts: Path) -> Iterator[bytes]:
    with texts.open("rb") as file:
        for line in file:
            yield line.rstrip(b"\n")


def bench(quick: bool) -> list[dict[str, Any]]:
    """1,000, 100,000 and 1,000,000 traces; the last left out when `quick`."""
    needed = 30 * 2**30
    if not quick and shutil.disk_usage(tempfile.gettempdir()).free < needed:
        raise SystemExit("the scale benchmark needs 30 GB in the temporary folder")
    return [scale(traces) for traces in ((1_000, 20_000) if quick else (1_000, 100_000, 1_000_000))]
