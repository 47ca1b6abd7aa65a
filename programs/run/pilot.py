"""`--pilot N`: which texts a pilot runs, what each of them took, and what the whole run will take.

A pilot must be like the whole, and the first lines of an input often are not. So it takes the N texts whose hashes, read
backwards, come first: they are spread over the input by chance, are the same in every run, and those of a larger pilot
include those of a smaller one. The order in which a shard cuts the texts is that of the hashes read forwards: each shard
has a pilot of its own. The texts keep what was made of them: a run without `--pilot` goes on from there.

A total is the texts that are gone through times the pilot's mean; its interval is 1.645 standard errors to either side,
narrowed by the square root of 1 - n/N, since the pilot's own part is known (Cochran, Sampling Techniques, 2.6). With
--max-traces the texts that so many traces need are not known either: it is then a ratio to the traces (6.4).
"""

import asyncio
import heapq
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from pydantic import BaseModel
from rich.console import Console
from rich.table import Table

from programs.asking.reply import Spent
from programs.inputs.sample import Sample
from programs.option_groups import Price
from programs.run.display import in_time
from programs.run.index import Index
from programs.run.intake import NOT_CHOSEN
from programs.run.journal import Journal
from programs.run.ledger import RATE_LIMITED, Ledger
from programs.settings import Settings

BREATH = 100
"""Lines that may be read before the signals and the display get their turn."""

CONFIDENCE, DEVIATIONS = 0.9, 1.645
FEWEST = 5
"""Texts below which no interval is given."""


class Amount(BaseModel):
    """A total that is foretold: from `low` to `high` with 90% confidence (None: too few texts to say)."""

    value: float
    low: float | None = None
    high: float | None = None


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
    traces: Amount
    calls: Amount
    tokens_read: Amount | None
    tokens_written: Amount | None
    cost: Amount | None
    seconds: Amount
    concurrency: int
    refused: int
    spent: dict[str, float]


@dataclass(frozen=True)
class Taken:
    """What a text took over all runs of the journal, and the accepted traces that it has. None: unknown."""

    calls: int
    tokens_read: int | None
    tokens_written: int | None
    cost: float | None
    seconds: float
    traces: int


@dataclass(frozen=True)
class Pilot:
    """The texts of a pilot, in the input's order, and those of them that are still to be made."""

    texts: list[Sample]
    to_make: list[Sample]
    journal: Journal
    basis: str
    ledger: Ledger

    def foretold(self, texts: int, settings: Settings, capacity: int) -> Extrapolation | None:
        """What the pilot foretells of a run over so many texts; None when none of its own was driven to its end."""
        found = taken(self.journal, self.texts, self.basis, settings.prices)
        if not found:
            return None
        most = texts if settings.max_samples is None else min(texts, settings.max_samples)
        whole = Whole([text.traces for text in found], most, settings.max_traces)
        spent = self.journal.index.spent()
        calls = whole.total([text.calls for text in found])
        assert calls is not None, "calls are always counted"
        return Extrapolation(
            pilot=len(found),
            chosen=len(self.texts),
            of=texts,
            texts=whole.amount([1.0] * len(found)),
            traces=whole.amount([text.traces for text in found]),
            calls=calls,
            tokens_read=whole.total([text.tokens_read for text in found]),
            tokens_written=whole.total([text.tokens_written for text in found]),
            cost=whole.total([text.cost for text in found]),
            seconds=whole.left([text.seconds / capacity for text in found]),
            concurrency=capacity,
            refused=self.ledger.total.faults.get(RATE_LIMITED, 0),
            spent={
                "calls": sum(row["calls"] for row in spent),
                "tokens_read": sum(row["prompt"] for row in spent),
                "tokens_written": sum(row["completion"] for row in spent),
                "cost": sum(text.cost or 0.0 for text in found),
            },
        )


class Whole:
    """What there is to go through, seen from a pilot's texts, which gave so many `traces` each: `most` texts, or those that
    `max_traces` need where these are fewer."""

    def __init__(self, traces: Sequence[float], most: int, max_traces: int | None) -> None:
        self._traces, self._mean = traces, fmean(traces)
        goal = math.inf if max_traces is None else max_traces / self._mean if self._mean else math.inf
        self._by_traces = goal < most
        self._needed = min(goal, float(most))

    def total(self, values: Sequence[float | None]) -> Amount | None:
        """What all texts take of what the pilot's took; None where that is unknown for some."""
        known = [value for value in values if value is not None]
        return self.amount(known) if len(known) == len(values) else None

    def amount(self, values: Sequence[float]) -> Amount:
        """The same, where all are known."""
        count, mean = len(values), fmean(values)
        value = self._needed * mean
        if count < FEWEST:
            return Amount(value=value)
        ratio = mean / self._mean if self._by_traces else 0.0
        deviation = stdev(one - ratio * traces for one, traces in zip(values, self._traces, strict=True))
        rest = max(0.0, 1 - count / self._needed) if self._needed else 0.0
        half = DEVIATIONS * self._needed * deviation * math.sqrt(rest / count)
        return Amount(value=value, low=max(0.0, value - half), high=value + half)

    def left(self, values: Sequence[float]) -> Amount:
        """What the texts besides the pilot's take."""
        found, share = self.amount(values), max(0.0, 1 - len(values) / self._needed) if self._needed else 0.0
        return Amount(**{bound: None if at is None else at * share for bound, at in found})


