"""What the index keeps of a journal's line, by its kind. Pure; lines have the form of this version."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from programs.rejection import Reason

Line = Mapping[str, Any]

LONGEST_REASON = 160
SOLVED = ("accepted", "rejected", "unjudged", "contaminated")
"""The statuses of variations whose question has a need. One that was withdrawn counts nowhere."""

UNDECIDED = "undecided"
_NOTHING = (None, 0, False)


def facts_of(line: Line) -> dict[str, Any] | None:
    """What sums and lists need of a line; None for kinds that are looked up by their key alone."""
    form = _FORMS.get(line["kind"])
    return None if form is None else form(line)


def loss_of(rejection: Line) -> str:
    """The name under which the funnel counts what was rejected so. Stages that gave nothing are told apart."""
    reason, (stage, _, _) = str(rejection["reason"]), rejection["detail"].partition(":")
    return f"{stage} {reason}" if reason in (Reason.UNUSABLE.value, Reason.UNANSWERED.value) else reason


def _variation(line: Line) -> dict[str, Any]:
    """The last attempt stands for a variation of which none was taken."""
    record, attempts = line["record"], line.get("attempts") or []
    rejection = line["rejection"]
    last = record or (attempts[-1] if attempts else {})
    found = {
        "question": line["key"].rpartition("/")[0],
        **{name: line[name] for name in ("basis", "settled", "digest")},
        "loss": loss_of(rejection) if rejection else None,
        "why": f"{rejection['reason']}: {rejection['detail']}"[:LONGEST_REASON] if rejection else None,
        "written": len(attempts) + (record is not None),
        "unused": len(line.get("unused") or ()),
        "solved": _solved(line, last.get("blind_solve")),
        "steps": _steps(last.get("steps") or []) if line["status"] == "accepted" else None,
    }
    return {name: value for name, value in found.items() if value not in _NOTHING}


def _solved(line: Line, solve: Line | None) -> dict[str, Any] | None:
    """What blind solving found of the variation's question, told by the first of those that were solved together. Those of
    older versions stand for themselves."""
    if not solve or line["status"] not in SOLVED:
        return None
    together = solve.get("variations")
    if together and line["key"].rpartition("/")[2] != str(together[0]):
        return None
    return {"need": solve["need"] or UNDECIDED, "difficulty": solve["difficulty"]}


def _steps(steps: list[Line]) -> dict[str, int] | None:
    # In older versions rules gave a status too. They could not know.
    checked = [step for step in steps if step.get("judged_by") not in (None, "rule")]
    if not checked:
        return None
    return {
        "steps": len(steps),
        "checked": len(checked),
        **Counter(step.get("status") or "no_claim" for step in checked),
    }


def _pool(line: Line) -> dict[str, Any]:
    kept, rejected, dropped = (line.get(name) or [] for name in ("questions", "rejected", "dropped"))
    lost = Counter(loss_of(question["rejection"]) for question in [*rejected, *dropped])
    return {"usable": len(kept), "drafted": len(kept) + len(rejected) + len(dropped), "lost": lost}


def _sample(line: Line) -> dict[str, Any]:
    failure = line.get("failure")
    facts = {"basis": line["basis"], "settled": bool(line["settled"]), "line": line.get("line")}
    return facts | {"failure": failure and failure[:LONGEST_REASON]}


_FORMS: dict[str, Callable[[Line], dict[str, Any]]] = {"unit": _variation, "pool": _pool, "sample": _sample}
