"""What a run writes into its journal of what became of questions, traces and texts, and what it knows of units."""

import logging
from collections.abc import Mapping

from programs.inputs.sample import Sample
from programs.run.goal import Goal
from programs.run.journal import Journal
from programs.run.ledger import Decided, Ledger
from programs.run.rescreening import given_away
from programs.run.tally import CONTAMINATED, IMPORTED, WITHDRAWN
from programs.selection.screening import Screen
from programs.stages.questions import QuestionPool
from programs.tracer import Made
from programs.traces.unit import Known, Unit, UnitKey
from programs.traces.unit_line import made_before, unit_line

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
        self._began = journal.end[0]

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
        new = not self._screen.decided(sample)
        stands = self._screen.pool(sample, pool)
        if new:
            self._ledger.questions(stands)
        return stands

    def unit(self, unit: Unit) -> None:
        """Writes a unit that was decided; what gives a benchmark away is left out."""
        hit = self._screen.trace(*unit.texts) if unit.status == "accepted" else None
        if hit is not None:
            unit.status, unit.reason = CONTAMINATED, str(hit)
        basis = self._screen.rules if unit.status == CONTAMINATED else self._goal.basis
        line = unit_line(unit, basis, self._provenance)
        before: Decided | None = None
        earlier = self._journal.latest("unit", str(unit.key))
        if earlier is not None:
            line["unused"] = made_before(earlier, line)
            before = Decided(earlier["status"], earlier["reason"], self._is_ours(unit.key))
        if found := given_away(self._screen, line):
            line["contaminated"] = found
        self._journal.append("unit", str(unit.key), **line)
        if unit.status != "accepted":
            log.info("a trace is %s: %s", unit.status, unit.reason, extra={"key": str(unit.key)})
        self._ledger.unit(unit, before)

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

    def _is_ours(self, key: UnitKey) -> bool:
        """Whether a unit's newest line was written in this run."""
        place = self._journal.index.place("unit", str(key))
        return place is not None and place[0] >= self._began
