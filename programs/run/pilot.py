"""`--pilot N`: which texts a pilot runs, and what the whole run will take, as foretold by them.

A pilot must be like the whole, and the first lines of an input often are not. So it takes the N texts whose hashes, read
backwards, come first: they are spread over the input by chance, are the same in every run, and those of a larger pilot
include those of a smaller one. (The order in which a shard cuts the texts is that of the hashes read forwards: each shard
has a pilot of its own.) The texts keep what was made of them: a run without `--pilot` goes on from there.
"""

import asyncio
import heapq
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean, stdev

from pydantic import BaseModel
from rich.console import Console
from rich.table import Table

from programs.asking.reply import Reply
from programs.inputs.sample import Sample
from programs.option_groups import Price
from programs.run.display import in_time
from programs.run.intake import NOT_CHOSEN
from programs.run.journal import Journal
from programs.run.ledger import Ledger
from programs.run.runner import BREATH
from programs.settings import Settings

DEVIATIONS = 1.645
"""Standard errors on each side of the mean that hold it nine times in ten."""

FEWEST = 5
"""Texts below which no interval is given."""

AMOUNTS = ("traces", "calls", "tokens_read", "tokens_written", "cost", "seconds")


class Amount(BaseModel):
    """A total that is foretold: from `low` to `high` with 90% confidence (None: too few texts to say)."""

    value: float
    low: float | None = None
    high: float | None = None


class Extrapolation(BaseModel):
    """What the whole run is foretold to take, the pilot included, from `pilot` texts that were driven to their end: `texts`
    of the `of` in the input, as many as --max-traces takes. `amounts` are by name (`AMOUNTS`), those left out that servers
    or prices do not tell; seconds are of waiting for calls, of which `concurrency` go on at once."""

    pilot: int
    of: int
    texts: float
    amounts: dict[str, Amount]
    concurrency: int


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
    chosen: Sequence[Sample], journal: Journal, basis: str, texts: int, settings: Settings, capacity: int
) -> Extrapolation | None:
    """What a pilot foretells of a run over so many texts; None when none of its own was driven to its end by the rules
    `basis`. Reads the journal."""
    index = journal.index
    ended = sorted({one.id for one in chosen if (index.sample(one.id) or ("",))[0] == basis})
    if not ended:
        return None
    took = _took(journal, ended, settings.prices)
    most = texts_of(settings, texts, fmean(took["traces"]))
    found = {name: foretell(values, most) for name, values in took.items()}
    amounts = {name: amount for name, amount in found.items() if amount is not None}
    return Extrapolation(pilot=len(ended), of=texts, texts=most, amounts=amounts, concurrency=capacity)


def texts_of(settings: Settings, texts: int, traces: float) -> float:
    """How many of the input's texts a run goes through when each gives so many traces."""
    most = min(texts, settings.max_samples or texts)
    return most if settings.max_traces is None or not traces else min(most, settings.max_traces / traces)


def foretell(values: Sequence[float], texts: float) -> Amount | None:
    """What so many texts take of what the pilot's took: their number times the pilot's mean, give or take its standard
    errors, narrowed by what the pilot is of the whole; without bounds where all took the same, since the others may differ.
    None where what one took is unknown (nan)."""
    total, count = texts * fmean(values), len(values)
    if math.isnan(total):
        return None
    if count < FEWEST or (count < texts and len({*values}) == 1):
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
    return {name: [amounts[name] for amounts in took.values()] for name in AMOUNTS}


def _of_reply(reply: Reply, prices: Mapping[str, Price]) -> dict[str, float]:
    spent, price = reply.spent, prices.get(reply.model)
    read, written = spent.prompt_tokens, spent.completion_tokens
    known = price is not None and read is not None and written is not None
    return {
        "calls": spent.calls,
        "tokens_read": math.nan if read is None else read,
        "tokens_written": math.nan if written is None else written,
        "cost": price.of(read, written, spent.cached_tokens or 0) if known else math.nan,  # type: ignore[union-attr,arg-type]
        "seconds": spent.seconds,
    }


def show_pilot(found: Extrapolation, console: Console) -> None:
    """Prints it for a person."""
    table = Table(title=f"the whole run, foretold by {found.pilot} of {found.of:,} texts", box=None, show_header=False)
    table.add_column(style="bold")
    table.add_column(justify="right")
    table.add_row("texts", f"{found.texts:,.0f}")
    for name, amount in found.amounts.items():
        if name == "seconds":
            at_once = found.concurrency
            table.add_row(f"time, {at_once} calls at once", in_time(amount.value / at_once))
        else:
            table.add_row("accepted traces" if name == "traces" else name.replace("_", " "), _shown(amount))
    console.print(table)
    if found.pilot < FEWEST:
        console.print(f"- {found.pilot} texts are too few for an error bar: it takes {FEWEST}")
    else:
        rare = max(1, found.pilot // 3)
        said = f"in brackets: 90% intervals; what befalls fewer than one text in {rare} may not be in them"
        console.print(f"- {said}", highlight=False)


def _shown(amount: Amount) -> str:
    bounds = [_number(bound) for bound in (amount.low, amount.high) if bound is not None]
    return _number(amount.value) + (f" ({' to '.join(dict.fromkeys(bounds))})" if bounds else "")


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
