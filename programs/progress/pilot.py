"""`--pilot N`: which texts a pilot runs, and what each of them took.

A pilot must be like the whole, and the first lines of an input often are not. So it takes the N texts whose hashes, read
backwards, come first: they are spread over the input by chance, are the same in every run, and those of a larger pilot
include those of a smaller one. The order in which a shard cuts the texts is that of the hashes read forwards: each shard
has a pilot of its own.

The texts keep what was made of them. A run without `--pilot` goes on from there, and pays nothing twice.
"""

import asyncio
import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from programs.asking.plan import Spent
from programs.inputs.sample import Sample
from programs.journals.index import Index
from programs.journals.journal import Journal
from programs.progress.extrapolation import Extrapolation, Sampled, Taken, Whole
from programs.progress.trouble import RATE_LIMITED
from programs.running.intake import NOT_CHOSEN
from programs.running.ledger import Ledger
from programs.running.prices import Price
from programs.settings import Settings

BREATH = 100
"""Lines that may be read before the signals and the display get their turn."""


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
        work, seconds = self.ledger.work, self.ledger.total.seconds
        whole = Whole(
            texts=texts,
            max_samples=settings.max_samples,
            max_traces=settings.max_traces,
            concurrency=capacity,
            stretch=max(1.0, work.held / seconds) if seconds else 1.0,
            tail=work.tail,
        )
        found = taken(self.journal, self.texts, self.basis, settings.prices)
        return extrapolated(found, len(self.texts), whole, self.ledger, self.journal.index) if found else None


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
    ended = {sample.id for sample in texts if (journal.index.sample(sample.id) or ("", False))[0] == basis}
    spent = {sample: Spent() for sample in ended}
    cost: dict[str, float | None] = dict.fromkeys(ended, 0.0)
    for _, _, line in journal.lines():
        sample = line["key"].split("/")[1] if line["kind"] in ("stage", "failed") else ""
        if sample in ended:
            one = Spent.model_validate(line["reply"]["spent"])
            spent[sample] += one
            cost[sample] = _sum(cost[sample], _cost(one, prices.get(line["reply"]["model"])))
    return [_taken(spent[sample], cost[sample], journal.index.accepted_of(sample)) for sample in sorted(ended)]


def extrapolated(texts: Sequence[Taken], chosen: int, whole: Whole, ledger: Ledger, index: Index) -> Extrapolation:
    """What these of the `chosen` texts of a pilot, one at least, foretell of the whole run."""
    sampled, spent = Sampled(texts, whole), index.spent()
    calls = sampled.total("calls")
    assert calls is not None, "calls are always counted"
    return Extrapolation(
        pilot=len(texts),
        chosen=chosen,
        of=whole.texts,
        texts=sampled.texts(),
        traces=sampled.traces(),
        calls=calls,
        tokens_read=sampled.total("tokens_read"),
        tokens_written=sampled.total("tokens_written"),
        cost=sampled.total("cost"),
        seconds=sampled.seconds(),
        concurrency=whole.concurrency,
        in_flight=round(ledger.work.mean_in_flight, 2),
        refused=ledger.total.faults.get(RATE_LIMITED, 0),
        spent={
            "calls": sum(row["calls"] for row in spent),
            "tokens_read": sum(row["prompt"] for row in spent),
            "tokens_written": sum(row["completion"] for row in spent),
            "cost": sum(text.cost or 0.0 for text in texts),
        },
    )


def _taken(spent: Spent, cost: float | None, traces: int) -> Taken:
    return Taken(spent.calls, spent.prompt_tokens, spent.completion_tokens, cost, spent.seconds, traces)


def _cost(spent: Spent, price: Price | None) -> float | None:
    if price is None or spent.prompt_tokens is None or spent.completion_tokens is None:
        return None
    return price.of(spent.prompt_tokens, spent.completion_tokens)


def _sum(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one + other
