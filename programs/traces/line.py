"""A variation's line in the journal: its record, and every attempt at it that was paid for.

status, settled, rejection, basis, digest   what became of it, and the hash of the rules that decided
record      the trace that was taken (accepted, or waiting for judges), or null
attempts    the records of the attempts that were not taken, in order; of a variation that was not taken, all
standings   what the judges' verdicts made of each attempt, the taken one last (`programs.traces.variation.Standing`)
unused      attempts that earlier rules asked for and the present ones do not need
contaminated    from older versions: the ids of attempts that give a benchmark away, and where it stands
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from programs.traces.variation import Variation

Line = Mapping[str, Any]

WITHDRAWN: Final = "withdrawn"
"""The status of variations whose question an older version left out after they were made: the question's loss is theirs."""

LEFT_OUT: Final = (WITHDRAWN, "contaminated")
"""The statuses of variations that an older version left out as duplicates, or since they give a benchmark away."""

IMPORTED: Final = "imported"
"""The basis of variations that came from a document: no rule of ours decided them."""


def line_of(variation: "Variation", basis: str, provenance: Mapping[str, str | int | None]) -> dict[str, Any]:
    """The line of a variation that was decided by the rules `basis`; `provenance` goes into each record's `generation`."""
    taken = variation.status in ("accepted", "unjudged")
    records = [variation.record(number, **provenance).written() for number in range(len(variation.attempts))]
    return {
        "sample": variation.key.sample,
        "status": variation.status,
        "settled": variation.settled,
        "rejection": variation.rejection and variation.rejection.model_dump(mode="json"),
        "basis": basis,
        "digest": variation.digest,
        "record": records[-1] if taken else None,
        "attempts": records[:-1] if taken else records,
        "standings": [attempt.standing for attempt in variation.attempts],
    }


def made_before(earlier: Line, line: Line) -> list[dict[str, Any]]:
    """The records of a variation's earlier line that its new one has no place for: its `unused` ones."""
    known = {record["id"] for _, record in attempts_of(line)}
    return [record for _, record in attempts_of(earlier) if record["id"] not in known]


def attempts_of(line: Line) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every attempt of a line, in order, the unused ones last: what became of it, and its record.

    accepted: it was taken; below: the judges turned it down, or a model's own thought came to another answer; unused and
    contaminated: see above; else the status of the variation, which was not taken for another reason.
    """
    taken, given_away = line["record"], line.get("contaminated") or {}
    records = [*line.get("attempts", ()), *([taken] if taken else [])]
    # Lines of older versions do not say: whatever was made again had been turned down.
    standings = line.get("standings") or [
        *("below" for _ in records[1:]),
        "below" if line["status"] in ("rejected", "failed") else "",
    ]
    became = ["below" if standing == "below" else line["status"] for standing in standings]
    unused = line.get("unused", ())
    for what, record in zip([*became[: len(records)], *("unused" for _ in unused)], [*records, *unused], strict=True):
        yield "contaminated" if record.get("id") in given_away else what, record
