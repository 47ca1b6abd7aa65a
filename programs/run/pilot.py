"""`--pilot N`: which texts a pilot runs, and what the whole run will take, as foretold by them.

A pilot must be like the whole, and the first lines of an input often are not. So it takes the N texts whose hashes, read
backwards, come first: they are spread over the input by chance, are the same in every run, and those of a larger pilot
include those of a smaller one. (The order in which a shard cuts the texts is that of the hashes read forwards: each shard
has a pilot of its own.) The texts keep what was made of them: a run without `--pilot` goes on from there.

A total is the texts that are gone through times the pilot's mean, give or take 1.645 standard errors of that mean, narrowed
by what the pilot is of the whole. With --max-traces they are as many as that takes at the pilot's traces a text.
"""

import asyncio
import heapq
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from statistics import fmean, stdev

from pydantic import BaseModel
from rich.console import Console
from rich.table import Table

from programs.asking.reply import Reply
from programs.inputs.sample import Sample
from programs.option_groups import Price
from programs.run.display import in_time
from programs.run.funnel import cost_of
from programs.run.intake import NOT_CHOSEN
from programs.run.journal import Journal
from programs.run.ledger import Ledger
from programs.run.runner import BREATH
from programs.settings import Settings

CONFIDENCE, DEVIATIONS = 0.9, 1.645
FEWEST = 5
"""Texts below which no interval is given."""

AMOUNTS = ("traces", "calls", "tokens_read", "tokens_written", "cost")


class Amount(BaseModel):
    """A total that is foretold: from `low` to `high` with 90% confidence (None: too few texts to say)."""

    value: float
    low: float | None = None
    high: float | None = None

    def of_each(self, change: Callable[[float], float]) -> "Amount":
        """The amount with its value and its bounds changed."""
        return Amount(**{bound: None if at is None else change(at) for bound, at in self})


class Extrapolation(BaseModel):
    """What the whole run is foretold to take, the pilot included, from the `pilot` texts of `chosen` that were driven to
    their end. `texts` are those that it goes through, of `of` in the input; amounts are None where servers or prices do not
    tell them. `seconds` are those that are left, at `concurrency` calls at once; servers refused `refused` calls for the
    sake of their rate. `spent` is what all runs have spent of the amounts of these names."""

    pilot: int
    chosen: int
    of: int
    confidence: float = CONFIDENCE
    texts: Amount
    traces: Amount | None
    calls: Amount | None
    tokens_read: Amount | None
    tokens_written: Amount | None
    cost: Amount | None
    seconds: Amount | None
    concurrency: int
    refused: int
    spent: dict[str, float]


async def choose(samples: Iterable[Sample | None], count: int, journal: Journal, ledger: Ledger) -> list[Sample]:
    """The texts of a pilot, in the input's order. Reads the whole input; memory: the texts. Those that are left, unless an
    earlier run began them, are counted in the ledger."""
    begun = journal.index.begun() > 0
    # The last of those that are kept is on top.
    heap: list[tuple[int, int, Sample]] = []
    for number, sample in enumerate(samples):
        if number % BREATH == 0:
            await asyncio.sleep(0)
        if sample is None:
            continue
        heapq.heappush(heap, (-int(sample.id[::-1], 16), -number, sample))
        if len(heap) > count:
            left = heapq.heappop(heap)[2]
            ledger.left[NOT_CHOSEN] += not (begun and journal.index.knows(left.id))
    return [sample for _, _, sample in sorted(heap, key=lambda item: -item[1])]


def foretold(
    chosen: Sequence[Sample], journal: Journal, basis: str, texts: int, settings: Settings, capacity: int, refused: int
) -> Extrapolation | None:
    """What a pilot foretells of a run over so many texts; None when none of its own was driven to its end by the rules
    `basis`. Reads the journal."""
    index = journal.index
    ended = sorted({one.id for one in chosen if (index.sample(one.id) or ("",))[0] == basis})
    if not ended:
        return None
    took = _took(journal, ended, settings.prices)
    most = texts_of(settings, texts, fmean(took["traces"]))
    amounts = {name: foretell(values, most) for name, values in took.items()}
    left = max(0.0, 1 - len(ended) / most) / capacity if most else 0.0
    seconds, account = amounts.pop("seconds"), index.spent()
    spent = {"calls": "calls", "tokens_read": "prompt", "tokens_written": "completion"}
    return Extrapolation(
        pilot=len(ended),
        chosen=len(chosen),
        of=texts,
        texts=Amount(value=most),
        **amounts,
        seconds=seconds and seconds.of_each(lambda at: at * left),
        concurrency=capacity,
        refused=refused,
        spent={name: sum(row[column] for row in account) for name, column in spent.items()}
        | {"cost": cost_of(account, settings.prices) or 0.0},
    )


