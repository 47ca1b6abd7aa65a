"""A brain for the stand-in server: gives every stage a valid answer that depends only on the request.

It recognizes a stage by the one field of its reply's schema, which it finds in `response_format` or in the prompt. A prompt
without fields is a plain question. It raises on anything else. Its answers vary with the passage, the question, the
feedback, the seed and the temperature, and pass the checks. No eight words in a row are always the same, so that it never
recites a demonstration. `stages` replaces the answers of single stages:

    Scientist({"judge": lambda request: verdict(3, "too short")})
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from programs.record_parts import GRADES
from programs.text.words import GRAMMAR
from signatures.question_type import QUESTION_TYPES
from tests.standin.panel import verdict


@dataclass(frozen=True)
class StageRequest:
    """A parsed request. `field`: the field of the reply; `text`: the whole prompt; `nonce`: hexadecimal digits that vary
    with the request; `earlier_requests`: how often this stage was asked before."""

    stage: str
    field: str
    text: str
    nonce: str
    earlier_requests: int
    body: dict[str, Any]

    def input(self, name: str) -> str:
        """The text of an input field, or "" if it was not sent."""
        match = re.search(rf"\[\[ ## {name} ## \]\]\n(.*?)(?=\n\n|\Z)", self.text, re.DOTALL)
        return match.group(1) if match else ""

    @property
    def words(self) -> list[str]:
        """The distinct long words of the passage or, without one, of the inputs that are sent instead."""
        content = "\n".join(re.findall(r"^\[\d+\] (.*)$", self.text, re.MULTILINE))
        if not content:
            claims = " ".join(re.findall(r'"claim": "(.*?)"', self.input("evidence")))
            content = " ".join([claims, self.input("question"), self.input("thought")])
        long_words = dict.fromkeys(re.findall(r"[a-z]{7,}", content.lower()))
        return [word for word in long_words if word not in GRAMMAR] or ["measurement"]

    @property
    def sentences(self) -> int:
        """The number of sentences of the passage."""
        return len(re.findall(r"^\[\d+\] ", self.text, re.MULTILINE))

    def word(self, index: int) -> str:
        """A word of the passage, chosen by an index and the nonce."""
        return self.words[(int(self.nonce, 16) + index) % len(self.words)]


AnswerFunction = Callable[[StageRequest], Any]
UNREADABLE = "I would rather talk about the weather."
"""A reply that no stage can read."""
ANSWERS: dict[str, AnswerFunction] = {}
"""The function that answers each stage; a stage has the name of its function."""
STAGE_OF_FIELD: dict[str, str] = {}

Function = TypeVar("Function", bound=AnswerFunction)


def answers(field_name: str) -> Callable[[Function], Function]:
    """A decorator: the function answers the stage of the same name, whose reply has this one field."""

    def register(answer: Function) -> Function:
        STAGE_OF_FIELD[field_name] = answer.__name__
        ANSWERS[answer.__name__] = answer
        return answer

    return register


@dataclass
class Scientist:
    """A brain. `stages`: functions that replace those of `ANSWERS`; `request_counts`: requests by stage."""

    stages: dict[str, AnswerFunction] = field(default_factory=dict)
    request_counts: Counter[str] = field(default_factory=Counter)

    def __call__(self, body: dict[str, Any]) -> str:
        request = self._parse_request(body)
        self.request_counts[request.stage] += 1
        answer = self.stages.get(request.stage, ANSWERS[request.stage])(request)
        return answer if isinstance(answer, str) else json.dumps({request.field: answer}, ensure_ascii=False)

    def _parse_request(self, body: dict[str, Any]) -> StageRequest:
        text = "\n\n".join(str(message["content"]) for message in body["messages"])
        field_name = _reply_field(body, text) if "[[ ## " in text else "reply"
        if field_name not in STAGE_OF_FIELD:
            raise ValueError(f"the stand-in does not know a stage that replies with {field_name!r}")
        stage = STAGE_OF_FIELD[field_name]
        nonce = hashlib.blake2b(f"{text}{body.get('seed')}{body.get('temperature')}".encode(), digest_size=4)
        return StageRequest(stage, field_name, text, nonce.hexdigest(), self.request_counts[stage], body)


def _reply_field(body: dict[str, Any], text: str) -> str:
    schema = (body.get("response_format") or {}).get("json_schema", {}).get("schema")
    if schema is None:
        start = text.find('{"additionalProperties"')
        if start < 0:
            match = re.search(r'of this form:\n\{\n  "(\w+)":', text)
            if match is None:
                raise ValueError("neither the request nor the prompt says what is asked for")
            return match.group(1)
        schema, _ = json.JSONDecoder().raw_decode(text[start:])
    names = list(schema["properties"])
    if len(names) != 1:
        raise ValueError(f"a stage replies with one field, not {names}")
    return str(names[0])


@answers("draft")
def questions(request: StageRequest) -> dict[str, Any]:
    templates = {
        "clarification": "What does the term {0} mean for someone who compares {1} with {2}?",
        "critical": "Does it follow that {3} explains {4}, or could an unseen {5} undermine that inference?",
        "interpretation": "Which physical picture does a {6} of 12 percent suggest once {7} is accounted for?",
        "application": "How would you transfer the handling of {8} to a survey that lacks {9} altogether?",
        "comparison": "Why might weighting by {10} outperform fitting {11} separately in small catalogues?",
        "mechanism": "By what chain of causes can {12} and {13} alter {14} and {15}?",
        "limitation": "What systematic effect in {14} limits the precision on {15}, and by roughly how much?",
    }
    words = [f"{request.word(index)} {request.nonce[:2]}{index}" for index in range(16)]
    # "" is a type of question that a lab defined itself.
    kind = next((name for name, kind in QUESTION_TYPES.items() if f"It asks {kind.asks}." in request.text), "")
    fallback = "Who first came upon the {1} of {13}, and what was it then held to say about {9}?"
    return {
        "question": templates.get(kind, fallback).format(*words),
        "difficulty": QUESTION_TYPES[kind].usual_level if kind in QUESTION_TYPES else "beginner",
        "audience": "curious student",
    }


@answers("analysis")
def context(request: StageRequest) -> dict[str, Any]:
    return {
        "relevant_sentences": [1, max(1, request.sentences)],
        "reasoning_needed": f"Compare the {request.word(1)} with the {request.word(2)} and weigh their errors.",
        "misconceptions": [f"That {request.word(3)} alone decides the outcome."],
        "missing_background": [f"How {request.word(4)} is calibrated in practice."],
        "depth": "moderate",
        "full_question": "",
    }


@answers("hypotheses")
def hypotheses(request: StageRequest) -> dict[str, Any]:
    word = request.word
    pairs = [(f"The {word(n)} drives the effect.", f"Vary {word(n + 3)} and look again.") for n in (1, 2)]
    return {"hypotheses": [{"statement": statement, "test": test} for statement, test in pairs]}


@answers("evidence")
def evidence(request: StageRequest) -> dict[str, Any]:
    first = {"sentence": 1, "claim": f"States what {request.word(1)} was studied."}
    last = max(1, request.sentences)
    other = {"sentence": last, "claim": f"Limits what {request.word(2)} can show."}
    return {"items": [first, other]}


@answers("critique")
def critique(request: StageRequest) -> dict[str, Any]:
    return {
        "strengths": [f"The {request.word(1)} is measured twice."],
        "weaknesses": [f"The {request.word(2)} is assumed, not measured."],
        "alternative": f"A drift in the {request.word(3)} could mimic the signal.",
    }


@answers("perspective")
def perspective(request: StageRequest) -> dict[str, Any]:
    return {
        "wants": f"To know whether {request.word(1)} can be trusted.",
        "stumbling_blocks": [f"Mixing up {request.word(2)} and its error."],
        "helpful": f"A worked example with the {request.word(3)}.",
    }


@answers("thought")
def trace(request: StageRequest) -> dict[str, Any]:
    word, tag = request.word, request.nonce
    texts = {
        "tries": f"About {word(1)} then ({tag}): how would the {word(2)} have been obtained and compared at all?",
        "wrong": f"Perhaps the {word(3)} settles it: a bigger {word(4)} would simply mean a stronger effect overall.",
        "doubts": f"But wait, the {word(5)} is good to some percent, which that {word(12)} reading leaves unexplained.",
        "takes_back": f"No, I had that backwards: {word(6)} follows from the selection, because {word(7)} is cut first.",
        "considers": f"Alternatively the {word(8)} might drift with time; hard to exclude {word(13)} from {word(9)} alone.",
        "settles": f"On balance {word(10)} holds within its errors, though {word(11)} remains uncertain.",
    }
    omitted = ("wrong", "takes_back") if int(tag[0], 16) % 2 else ()
    return {"paragraphs": [{"kind": kind, "text": text} for kind, text in texts.items() if kind not in omitted]}


@answers("answer")
def answer(request: StageRequest) -> dict[str, Any]:
    word = request.word
    text = (
        f"The {word(1)} is best explained by the selection of {word(2)} (case {request.nonce}). A bigger {word(3)} would "
        f"not do, since {word(5)} has an error that it leaves out. For {word(6)} it stays open how {word(4)} drifts."
    )
    rubric = [
        {"kind": "fact", "text": f"names the {word(1)} of case {request.nonce}", "weight": 2, "sentence": 1},
        {"kind": "step", "text": f"tells the {word(2)} apart from it", "weight": 1, "sentence": 0},
        {"kind": "pitfall", "text": f"says that {word(3)} alone decides", "weight": 1, "sentence": 0},
    ]
    short = {"kind": "none", "answer": "", "unit": "", "others": []}
    return {"text": text, "yes_or_no": "neither", "short": short, "rubric": rubric}


@answers("verdict")
def judge(request: StageRequest) -> dict[str, Any]:
    score = 6 + int(request.nonce[0], 16) % 4
    return verdict(score, f"Sound, though the {request.word(1)} is thin.")


@answers("grades")
def grade(request: StageRequest) -> dict[str, Any]:
    grades = {name: 60 + (int(request.nonce[index], 16) * 2) for index, name in enumerate(GRADES)}
    return {"reason": f"Says little about {request.word(1)}.", **grades}


FROM_MEMORY = "From memory"


@answers("solution")
def solve(request: StageRequest) -> dict[str, Any]:
    start = "The selection explains it" if request.input("passage") else FROM_MEMORY
    return {
        "text": f"{start}, as far as {request.word(1)} tells (case {request.nonce}); the {request.word(2)} stays open."
    }


@answers("comparison")
def compare(request: StageRequest) -> dict[str, Any]:
    """An answer that was given without the passage contradicts the others."""
    agreement = "contradicts" if request.input("other").startswith(FROM_MEMORY) else "equivalent"
    return {"reason": "Both are about the selection, or only one of them is.", "agreement": agreement}


THOUGHT = "How large is it, then?\n\nNine percent, and more for the faint ones.\n\nWait, is that before the cut? It is."
"""A value for `StandIn.reasoning`."""


@answers("reply")
def own(request: StageRequest) -> str:
    return f"It is the selection of {request.nonce} that explains it, within its errors, as far as one can say."


@answers("checks")
def steps(request: StageRequest) -> dict[str, Any]:
    numbers = [int(line.partition(".")[0]) for line in request.input("steps").splitlines()]
    reason = f"It is about the {request.word(1)}."
    return {"items": [{"step": step, "sentence": 1, "reason": reason, "status": "inferred"} for step in numbers]}


@answers("rubric")
def rubric(_request: StageRequest) -> dict[str, Any]:
    return {"met": [1]}
