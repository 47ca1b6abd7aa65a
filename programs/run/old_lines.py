"""Converts lines of older versions, which gave reasons as sentences only, to the form in which reasons are counted."""

from collections.abc import Callable, Mapping
from typing import Any

from programs.rejection import Reason

_REASON_BY_START = {
    "quality ": Reason.JUDGED,
    "blind solve: ": Reason.NEED,
    "no own thought was taken": Reason.OWN_THOUGHT,
    "it gives a benchmark away": Reason.BENCHMARK,
}
_REASON_BY_STATUS = {
    "rejected": Reason.UNUSABLE,
    "failed": Reason.UNANSWERED,
    "unjudged": Reason.UNJUDGED,
    "duplicate": Reason.SAME_VARIATION,
    "contaminated": Reason.BENCHMARK,
    "withdrawn": Reason.REPEATED,
}
_REASON_BY_WHY = {
    "gives a benchmark away": Reason.BENCHMARK,
    "asks the same as another question": Reason.REPEATED,
}
"""The reasons for which questions were left out (`dropped`)."""


def upgrade_line(line: dict[str, Any]) -> dict[str, Any]:
    """The line, with the rejections that lines of older versions lack, and today's values of their reasons."""
    if line["kind"] == "unit":
        return _with_rejection(line, _unit_rejection)
    if line["kind"] == "pool":
        rejected = [_with_rejection(question, _question_rejection) for question in line.get("rejected") or []]
        dropped = [_with_rejection(question, _dropped_rejection) for question in line.get("dropped") or []]
        return {**line, "rejected": rejected, "dropped": dropped}
    return line


def upgrade_question_reply(line: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """The reply about one type's question, from the line of an older version that asked for all types in one call."""
    reply = line["reply"]
    outputs = [*(rejected.get("output") for rejected in reply.get("rejected") or ()), reply.get("output")]
    drafts = [output[kind] for output in outputs if output and output.get(kind)]
    *others, last = drafts or [None]
    tries = [{"output": draft, "problems": []} for draft in others if draft != last]
    return {**reply, "status": "ok" if last else "unusable", "output": last, "rejected": tries}


def _with_rejection(
    line: dict[str, Any], rejection_of: Callable[[Mapping[str, Any]], dict[str, str] | None]
) -> dict[str, Any]:
    rejection = line["rejection"] if "rejection" in line else rejection_of(line)
    return {**line, "rejection": rejection and {**rejection, "reason": Reason(rejection["reason"]).value}}


def _rejection(reason: Reason, detail: str) -> dict[str, str]:
    return {"reason": reason.value, "detail": detail}


def _unit_rejection(line: Mapping[str, Any]) -> dict[str, str] | None:
    status, sentence = line["status"], line.get("reason") or ""
    if status == "accepted":
        return None
    meant = (reason for start, reason in _REASON_BY_START.items() if sentence.startswith(start))
    return _rejection(next(meant, _REASON_BY_STATUS[status]), sentence)


def _question_rejection(question: Mapping[str, Any]) -> dict[str, str]:
    return _rejection(Reason.FORM, "; ".join(question.get("problems") or ()))


def _dropped_rejection(question: Mapping[str, Any]) -> dict[str, str]:
    return _rejection(_REASON_BY_WHY[question["why"]], question["twin"])
