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
from programs.run.funnel import cost_of
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
        index = self.journal.index
        ended = sorted({one.id for one in self.texts if (index.sample(one.id) or ("",))[0] == self.basis})
        if not ended:
            return None
        took = _took(self.journal, ended, settings.prices)
        most = texts_of(settings, texts, fmean(one for one in took["traces"] if one is not None))
        amounts = {name: foretell(values, most) for name, values in took.items()}
        left = max(0.0, 1 - len(ended) / most) / capacity if most else 0.0
        seconds, account = amounts.pop("seconds"), index.spent()
        return Extrapolation(
            pilot=len(ended),
            chosen=len(self.texts),
            of=texts,
            texts=Amount(value=most),
            **amounts,
            seconds=seconds and seconds.of_each(lambda at: at * left),
            concurrency=capacity,
            refused=self.ledger.total.faults.get(RATE_LIMITED, 0),
            spent={
                "calls": sum(row["calls"] for row in account),
                "tokens_read": sum(row["prompt"] for row in account),
                "tokens_written": sum(row["completion"] for row in account),
                "cost": cost_of(account, settings.prices) or 0.0,
            },
        )


def texts_of(settings: Settings, texts: int, traces: float) -> float:
    """How many of the input's texts a run goes through when each gives so many traces."""
    most = min(texts, settings.max_samples or texts)
    return most if settings.max_traces is None or not traces else min(most, settings.max_traces / traces)


def foretell(values: Sequence[float | None], texts: float) -> Amount | None:
    """What so many texts take of what the pilot's took; None where that is unknown for some."""
    known = [value for value in values if value is not None]
    if len(known) < len(values):
        return None
    total, count = texts * fmean(known), len(known)
    if count < FEWEST:
        return Amount(value=total)
    half = DEVIATIONS * texts * stdev(known) * math.sqrt(max(0.0, 1 - count / texts) / count) if texts else 0.0
    return Amount(value=total, low=max(0.0, total - half), high=total + half)


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


def _took(journal: Journal, texts: Sequence[str], prices: Mapping[str, Price]) -> dict[str, list[float | None]]:
    """What each of the texts took over all runs, and the traces that it has; None: unknown. Reads the journal."""
    spent: dict[str, dict[str, Spent]] = {text: {} for text in texts}
    for _, _, line in journal.lines():
        text = line["key"].split("/")[1] if line["kind"] in ("stage", "failed") else ""
        if text in spent:
            model, one = line["reply"]["model"], Spent.model_validate(line["reply"]["spent"])
            spent[text][model] = spent[text].get(model, Spent()) + one
    totals = [sum(by_model.values(), Spent()) for by_model in spent.values()]
    return {
        "traces": [journal.index.accepted_of(text) for text in texts],
        "calls": [one.calls for one in totals],
        "tokens_read": [one.prompt_tokens for one in totals],
        "tokens_written": [one.completion_tokens for one in totals],
        "cost": [_cost(by_model, prices) for by_model in spent.values()],
        "seconds": [one.seconds for one in totals],
    }


def _cost(spent: Mapping[str, Spent], prices: Mapping[str, Price]) -> float | None:
    total = 0.0
    for model, one in spent.items():
        if model not in prices or one.prompt_tokens is None or one.completion_tokens is None:
            return None
        total += prices[model].of(one.prompt_tokens, one.completion_tokens)
    return total


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
    yield "texts", _shown(found.texts), ""
    names = ("traces", "calls", "tokens_read", "tokens_written", "cost")
    for name in names:
        amount: Amount | None = getattr(found, name)
        if amount is not None:
            spent = found.spent.get(name)
            left = "" if spent is None else _shown(_less(amount, spent))
            yield "accepted traces" if name == "traces" else name.replace("_", " "), _shown(amount), left
    if found.seconds is not None:
        yield f"time, {found.concurrency} calls at once", "", _shown(found.seconds, in_time)


def _less(amount: Amount, spent: float) -> Amount:
    return amount.of_each(lambda at: max(0.0, at - spent))


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


def _shown(amount: Amount, form: Callable[[float], str] = lambda at: f"{at:,.0f}" if at >= 100 else f"{at:.3g}") -> str:
    bounds = [form(bound) for bound in (amount.low, amount.high) if bound is not None]
    said = "" if not bounds else " (all alike)" if len(set(bounds)) == 1 else f" ({' to '.join(bounds)})"
    return form(amount.value) + said
