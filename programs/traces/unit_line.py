"""A unit's line in the journal: its record, and every attempt at it that was paid for.

status, settled, reason, basis, digest   what became of it
record      the trace that was taken (accepted, or waiting for judges), or null
attempts    the records of the attempts that were not taken, in order; of a unit that was not taken, all
standings   what the judges' verdicts made of each attempt, the taken one last (`programs.traces.decision.Standing`)
unused      attempts that earlier rules asked for and the present ones do not need
contaminated    of the attempts that were not taken, those that give a benchmark away: the records' ids, and where it stands
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from programs.traces.unit import Unit

Line = Mapping[str, Any]

CONTAMINATED: Final = "contaminated"
"""The status of units whose thought or answer gives a benchmark away."""

WITHDRAWN: Final = "withdrawn"
"""The status of units whose question was dropped after they were made: the question's loss is theirs."""

IMPORTED: Final = "imported"
"""The basis of units that came from a document: no rule of ours decided them."""


def unit_line(unit: "Unit", basis: str, provenance: dict[str, str | int | None]) -> dict[str, Any]:
    """The line of a unit that was decided by the rules `basis`; `provenance` goes into each record's `generation`."""
    taken = unit.status in ("accepted", "unjudged")
    records = [unit.record(number, **provenance).written() for number in range(len(unit.attempts))]
    return {
        "sample": unit.key.sample,
        "status": unit.status,
        "settled": unit.settled,
        "reason": unit.reason,
        "basis": basis,
        "digest": unit.digest,
        "record": records[-1] if taken else None,
        "attempts": records[:-1] if taken else records,
        "standings": [attempt.standing for attempt in unit.attempts],
    }


def made_before(earlier: Line, line: Line) -> list[dict[str, Any]]:
    """The records of a unit's earlier line that its new one has no place for: its `unused` ones."""
    known = {record["id"] for _, record in attempts_of(line)}
    return [record for _, record in attempts_of(earlier) if record["id"] not in known]


def attempts_of(line: Line) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every attempt of a line, in order, the unused ones last: what became of it, and its record.

    accepted: it was taken; below: the judges turned it down, or a model's own thought came to another answer; unused and
    contaminated: see above; else the status of the unit, which was not taken for another reason (unjudged, duplicate, ...).
    """
    given_away = line.get("contaminated") or {}
    for became, record in _by_rules(line):
        yield "contaminated" if record.get("id") in given_away else became, record


def _by_rules(line: Line) -> Iterator[tuple[str, dict[str, Any]]]:
    """The same by what the judges and the present rules made of them alone."""
    taken = line["record"]
    records = [*line.get("attempts", ()), *([taken] if taken else [])]
    # Lines of older versions do not say: whatever was made again had been turned down.
    below = [standing == "below" for standing in line.get("standings", ())] or [
        *(True for _ in records[1:]),
        line["status"] in ("rejected", "failed"),
    ]
    for record, turned_down in zip(records, below, strict=False):
        yield ("below" if turned_down else line["status"]), record
    for record in line.get("unused", ()):
        yield "unused", record
