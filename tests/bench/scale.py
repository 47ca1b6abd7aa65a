"""What a large journal costs: opening it again, memory, and adding a few traces.

A journal of N finished traces is made from the lines of one real trace, including stage records, with an id for each of N
made-up texts. Its index is built as the runner builds it. Then the generator makes a few more traces from the same and
some new texts.
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
from tests.bench.speed import command_of, trace_count
from tests.bench.texts import text_of

EXTRA = 20
CHARACTERS = 1500
DISK_BYTES_PER_TRACE = 32_000
"""For the journal, the index, the texts, and the document twice while it is rewritten."""
GIB = 2**30


def _measure(traces: int, folder: Path) -> dict[str, Any]:
    """Resumes a run with `traces` traces to make a few more."""
    with tempfile.TemporaryDirectory(dir=folder) as name, bench_server(0.05) as server:
        place = Path(name)
        command = command_of(place, [server.base_url], texts=traces + EXTRA + 10, concurrency=16, characters=CHARACTERS)
        run([*command, "--max-traces", "1"])
        journal = place / "out.journal.jsonl"
        bytes_per_trace = _fill_journal(journal, place / "texts.jsonl", traces)
        size = journal.stat().st_size
        started = time.monotonic()
        Journal(journal).close()
        index_s = time.monotonic() - started
        index_size = sum(path.stat().st_size for path in place.glob(f"{journal.name}.index*"))
        usage = run([*command, "--max-traces", str(traces + EXTRA)])
        stats = server.stats()
        document = place / "out.json"
        return {
            "traces": traces,
            "journal_gib": round(size / GIB, 2),
            "bytes_a_trace": bytes_per_trace,
            "index_gib": round(index_size / GIB, 3),
            "index_built_anew_s": round(index_s, 1),
            "resume_to_first_call_s": round(stats["first_after"] - usage.started, 2),
            "traces_added": trace_count(document) - traces,
            "adding_them_s": round(stats["first"] + stats["seconds"] - stats["first_after"], 2),
            "whole_run_s": round(usage.wall, 1),
            "document_gib": round(document.stat().st_size / GIB, 2),
            "peak_mb": round(usage.peak_mb),
        }


def _fill_journal(journal: Path, texts: Path, traces: int) -> int:
    """Repeats the lines of the journal's one trace for `traces` texts. Returns the bytes of a trace."""
    lines = journal.read_bytes().splitlines(keepends=True)
    runs = [line for line in lines if line.startswith(b'{"kind":"run"')]
    key = next(json.loads(line)["key"] for line in lines if line.startswith(b'{"kind":"sample"'))
    first_line = bytes_id(next(_raw_lines(texts)))
    template = b"".join(line for line in lines if line not in runs)
    with journal.open("wb") as file:
        file.write(runs[0])
        for number, raw in enumerate(_raw_lines(texts)):
            if number == traces:
                break
            sample_id = content_id(text_of(number, CHARACTERS)).encode()
            file.write(template.replace(key.encode(), sample_id).replace(first_line.encode(), bytes_id(raw).encode()))
        file.write(runs[-1])
    Path(f"{journal}.index").unlink()
    return len(template)


def _raw_lines(texts: Path) -> Iterator[bytes]:
    with texts.open("rb") as file:
        for line in file:
            yield line.rstrip(b"\n")


def scale(quick: bool, folder: Path, most: int) -> Iterator[dict[str, Any]]:
    """Measures 1,000 traces, 100,000, and `most` (at most 20,000 if `quick`), the largest last."""
    most = min(most, 20_000) if quick else most
    folder.mkdir(parents=True, exist_ok=True)
    needed = most * DISK_BYTES_PER_TRACE
    if shutil.disk_usage(folder).free < needed:
        raise SystemExit(f"scale with {most:,} traces needs {needed / GIB:.0f} GiB in {folder}: see --folder, --traces")
    for traces in (*(fewer for fewer in (1_000, 100_000) if fewer < most), most):
        yield _measure(traces, folder)
