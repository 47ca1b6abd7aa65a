"""What became of questions, variations and texts: written into the journal, and looked up there."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from programs.inputs.sample import Sample
from programs.run.journal import Journal
from programs.run.ledger import Ledger
from programs.run.rules import Rules
from programs.stages.questions import QuestionPool
from programs.tracer import SampleOutcome, Store
from programs.traces.line import IMPORTED, LEFT_OUT, line_of, made_before
from programs.traces.variation import EarlierOutcome, Variation, VariationKey

log = logging.getLogger("synthreasoner")


@dataclass
class JournalStore(Store):
    """The store of a run that decides by `rules`. `provenance` goes into each record. All of it raises `StorageError` when
    the journal cannot be written."""

    journal: Journal
    rules: Rules
    ledger: Ledger
    provenance: Mapping[str, str | int | None]

    def earlier(self, key: VariationKey) -> EarlierOutcome | None:
        found = self.journal.index.variation(str(key))
        if found is None:
            return None
        status, basis, settled, digest = found
        # What was taken over from a document is finished, whatever today's rules, and what an older run left out stays out.
        fixed = (settled and basis == IMPORTED) or status in LEFT_OUT
        decided = fixed or (settled and basis == self.rules.basis)
        return EarlierOutcome(accepted=status == "accepted", decided=decided, digest=digest, fixed=fixed)

    def asked(self, sample: str, pool: QuestionPool) -> QuestionPool:
        """Writes a text's questions where the journal lacks some. What an older run left out (`dropped`) stays out."""
        line = self.journal.latest("pool", sample)
        left_out = line["dropped"] if line else []
        dropped = {(question["type"], question["text"]) for question in left_out}
        kept = [question for question in pool.questions if (question.type, question.text) not in dropped]
        pool = pool.model_copy(update={"questions": kept})
        said = pool.model_dump(mode="json")
        if line is None or not _texts_in(line).issuperset(_texts_in(said)):
            self.journal.append("pool", sample, **said, dropped=left_out)
        return pool

    def keep(self, variation: Variation) -> None:
        """Writes a variation."""
        key = str(variation.key)
        line = line_of(variation, self.rules.basis, self.provenance)
        earlier, before = self.journal.latest("unit", key), None
        if earlier is not None:
            line["unused"] = made_before(earlier, line)
            if given_away := earlier.get("contaminated"):
                line["contaminated"] = given_away
            position = self.journal.index.position("unit", key)
            of_this_run = position is not None and position[0] >= self.ledger.since
            before = earlier["status"] if earlier["status"] == "accepted" or of_this_run else None
        self.journal.append("unit", key, **line)
        self.ledger.variation(variation.status, before)
        if not variation.accepted:
            log.info("a trace is %s: %s", variation.status, variation.rejection, extra={"key": key})

    def end(self, sample: Sample, outcome: SampleOutcome) -> None:
        """Writes that a text was driven to its end."""
        if outcome.failure is not None:
            place = sample.place.model_dump()
            log.info("a text failed: %s", outcome.failure, extra={"sample": sample.id, "place": place})
        unsettled = outcome.failed or outcome.limited or not all(each.settled for each in outcome.variations)
        self.journal.append(
            "sample",
            sample.id,
            basis=self.rules.text_basis,
            settled=not unsettled,
            line=sample.line_id,
            place=sample.place.model_dump(),
            failure=outcome.bug or (str(outcome.failure) if outcome.failure else None),
        )
        self.ledger.sample(sample.id, outcome)

    def done(self, sample: Sample) -> bool:
        """Whether a text was driven to its end by the same rules, which is counted."""
        done = self.journal.index.sample(sample.id) == (self.rules.text_basis, True)
        self.ledger.already_done += done
        return done

    @property
    def accepted(self) -> int:
        """How many traces there are."""
        return self.journal.index.counts().get("accepted", 0)


def _texts_in(pool: Mapping[str, Any]) -> set[tuple[str, str]]:
    """The drafts of a pool, taken or rejected, by type and text."""
    return {(one["type"], one["text"]) for name in ("questions", "rejected") for one in pool[name]}