async def choose(samples: Iterable[Sample | None], count: int, journal: Journal, basis: str, ledger: Ledger) -> Pilot:
    """A pilot of so many texts; `basis` are the rules by which texts are done. Reads the whole input; memory: the texts.

    Texts that are left, unless an earlier run began them, are counted in the ledger, and so are those that are done.
    """
    index = journal.index
    begun = index.begun() > 0
    # The last of those that are kept is on top.
    heap: list[tuple[int, int, Sample]] = []
    for number, sample in enumerate(samples):
        if number % BREATH == 0:
            await asyncio.sleep(0)
        if sample is None:
            continue
        item = (-int(sample.id[::-1], 16), -number, sample)
        if len(heap) < count:
            heapq.heappush(heap, item)
            continue
        left = heapq.heappushpop(heap, item)[2]
        if not (begun and index.knows(left.id)):
            ledger.left[NOT_CHOSEN] += 1
    texts = [sample for _, _, sample in sorted(heap, key=lambda item: -item[1])]
    to_make = [sample for sample in texts if index.sample(sample.id) != (basis, True)]
    ledger.already_done += len(texts) - len(to_make)
    return Pilot(texts, to_make, journal, basis, ledger)


def taken(journal: Journal, texts: Sequence[Sample], basis: str, prices: Mapping[str, Price]) -> list[Taken]:
    """What each of the texts took that were driven to their end by these rules. Reads the journal."""
    index: Index = journal.index
    ended = {sample.id for sample in texts if (index.sample(sample.id) or ("", False))[0] == basis}
    spent = {sample: Spent() for sample in ended}
    cost: dict[str, float | None] = dict.fromkeys(ended, 0.0)
    for _, _, line in journal.lines():
        sample = line["key"].split("/")[1] if line["kind"] in ("stage", "failed") else ""
        if sample in ended:
            one = Spent.model_validate(line["reply"]["spent"])
            spent[sample] += one
            more, before = _cost(one, prices.get(line["reply"]["model"])), cost[sample]
            cost[sample] = None if more is None or before is None else before + more
    return [
        Taken(one.calls, one.prompt_tokens, one.completion_tokens, cost[name], one.seconds, index.accepted_of(name))
        for name, one in sorted(spent.items())
    ]


def _cost(spent: Spent, price: Price | None) -> float | None:
    if price is None or spent.prompt_tokens is None or spent.completion_tokens is None:
        return None
    return price.of(spent.prompt_tokens, spent.completion_tokens)


def show_pilot(found: Extrapolation, console: Console) -> None:
    """Prints it for a person."""
    table = Table(title=f"foretold by {found.pilot} of {found.of:,} texts", box=None)
    table.add_column("", style="bold")
    table.add_column("whole run", justify="right")
    table.add_column("still to come", justify="right")
    for row in in_words(found):
        table.add_row(*row)
    console.print(table)
    for note in notes(found):
        console.print(f"- {note}", highlight=False, markup=False)


def in_words(found: Extrapolation) -> Iterator[tuple[str, str, str]]:
    """Rows for a person: what, in the whole run, and what of it is still to come."""
    yield "texts", _rounded(found.texts.value) if found.texts.low == found.texts.high else _shown(found.texts), ""
    yield "accepted traces", _shown(found.traces), ""
    for name in ("calls", "tokens_read", "tokens_written", "cost"):
        amount: Amount | None = getattr(found, name)
        if amount is not None:
            spent = found.spent.get(name, 0.0)
            left = Amount(**{bound: None if at is None else max(0.0, at - spent) for bound, at in amount})
            yield name.replace("_", " "), _shown(amount), _shown(left)
    yield f"time, {found.concurrency} calls at once", "", _shown(found.seconds, in_time)


def notes(found: Extrapolation) -> Iterator[str]:
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


def _shown(amount: Amount, form: Callable[[float], str] | None = None) -> str:
    form = form or _rounded
    value = form(amount.value)
    if amount.low is None or amount.high is None:
        return value
    low, high = form(amount.low), form(amount.high)
    return f"{value} (all alike)" if low == high else f"{value} ({low} to {high})"


def _rounded(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
