"""What the order of the prompt is worth on a server that keeps prefixes: the embedded model, both orders after one another.

Passages of about 2,000 tokens are made by joining texts of the sample data; three questions are asked about each. For
each order: the share of prompt tokens that came from the server's cache, the time, what could not be read, and the
quality that rules can tell. Nobody else should compute on the machine meanwhile: the server takes the cores that are free
when it starts, and a core that it must share slows it several times. CPU seconds then still tell the orders apart.
"""

import json
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from statistics import mean
from typing import Any

from optimize.metrics import METRICS, composite
from programs.asking.models import EMBEDDED_SLOTS
from programs.document import read_records
from programs.inputs.sources import DEFAULT_INPUT, expand
from programs.lms.embedded import idle_cores
from programs.records import Record
from tests.bench.options import Options
from tests.bench.process import Bill, run

CHARACTERS = 6_200
"""Of a joined passage, at least: 2,000 tokens of the embedded model's are about 7,000, the numbers of the sentences
included."""
QUESTIONS = 3
TIMEOUT = 600.0
"""Seconds a call: a slow order must not be cut off for being slow."""
PASSAGES, QUICK_PASSAGES = 3, 1
WEIGHTS = dict.fromkeys(("grounding", "self_contained", "form", "on_topic"), 1.0)
"""The metrics that need no model, of equal weight."""


def joined(samples: Iterable[dict[str, Any]], characters: int) -> Iterator[dict[str, str]]:
    """Samples of at least so many characters, each of whole texts that stand beside each other."""
    parts: list[dict[str, Any]] = []
    for sample in samples:
        parts.append(sample)
        text = "\n\n".join(part["text"] for part in parts)
        if len(text) >= characters:
            yield {"text": text, "title": parts[0]["title"], "domain": parts[0]["domain"]}
            parts = []


def write_passages(path: Path, count: int) -> None:
    """A JSONL file of so many long passages. Raises SystemExit where the sample data is too short for them."""
    (source,) = expand([DEFAULT_INPUT])
    with source.open(encoding="utf-8") as file:
        found = list(joined(map(json.loads, file), CHARACTERS))
    if len(found) < count:
        raise SystemExit(f"the sample data gives {len(found)} passages of {CHARACTERS} characters, not {count}")
    path.write_text("".join(f"{json.dumps(passage)}\n" for passage in found[:count]), encoding="utf-8")


def prefix(order: str, passages: int) -> dict[str, Any]:
    """One run of the generator with this order of the prompt."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_passages(folder / "passages.jsonl", passages)
        free = idle_cores()
        bill = run(
            [
                *("-m", "programs.generate", "--model", "embedded", "--prompt-order", order),
                *("--input-file", str(folder / "passages.jsonl"), "--output", str(folder / "out.json")),
                *("--traces-per-sample", str(QUESTIONS), "--timeout", str(TIMEOUT)),
            ]
        )
        summary = json.loads((folder / "out.json").read_bytes())["metadata"]["run"]
        records = list(read_records(folder / "out.json"))
        with (folder / "out.journal.jsonl").open("rb") as journal:
            lines = [json.loads(line) for line in journal]
    if summary["input"]["cut"]:
        raise SystemExit(f"{summary['input']['cut']} passages were cut")
    stages = [line for line in lines if line["kind"] in ("stage", "failed")]
    return {
        "order": order,
        "slots": EMBEDDED_SLOTS,
        "cores_free_before": free,
        "passages": summary["input"]["samples"],
        **_cost(summary["this_run"], bill),
        **_faults(stages, summary["this_run"]["calls"]),
        "faults": dict(summary["this_run"]["faults"]),
        "losses": summary["losses"],
        "traces": len(records),
        "traces_wanted": passages * QUESTIONS,
        **_quality(records),
    }


def _cost(spent: dict[str, Any], bill: Bill) -> dict[str, Any]:
    return {
        "calls": spent["calls"],
        "prompt_tokens": spent["prompt_tokens"],
        "prompt_tokens_a_call": round(spent["prompt_tokens"] / spent["calls"]),
        "completion_tokens": spent["completion_tokens"],
        "cached_share": round(spent["cached_tokens"] / spent["prompt_tokens"], 3),
        "wall_s": round(bill.wall, 1),
        "wall_s_a_call": round(bill.wall / spent["calls"], 2),
        "cpu_s": round(bill.cpu, 1),
    }


def _faults(stages: list[dict[str, Any]], calls: int) -> dict[str, Any]:
    """What came to nothing. An unreadable try is one that gave no value: another form, cut off, or a fault; `unread`
    stages had no other, `unusable` ones failed the stage's check at every try."""
    unreadable = sum(tried["output"] is None for line in stages for tried in line["reply"]["rejected"])
    failed = Counter(f"{line['stage']} {line['reply']['status']}" for line in stages if line["reply"]["status"] != "ok")
    return {
        "stages_asked": len(stages),
        "reasks_a_call": round(sum(line["reply"]["spent"]["reasks"] for line in stages) / calls, 3),
        "unreadable_a_call": round(unreadable / calls, 3),
        "stages_unread": sum(line["reply"]["status"] == "unread" for line in stages),
        "stages_unusable": sum(line["reply"]["status"] == "unusable" for line in stages),
        "stages_failed": dict(failed),
    }


def _quality(records: list[Record]) -> dict[str, Any]:
    """The mean composite of the traces and the mean of each of its metrics; None where nothing could be measured."""
    values = {"composite": [composite(record, WEIGHTS).value for record in records]}
    values |= {name: [METRICS[name](record).value for record in records] for name in WEIGHTS}
    known = {name: [value for value in found if value is not None] for name, found in values.items()}
    return {name: round(mean(found), 3) if found else None for name, found in known.items()}


def bench(options: Options) -> Iterator[dict[str, Any]]:
    """Both orders over three passages, or as many as asked for; over one when `quick`."""
    passages = options.passages or (QUICK_PASSAGES if options.quick else PASSAGES)
    stock = prefix("stock", passages)
    yield stock
    first = prefix("passage-first", passages)
    over = {f"{name}_over_stock": round(first[name] / stock[name], 3) for name in ("wall_s", "wall_s_a_call", "cpu_s")}
    yield {**first, **over}
