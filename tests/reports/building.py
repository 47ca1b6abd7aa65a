"""Units of complete records to report on.

write_run(folder, [unit(0), unit(1, variation=1), unit(2, rejected=2)])     # tests.exports.building
"""

from typing import Any

from programs.record_parts import GRADES
from programs.records import Record
from tests.exports.building import HOSTILE, KINDS, Unit

LEVELS = ("advanced", "intermediate", "beginner")
JUDGES = ("openai/a", "openai/b")

FIRST, SECOND = "Let 𝛼 be the slope of the relation.", "The slope 𝛼 amounts to {percent} percent in catalogue {number}."
"""Sentences of a passage. Characters outside the basic multilingual plane come before the quotes."""


def passage(number: int) -> str:
    second = SECOND.format(percent=number + 2, number=number)
    return f"{FIRST} {second}\n\nWhether the lamps matter remains open. {HOSTILE if number == 0 else ''}".strip()


def record(number: int, *, variation: int = 0, attempt: int = 0, score: float = 7.0, **parts: Any) -> Record:
    """A trace with all that a record can have. Its passage depends on `number // 2`, its question type on `number`."""
    text, paper, kind = passage(number // 2), number // 2, KINDS[number % 3]
    start = text.index("The slope")
    quoted = {"quote": text[start : text.index("\n\n")], "start": start, "end": text.index("\n\n")}
    extra = f" {HOSTILE}" if number == 0 else ""
    reason = HOSTILE if number == 0 else "9 is not said"
    checked = {**quoted, "judged_by": "openai/checker"}
    steps: list[dict[str, Any]] = [
        {"kind": "tries", "text": f"I look at the slope, case {number}.{variation}.{attempt}.{extra}"},
        {"kind": "wrong", "text": "Perhaps it is 9 percent.", "status": "contradicted", "reason": reason, **checked},
        {"kind": "takes_back", "text": "No: the slope is a few percent.", "status": "supported", **checked},
    ]
    grades = {**dict.fromkeys((*GRADES, "overall_score"), 0.65), "reason": f"Says little.{extra}"}
    if number == 1:
        grades |= dict.fromkeys(("evidence_usage", "overall_score"))
    evidence: list[dict[str, Any]] = [
        {"claim": f"It is measured.{extra}", "verified": True, "quote": FIRST, "start": 0},
        {"claim": "It is new.", "verified": False, "quote": f"Nobody wrote this.{extra}"},
    ]
    evidence[0]["end"] = len(FIRST)
    verdict = {"judge": JUDGES[0], "overall": score + 1}
    verdict |= {"reasoning_quality": 7, "accuracy": 8, "fault": f"Too sure.{extra}", "fault_in": "answer"}
    other_verdict = {"judge": JUDGES[1], "overall": round(score - 1), "reasoning_quality": 6, "accuracy": 6}
    tries = {"asked": 2, "equivalent": 1, "partial": 0, "contradicts": 1, "absent": 0, "pass_rate": 0.5}
    content: dict[str, Any] = {
        "id": f"id-{number}-{variation}-{attempt}",
        "question_id": f"text-{paper}/{kind}",
        "source_paper": {
            "title": f"Paper {paper}{extra}",
            "domain": f"cosmology{extra}",
            "id": f"text-{paper}",
            "text": text,
            "flags": ["imperative"] if number == 0 else [],
            "extra": {"licence": "cc-by-4.0", "note": extra},
        },
        "user_interaction": {
            "question": f"How does the slope of catalogue {paper} come about, as a {kind}?{extra}",
            "question_type": kind,
            "difficulty_level": LEVELS[number % 3],
            "audience": f"survey scientist{extra}",
        },
        "reasoning_trace": "<thought>\n" + "\n\n".join(step["text"] for step in steps) + "\n</thought>",
        "final_answer": f"It amounts to {paper + 2} percent, in the wordless corner-{number}.{extra}",
        "answer_grades": grades,
        "metadata": {
            "authenticity_score": None,
            "complexity_level": "medium",
            "reasoning_patterns": ["self_correction"],
            "quality_score": score,
            "quality_spread": 2.0,
        },
        "steps": steps,
        "evidence": evidence,
        "verdicts": [{**verdict, "scored": True}, {**other_verdict, "scored": True}],
        "blind_solve": {
            **{"need": "needs_paper", "difficulty": 0.5, "difficulty_without": 0.5, "temperature": 0.7},
            **{"without_passage": tries, "with_passage": tries, "solver": "openai/a", "compared_by": "openai/b"},
        },
        "generation": {
            **{
                "model": "openai/any" if number % 2 else f"openai/other{extra}",
                "program": "0123",
                "seed": 0,
                "calls": 8,
            },
            **{"variation": variation, "attempt": attempt, "prompt_tokens": 120, "completion_tokens": 80},
            "model_reasoning": {"trace": f"I should think.{extra}"} if number == 0 else {},
        },
    }
    return Record.model_validate({**content, **parts})


def unit(number: int, *, variation: int = 0, rejected: int = 0, accepted: bool = True, **parts: Any) -> Unit:
    """A variation with `rejected` rejected attempts and, if `accepted`, an accepted one after them."""
    attempts = [record(number, variation=variation, attempt=n, score=3.0, **parts) for n in range(rejected)]
    trace = record(number, variation=variation, attempt=rejected, **parts) if accepted else None
    return Unit(trace, attempts, reason=None if accepted else "quality 3.0 after 3 attempts")


def rich_units() -> list[Unit]:
    """Two dozen units, with variations, rejected attempts, and a unit without an accepted trace."""
    units = [unit(number, rejected=2 if number == 2 else 0) for number in range(18)]
    units += [unit(number, variation=variation) for number in (0, 5) for variation in (1, 2)]
    return [*units, unit(7, variation=3, rejected=1, accepted=False)]
