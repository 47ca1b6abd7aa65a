"""Lines of older versions, which gave all reasons as sentences, in the form in which they are counted."""

import re
from collections.abc import Mapping
from typing import Any

from programs.rejection import Reason

_JUDGED = re.compile(r"quality \S+ after \d+ attempts")
_SOLVED = "blind solve: "
_OWN = "no own thought was taken"

_BY_STATUS = {
    "rejected": Reason.UNUSABLE,
    "failed": Reason.UNANSWERED,
    "unjudged": Reason.UNJUDGED,
    "duplicate": Reason.SAME_VARIATION,
    "contaminated": Reason.BENCHMARK,
    "withdrawn": Reason.REPEATED,
}
_BY_WORDS = {
    **{reason.value: reason for reason in (Reason.LEANS, Reason.ARTEFACT, Reason.NOTHING_ASKED, Reason.OFF_SUBJECT)},
    "is about nothing": Reason.OFF_SUBJECT,
    "asks the same as": Reason.SAME_QUESTION,
    "gives a benchmark away": Reason.BENCHMARK,
    "asks the same as another question": Reason.REPEATED,
}


def present_form(line: dict[str, Any]) -> dict[str, Any]:
    """A line with the rejections that an older version had no place for; any other as it is."""
    if line["kind"] == "unit" and "rejection" not in line:
        return {**line, "rejection": _of_unit(line)}
    if line["kind"] == "pool":
        rejected = [{"rejection": _of_problems(question), **question} for question in line.get("rejected") or []]
        dropped = [{"rejection": _of_drop(question), **question} for question in line.get("dropped") or []]
        return {**line, "rejected": rejected, "dropped": dropped}
    return line


def question_of(line: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """The reply of one type's question, of a line that holds those of all types of a text: one call asked for all."""
    reply = line["reply"]
    outputs = [*(each.get("output") for each in reply.get("rejected") or ()), reply.get("output")]
    drafts = [output[kind] for output in outputs if output and output.get(kind)]
    *others, last = drafts or [None]
    rejected = [{"output": draft, "problems": []} for draft in others if draft != last]
    return {**reply, "status": "ok" if last else "unusable", "output": last, "rejected": rejected}


def _rejection(reason: Reason, detail: str) -> dict[str, str]:
    return {"reason": reason.value, "detail": detail}


def _of_unit(line: Mapping[str, Any]) -> dict[str, str] | None:
    status, reason = line["status"], line.get("reason") or ""
    if status == "accepted":
        return None
    if status == "rejected" and _JUDGED.match(reason):
        return _rejection(Reason.JUDGED, reason)
    if reason.startswith(_SOLVED):
        return _rejection(Reason.NEED, reason.removeprefix(_SOLVED))
    if reason.startswith(_OWN):
        return _rejection(Reason.OWN_THOUGHT, reason.removeprefix(_OWN).removeprefix(": "))
    if status == "withdrawn" and Reason.BENCHMARK.value in reason:
        return _rejection(Reason.BENCHMARK, reason)
    return _rejection(_BY_STATUS[status], reason)


def _of_problems(question: Mapping[str, Any]) -> dict[str, str]:
    problems = "; ".join(question.get("problems") or ())
    reason = next((why for words, why in _BY_WORDS.items() if problems.startswith(words)), Reason.FORM)
    return _rejection(reason, problems)


def _of_drop(question: Mapping[str, Any]) -> dict[str, str] | None:
    reason = _BY_WORDS.get(question.get("why", ""))
    return None if reason is None else _rejection(reason, question["twin"])
