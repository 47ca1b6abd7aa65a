"""What a large journal costs: opening it again, memory, and saving a few more traces.

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
from programs.run.journal import Journal
from tests.bench.process import run
from tests.bench.server import bench_server
from tests.bench.speed import total, words_of
from tests.bench.texts import text_of

MORE = 20
CHARACTERS = 1500
BYTES_A_TRACE = 32_000
"""On the disk: journal, index, texts, and the document twice while it is written anew."""
GIB = 2**30


def _measured(traces: int, folder: Path) -> dict[str, Any]:
    """Resumes a run that has so many traces, for a few more."""
    with tempfile.TemporaryDirectory(dir=folder) as name, bench_server(0.05) as server:
        place = Path(name)
        words = words_of(place, [server.base], texts=traces + MORE + 10, concurrency=16, characters=CHARACTERS)
        run([*words, "--max-traces", "1"])
        journal = place / "out.journal.jsonl"
        bytes_a_trace = _multiply(journal, place / "texts.jsonl", traces)
        size = journal.stat().st_size
        started = time.monotonic()
        Journal(journal).close()
        index_s = time.monotonic() - started
        index_size = sum(path.stat().st_size for path in place.glob(f"{journal.name}.index*"))
        bill = run([*words, "--max-traces", str(traces + MORE)])
        stats = server.stats()
        document = place / "out.json"
        return {
            "traces": traces,
            "journal_gib": round(size / GIB, 2),
            "bytes_a_trace": bytes_a_trace,
            "index_gib": round(index_size / GIB, 3),
            "index_built_anew_s": round(index_s, 1),
            "resume_to_first_call_s": round(stats["first_after"] - bill.started, 2),
            "traces_added": total(document) - traces,
            "adding_them_s": round(stats["first"] + stats["seconds"] - stats["first_after"], 2),
            "whole_run_s": round(bill.wall, 1),
            "document_gib": round(document.stat().st_size / GIB, 2),
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


def scale(quick: bool, folder: Path, most: int) -> Iterator[dict[str, Any]]:
    """1,000 traces, 100,000, and `most` (at most 20,000 when `quick`), the largest last."""
    most = min(most, 20_000) if quick else most
    folder.mkdir(parents=True, exist_ok=True)
    needed = most * BYTES_A_TRACE
    if shutil.disk_usage(folder).free < needed:
        raise SystemExit(f"scale with {most:,} traces needs {needed / GIB:.0f} GiB in {folder}: see --folder, --traces")
    for traces in (*(fewer for fewer in (1_000, 100_000) if fewer < most), most):
        yield _measured(traces, folder)
