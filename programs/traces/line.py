"""A variation's line in the journal: its record, and every attempt at it that was paid for.

status, settled, rejection   the outcome
basis, digest   the hash of the rules that decided it, and that of its texts
record      the trace that was kept (accepted, or waiting for judges), or null
attempts    the records of the other attempts, in order; of all attempts if none was kept
standings   the `programs.traces.variation.Standing` of each attempt, the kept one last
unused      attempts that earlier rules asked for and the present ones do not need
contaminated    from older versions: the ids of attempts that give a benchmark away, each with the reason
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from programs.traces.variation import Variation

Line = Mapping[str, Any]

WITHDRAWN: Final = "withdrawn"
"""The status of variations that were made before an older version left out their question."""

LEFT_OUT: Final = (WITHDRAWN, "contaminated")
"""The statuses of variations that an older version left out as duplicates or because they give a benchmark away."""

IMPORTED: Final = "imported"
"""The basis of variations that were read from a document: no rules of this program decided them."""


def line_of(variation: "Variation", basis: str, provenance: Mapping[str, str | int | None]) -> dict[str, Any]:
    """The line of a variation that the rules with the hash `basis` decided. `provenance` goes into each `generation`."""
    kept = variation.status in ("accepted", "unjudged")
    records = [variation.record(number, **provenance).compact_dump() for number in range(len(variation.attempts))]
    return {
        "sample": variation.key.sample,
        "status": variation.status,
        "settled": variation.settled,
        "rejection": variation.rejection and variation.rejection.model_dump(mode="json"),
        "basis": basis,
        "digest": variation.digest,
        "record": records[-1] if kept else None,
        "attempts": records[:-1] if kept else records,
        "standings": [attempt.standing for attempt in variation.attempts],
    }


def unused_records(earlier: Line, line: Line) -> list[dict[str, Any]]:
    """The records of a variation's earlier line that its new line lacks: the `unused` ones."""
    known = {record["id"] for _, record in attempts_of(line)}
    return [record for _, record in attempts_of(earlier) if record["id"] not in known]


def attempts_of(line: Line) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every attempt of a line as (outcome, record), in order, the unused ones last.

    The outcome is `accepted`; `below` if the judges rejected it or a model's own thought led to another answer; `unused` or
    `contaminated` (see above); or else the status of the variation, which was not accepted for another reason.
    """
    kept, contaminated = line["record"], line.get("contaminated") or {}
    records = [*line.get("attempts", ()), *([kept] if kept else [])]
    # Lines of older versions have no standings: an attempt that was followed by another had been rejected.
    standings = line.get("standings") or [
        *("below" for _ in records[1:]),
        "below" if line["status"] in ("rejected", "failed") else "",
    ]
    outcomes = ["below" if standing == "below" else line["status"] for standing in standings]
    unused = line.get("unused", ())
    outcomes = [*outcomes[: len(records)], *("unused" for _ in unused)]
    for outcome, record in zip(outcomes, [*records, *unused], strict=True):
        yield "contaminated" if record.get("id") in contaminated else outcome, record
