"""What became of questions, variations and texts: written into the journal, and looked up there."""

import logging
from collections.abc import Mapping

from programs.inputs.sample import Sample
from programs.rejection import Reason
from programs.run.journal import Journal
from programs.run.ledger import Ledger
from programs.run.rescreening import given_away
from programs.run.rules import Rules
from programs.selection.screening import Screen
from programs.stages.questions import QuestionPool
from programs.tracer import SampleOutcome, Store
from programs.traces.line import CONTAMINATED, IMPORTED, WITHDRAWN, line_of, made_before
from programs.traces.variation import EarlierOutcome, Variation, VariationKey

log = logging.getLogger("synthreasoner")


class JournalStore(Store):
    """The store of a run that decides by `rules`. `provenance` goes into each record. All of it raises `JournalError` when
    the journal cannot be written."""

    def __init__(
        self,
        journal: Journal,
        rules: Rules,
        screen: Screen,
        ledger: Ledger,
        provenance: Mapping[str, str | int | None],
    ) -> None:
        self._journal, self._rules, self._screen, self._ledger = journal, rules, screen, ledger
        self._provenance = provenance

    def earlier(self, key: VariationKey) -> EarlierOutcome | None:
        found = self._journal.index.variation(str(key))
        if found is None:
            return None
        status, basis, settled, digest = found
        # What was taken over from a document is finished, whatever today's rules. The question of a withdrawn one would
        # not be asked for again if it were still left out.
        fixed = settled and basis == IMPORTED
        rules = self._screen.rules if status == CONTAMINATED else self._rules.basis
        decided = fixed or (settled and basis == rules and status != WITHDRAWN)
        return EarlierOutcome(accepted=status == "accepted", decided=decided, digest=digest, fixed=fixed)

    def screened(self, sample: str, pool: QuestionPool) -> QuestionPool:
        """As the journal has it, or else decided and written now."""
        return self._screen.pool(sample, pool)

    def keep(self, variation: Variation) -> None:
        """Writes a variation; what gives a benchmark away is left out."""
        key = str(variation.key)
        hit = self._screen.trace(*variation.texts) if variation.accepted else None
        if hit is not None:
            variation.turn_down(CONTAMINATED, Reason.BENCHMARK, str(hit))
        basis = self._screen.rules if variation.status == CONTAMINATED else self._rules.basis
        line = line_of(variation, basis, self._provenance)
        earlier = self._journal.latest("unit", key)
        if earlier is not None:
            line["unused"] = made_before(earlier, line)
        if given := given_away(self._screen, line):
            line["contaminated"] = given
        self._journal.append("unit", key, **line)
        if not variation.accepted:
            log.info("a trace is %s: %s", variation.status, variation.rejection, extra={"key": key})

    def end(self, sample: Sample, outcome: SampleOutcome) -> None:
        """Writes that a text was driven to its end."""
        if outcome.failure is not None:
            place = sample.place.model_dump()
            log.info("a text failed: %s", outcome.failure, extra={"sample": sample.id, "place": place})
        unsettled = outcome.failed or outcome.limited or not all(each.settled for each in outcome.variations)
        self._journal.append(
            "sample",
            sample.id,
            basis=self._rules.text_basis,
            settled=not unsettled,
            line=sample.line_id,
            place=sample.place.model_dump(),
            failure=str(outcome.failure) if outcome.failure else None,
        )
        self._ledger.sample(sample.id, outcome)

    def done(self, sample: Sample) -> bool:
        """Whether a text was driven to its end by the same rules, which is counted."""
        done = self._journal.index.sample(sample.id) == (self._rules.text_basis, True)
        self._ledger.already_done += done
        return done

    @property
    def accepted(self) -> int:
        """How many traces there are."""
        return self._journal.index.counts().get("accepted", 0)

    def decides_in_turn(self, sample: Sample) -> bool:
        """Whether what stands of a text's questions is still to be decided, and hangs on the texts before it."""
        return self._screen.takes_turns and not self._screen.decided(sample.id)
