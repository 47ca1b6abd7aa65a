"""What a run writes into its journal of what became of questions, traces and texts, and what it knows of units."""

import logging
from collections.abc import Mapping

from programs.inputs.sample import Sample
from programs.run.goal import Goal
from programs.run.journal import Journal
from programs.run.ledger import Ledger
from programs.selection.screening import Screen
from programs.stages.questions import QuestionPool
from programs.tracer import Made
from programs.traces.unit import Known, Unit, UnitKey
from programs.traces.unit_line import CONTAMINATED, IMPORTED, WITHDRAWN, made_before, unit_line

log = logging.getLogger("synthreasoner")


class Decisions:
    """Keeps what a run decides. `provenance` goes into each record. All of it raises `JournalError` when the journal cannot
    be written."""

    def __init__(
        self,
        journal: Journal,
        goal: Goal,
        screen: Screen,
        ledger: Ledger,
        provenance: Mapping[str, str | int | None],
    ) -> None:
        self._journal = journal
        self._goal = goal
        self._screen = screen
        self._ledger = ledger
        self._provenance = dict(provenance)

    def known(self, key: UnitKey) -> Known | None:
        """What earlier runs made of a unit; None: nothing."""
        found = self._journal.index.unit(str(key))
        if found is None:
            return None
        status, basis, settled, digest = found
        if status == WITHDRAWN:
            # Its question would not be asked for again if it were still left out.
            settled = False
        elif status == CONTAMINATED and basis == self._screen.rules:
            basis = self._goal.basis
        accepted = status == "accepted"
        # What was taken over from a document is finished, whatever today's rules.
        fixed = settled and basis == IMPORTED
        return Known(accepted=accepted, settled=settled, basis=basis, digest=digest, fixed=fixed)

    def pool(self, sample: str, pool: QuestionPool) -> QuestionPool:
        """What stands of a text's questions, written if it was decided now."""
        return self._screen.pool(sample, pool)

    def unit(self, unit: Unit) -> None:
        """Writes a unit that was decided; what gives a benchmark away is left out."""
        hit = self._screen.trace(*unit.texts) if unit.status == "accepted" else None
        if hit is not None:
            unit.status, unit.reason = CONTAMINATED, str(hit)
        basis = self._screen.rules if unit.status == CONTAMINATED else self._goal.basis
        line = unit_line(unit, basis, self._provenance)
        earlier = self._journal.latest("unit", str(unit.key))
        if earlier is not None:
            line["unused"] = made_before(earlier, line)
        if given_away := self._screen.attempts(line):
            line["contaminated"] = given_away
        self._journal.append("unit", str(unit.key), **line)
        if unit.status != "accepted":
            log.info("a trace is %s: %s", unit.status, unit.reason, extra={"key": str(unit.key)})

    def sample(self, sample: Sample, made: Made) -> None:
        """Writes that a text was driven to its end."""
        if made.failure is not None:
            log.info("a text failed: %s", made.failure, extra={"sample": sample.id, "place": sample.place.model_dump()})
        settled = not made.failed and not made.limited and all(unit.settled for unit in made.units)
        self._journal.append(
            "sample",
            sample.id,
            basis=self._goal.sample_basis,
            settled=settled,
            line=sample.line_id,
            place=sample.place.model_dump(),
            failure=str(made.failure) if made.failure else None,
        )
        self._ledger.sample(sample.id, made)
