"""Converts lines of older versions, which gave reasons as sentences only, to the form in which reasons are counted."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from programs.rejection import Reason

_JUDGED_RE = re.compile(r"quality \S+ after \d+ attempts")
_BLIND_SOLVE_PREFIX = "blind solve: "
_OWN_THOUGHT_PREFIX = "no own thought was taken"

_REASON_BY_STATUS = {
    "rejected": Reason.UNUSABLE,
    "failed": Reason.UNANSWERED,
    "unjudged": Reason.UNJUDGED,
    "duplicate": Reason.SAME_VARIATION,
    "contaminated": Reason.BENCHMARK,
    "withdrawn": Reason.REPEATED,
}
_REASON_BY_WORDS = {
    "leans on its source": Reason.REFERS_TO_SOURCE,
    "shows how it was made": Reason.ARTEFACT,
    "asks nothing": Reason.NOTHING_ASKED,
    "is not about the passage": Reason.OFF_SUBJECT,
    "is about nothing": Reason.OFF_SUBJECT,
    "asks the same as": Reason.SAME_QUESTION,
    "gives a benchmark away": Reason.BENCHMARK,
    "asks the same as another question": Reason.REPEATED,
}


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
    status, reason = line["status"], line.get("reason") or ""
    if status == "accepted":
        return None
    if status == "rejected" and _JUDGED_RE.match(reason):
        return _rejection(Reason.JUDGED, reason)
    if reason.startswith(_BLIND_SOLVE_PREFIX):
        return _rejection(Reason.NEED, reason.removeprefix(_BLIND_SOLVE_PREFIX))
    if reason.startswith(_OWN_THOUGHT_PREFIX):
        return _rejection(Reason.OWN_THOUGHT, reason.removeprefix(_OWN_THOUGHT_PREFIX).removeprefix(": "))
    if status == "withdrawn" and "gives a benchmark away" in reason:
        return _rejection(Reason.BENCHMARK, reason)
    return _rejection(_REASON_BY_STATUS[status], reason)


def _question_rejection(question: Mapping[str, Any]) -> dict[str, str]:
    problems = "; ".join(question.get("problems") or ())
    reason = next((reason for words, reason in _REASON_BY_WORDS.items() if problems.startswith(words)), Reason.FORM)
    return _rejection(reason, problems)


def _dropped_rejection(question: Mapping[str, Any]) -> dict[str, str] | None:
    reason = _REASON_BY_WORDS.get(question.get("why", ""))
    return None if reason is None else _rejection(reason, question["twin"])