def texts_of(settings: Settings, texts: int, traces: float) -> float:
    """How many of the input's texts a run goes through when each gives so many traces."""
    most = min(texts, settings.max_samples or texts)
    return most if settings.max_traces is None or not traces else min(most, settings.max_traces / traces)


def foretell(values: Sequence[float], texts: float) -> Amount | None:
    """What so many texts take of what the pilot's took; None where that is unknown (nan) for some."""
    total, count = texts * fmean(values), len(values)
    if math.isnan(total):
        return None
    if count < FEWEST:
        return Amount(value=total)
    half = DEVIATIONS * texts * stdev(values) * math.sqrt(max(0.0, 1 - count / texts) / count) if texts else 0.0
    return Amount(value=total, low=max(0.0, total - half), high=total + half)


def _took(journal: Journal, texts: Sequence[str], prices: Mapping[str, Price]) -> dict[str, list[float]]:
    """What each of the texts took over all runs, and the traces that it has; nan: unknown."""
    took: dict[str, dict[str, float]] = {text: defaultdict(float) for text in texts}
    for _, _, line in journal.lines():
        text = line["key"].split("/")[1] if line["kind"] in ("stage", "failed") else ""
        if text in took:
            for name, amount in _of_reply(Reply.model_validate(line["reply"]), prices).items():
                took[text][name] += amount
    for text, amounts in took.items():
        amounts["traces"] = journal.index.accepted_of(text)
    return {name: [amounts[name] for amounts in took.values()] for name in (*AMOUNTS, "seconds")}


def _of_reply(reply: Reply, prices: Mapping[str, Price]) -> dict[str, float]:
    spent, price = reply.spent, prices.get(reply.model)
    read, written = spent.prompt_tokens, spent.completion_tokens
    cost = math.nan if price is None or read is None or written is None else price.of(read, written, spent.cached_tokens or 0)
    return {
        "calls": spent.calls,
        "tokens_read": math.nan if read is None else read,
        "tokens_written": math.nan if written is None else written,
        "cost": cost,
        "seconds": spent.seconds,
    }


def show_pilot(found: Extrapolation, console: Console) -> None:
    """Prints it for a person: each amount in the whole run, what of it is still to come, and how it was computed."""
    table = Table(title=f"foretold by {found.pilot} of {found.of:,} texts", box=None)
    table.add_column("", style="bold")
    table.add_column("whole run", justify="right")
    table.add_column("still to come", justify="right")
    table.add_row("texts", _shown(found.texts), "")
    for name in AMOUNTS:
        if (amount := getattr(found, name)) is not None:
            spent = found.spent.get(name)
            left = "" if spent is None else _shown(amount.of_each(lambda at, less=spent: max(0.0, at - less)))
            table.add_row("accepted traces" if name == "traces" else name.replace("_", " "), _shown(amount), left)
    if found.seconds is not None:
        table.add_row(f"time, {found.concurrency} calls at once", "", _shown(found.seconds, in_time))
    console.print(table)
    for note in _notes(found):
        console.print(f"- {note}", highlight=False, markup=False)


def _notes(found: Extrapolation) -> Iterator[str]:
    """How it was computed, and what it does not know."""
    if found.pilot < found.chosen:
        yield f"only {found.pilot} of the {found.chosen} texts were driven to their end; the slowest may be missing"
    if found.pilot < FEWEST:
        yield f"{found.pilot} texts are too few for an error bar: it takes {FEWEST}"
    else:
        yield (
            f"in brackets: {found.confidence:.0%} intervals over {found.pilot} texts chosen by chance; what befalls fewer "
            f"than one text in {max(1, found.pilot // 3)} may not be in them"
        )
    yield f"time: the seconds of the texts' calls, provided that the server takes {found.concurrency} at once as fast"
    if found.refused:
        yield f"servers refused {found.refused} calls for their rate: it will take longer"


def _shown(amount: Amount, form: Callable[[float], str] = lambda at: f"{at:,.0f}" if at >= 100 else f"{at:.3g}") -> str:
    bounds = [form(bound) for bound in (amount.low, amount.high) if bound is not None]
    said = "" if not bounds else " (all alike)" if len(set(bounds)) == 1 else f" ({' to '.join(bounds)})"
    return form(amount.value) + said
