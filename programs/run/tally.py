"""What a line of the journal counts for in the funnel. Pure, so that the index can keep the counts as lines come and
replace one another, and give them without reading the journal."""

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from programs.rejection import Reason
from programs.traces.line import rejection_of

TEXTS = "texts"
TEXTS_BARREN = "texts without a usable question"
DRAFTED = "questions drafted"
USABLE = "questions usable"
USED = "questions used"
WRITTEN = "attempts written"
WRITTEN_AGAIN = "attempts written again"
UNUSED = "attempts that the present rules do not ask for"
TRIED = "traces tried"
ACCEPTED = "traces accepted"
TAKEN_OVER = "traces taken over"
QUESTION_LOST = "question: "
TRACE_LOST = "trace: "
"""What stands after these two names the loss."""

CONTAMINATED: Final = "contaminated"
"""The status of units whose thought or answer gives a benchmark away."""

WITHDRAWN = "withdrawn"
"""The status of units whose question was dropped after they were made: the question's loss is theirs."""

IMPORTED = "imported"
"""The basis of units that came from a document: no rule of ours decided them."""

SOLVED = "blind solve: "
"""How the loss begins of a trace that was turned down for what its question needs."""

OWN = "no own thought was taken"
"""The loss of a trace of which no try stood (`programs.traces.own_thoughts`)."""

_SHARE = re.compile(r"^\d+% of ")


def of_pool(line: Mapping[str, Any]) -> Counter[str]:
    """What a text's questions count for. Each rejected question counts for the first of its reasons alone."""
    kept, rejected, dropped = (line.get(name) or [] for name in ("questions", "rejected", "dropped"))
    counts = Counter({TEXTS: 1, TEXTS_BARREN: int(not kept), USABLE: len(kept)})
    counts[DRAFTED] = len(kept) + len(rejected) + len(dropped)
    counts.update(f"{QUESTION_LOST}{reason_of(question['problems'])}" for question in rejected)
    counts.update(f"{QUESTION_LOST}{question['why']}" for question in dropped)
    return +counts


def of_unit(key: str, status: str, basis: str, loss: str) -> Counter[str]:
    """What a unit counts for."""
    if basis == IMPORTED:
        return Counter({TAKEN_OVER: 1})
    if status == WITHDRAWN:
        return Counter()
    # A question's first variation is made with it, and none without the first.
    counts = Counter({TRIED: 1, USED: int(key.endswith("/0"))})
    counts[ACCEPTED if status == "accepted" else f"{TRACE_LOST}{loss}"] = 1
    return +counts


def of_attempts(line: Mapping[str, Any]) -> Counter[str]:
    """What the attempts at a unit count for. Each but the last was turned down by the judges, or is no longer asked for."""
    if line["basis"] == IMPORTED or line["status"] == WITHDRAWN:
        return Counter()
    written = len(line.get("attempts") or ()) + (line["record"] is not None)
    unused = len(line.get("unused") or ())
    return +Counter({WRITTEN: written + unused, WRITTEN_AGAIN: max(0, written - 1), UNUSED: unused})


def given_away_in(line: Mapping[str, Any]) -> bool:
    """Whether a unit, or an attempt at it, is left out because it gives a benchmark away."""
    return line["status"] == CONTAMINATED or (bool(line.get("contaminated")) and line["status"] != WITHDRAWN)


def loss_of(line: Mapping[str, Any]) -> str:
    """Where a unit that is not accepted was lost."""
    rejection = rejection_of(line)
    if rejection is None:
        return str(line["status"])
    stage = rejection.detail.partition(":")[0] or "unknown"
    named = {
        Reason.JUDGED: "rejected by the judges",
        Reason.NEED: f"{SOLVED}{rejection.detail}",
        Reason.OWN_THOUGHT: OWN,
        Reason.UNJUDGED: "unjudged",
        Reason.SAME_VARIATION: "the same as another variation",
        Reason.UNUSABLE: f"{stage} unusable",
        Reason.UNANSWERED: f"{stage} unanswered",
    }
    return named.get(rejection.reason, str(line["status"]))


def lost(prefix: str, counts: Counter[str]) -> dict[str, int]:
    """The counts of the losses that stand after this name, by the rest of theirs, the largest first."""
    return {name.removeprefix(prefix): count for name, count in counts.most_common() if name.startswith(prefix)}


def reason_of(problems: list[str]) -> str:
    """The kind of the first of a rejected question's problems."""
    return _SHARE.sub("", problems[0].split(":")[0]) if problems else "unknown"
