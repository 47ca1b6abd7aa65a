"""A brain for the stand-in server: answers every stage in form, from the request alone, always the same way.

It knows the stages by the one field of the reply's schema, which it finds in `response_format` or in the prompt, and what
has no fields for a plain question; on anything else it raises. What it says differs with the passage, the question, the
feedback, the seed and the temperature, and passes the checks; no eight words in a row are always the same, so that it
recites no demonstration.
`stages` replaces single answers:

    Scientist(judge=lambda asked: verdict(3, "too short"))
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from programs.records import GRADES
from programs.text.words import GRAMMAR
from signatures.question_type import QUESTION_TYPES
from tests.standin.panel import verdict


@dataclass(frozen=True)
class Asked:
    """A request as the brain understands it. `text` is the whole prompt, `nonce` a word that differs with the request,
    `time` how often this stage was asked before."""

    stage: str
    field: str
    text: str
    nonce: str
    time: int
    body: dict[str, Any]

    def given(self, name: str) -> str:
        """An input field's text; empty when it was not sent."""
        found = re.search(rf"\[\[ ## {name} ## \]\]\n(.*?)(?=\n\n|\Z)", self.text, re.DOTALL)
        return found.group(1) if found else ""

    @property
    def words(self) -> list[str]:
        """Long words that say what it is about, each once: of the passage, or else of what is shown in its place."""
        body = "\n".join(re.findall(r"^\[\d+\] (.*)$", self.text, re.MULTILINE))
        if not body:
            claims = " ".join(re.findall(r'"claim": "(.*?)"', self.given("evidence")))
            body = " ".join([claims, self.given("question"), self.given("thought")])
        long = dict.fromkeys(re.findall(r"[a-z]{7,}", body.lower()))
        return [word for word in long if word not in GRAMMAR] or ["measurement"]

    @property
    def sentences(self) -> int:
        """How many numbered sentences the passage has."""
        return len(re.findall(r"^\[\d+\] ", self.text, re.MULTILINE))

    def word(self, index: int) -> str:
        """A word of the passage, by an index and the nonce."""
        return self.words[(int(self.nonce, 16) + index) % len(self.words)]


Answer = Callable[[Asked], Any]
UNREADABLE = "I would rather talk about the weather."
"""A reply that is no answer to anything."""
ANSWERS: dict[str, Answer] = {}
"""Of each stage, which is the name of the function."""
STAGE_OF_FIELD: dict[str, str] = {}

Named = TypeVar("Named", bound=Answer)


def answers(name: str) -> Callable[[Named], Named]:
    """The decorated function answers the stage of its name, whose reply has this one field."""

    def kept(answer: Named) -> Named:
        STAGE_OF_FIELD[name] = answer.__name__
        ANSWERS[answer.__name__] = answer
        return answer

    return kept


@dataclass
class Scientist:
    """Callable as a stand-in's brain. `asked` counts the requests by stage."""

    stages: dict[str, Answer] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)

    def __call__(self, body: dict[str, Any]) -> str:
        asked = self._understand(body)
        self.asked[asked.stage] += 1
        answer = self.stages.get(asked.stage, ANSWERS[asked.stage])(asked)
        return answer if isinstance(answer, str) else json.dumps({asked.field: answer}, ensure_ascii=False)

    def _understand(self, body: dict[str, Any]) -> Asked:
        text = "\n\n".join(str(message["content"]) for message in body["messages"])
        name = _reply_field(body, text) if "[[ ## " in text else "reply"
        if name not in STAGE_OF_FIELD:
            raise ValueError(f"the stand-in does not know a stage that replies with {name!r}")
        stage = STAGE_OF_FIELD[name]
        nonce = hashlib.blake2b(f"{text}{body.get('seed')}{body.get('temperature')}".encode(), digest_size=4)
        return Asked(stage, name, text, nonce.hexdigest(), self.asked[stage], body)


def _reply_field(body: dict[str, Any], text: str) -> str:
    schema = (body.get("response_format") or {}).get("json_schema", {}).get("schema")
    if schema is None:
        start = text.find('{"additionalProperties"')
        if start < 0:
            form = re.search(r'of this form:\n\{\n  "(\w+)":', text)
            if form is None:
                raise ValueError("neither the request nor the prompt says what is asked for")
            return form.group(1)
        schema, _ = json.JSONDecoder().raw_decode(text[start:])
    names = list(schema["properties"])
    if len(names) != 1:
        raise ValueError(f"a stage replies with one field, not {names}")
    return str(names[0])


@answers("draft")
def questions(asked: Asked) -> dict[str, Any]:
    forms = {
        "clarification": "What does the term {0} mean for someone who compares {1} with {2}?",
        "critical": "Does it follow that {3} explains {4}, or could an unseen {5} undermine that inference?",
        "interpretation": "Which physical picture does a {6} of 12 percent suggest once {7} is accounted for?",
        "application": "How would you transfer the handling of {8} to a survey that lacks {9} altogether?",
        "comparison": "Why might weighting by {10} outperform fitting {11} separately in small catalogues?",
        "mechanism": "By what chain of causes can {12} and {13} alter {14} and {15}?",
        "limitation": "What systematic effect in {14} limits the precision on {15}, and by roughly how much?",
    }
    words = [f"{asked.word(index)} {asked.nonce[:2]}{index}" for index in range(16)]
    # One of a lab's own is none of these.
    kind = next((name for name, kind in QUESTION_TYPES.items() if f"It asks {kind.asks}." in asked.text), "")
    other = "Who first came upon the {1} of {13}, and what was it then held to say about {9}?"
    return {
        "question": forms.get(kind, other).format(*words),
        "difficulty": QUESTION_TYPES[kind].usual_level if kind in QUESTION_TYPES else "beginner",
        "audience": "curious student",
    }


@answers("analysis")
def context(asked: Asked) -> dict[str, Any]:
    return {
        "relevant_sentences": [1, max(1, asked.sentences)],
        "reasoning_needed": f"Compare the {asked.word(1)} with the {asked.word(2)} and weigh their errors.",
        "misconceptions": [f"That {asked.word(3)} alone decides the outcome."],
        "missing_background": [f"How {asked.word(4)} is calibrated in practice."],
        "depth": "moderate",
        "full_question": "",
    }


@answers("hypotheses")
def hypotheses(asked: Asked) -> dict[str, Any]:
    word = asked.word
    said = [(f"The {word(n)} drives the effect.", f"Vary {word(n + 3)} and look again.") for n in (1, 2)]
    return {"hypotheses": [{"statement": statement, "test": test} for statement, test in said]}


@answers("evidence")
def evidence(asked: Asked) -> dict[str, Any]:
    first = {"sentence": 1, "claim": f"States what {asked.word(1)} was studied.", "bearing": "supports"}
    last = max(1, asked.sentences)
    other = {"sentence": last, "claim": f"Limits what {asked.word(2)} can show.", "bearing": "qualifies"}
    return {"items": [first, other]}


@answers("critique")
def critique(asked: Asked) -> dict[str, Any]:
    return {
        "strengths": [f"The {asked.word(1)} is measured twice."],
        "weaknesses": [f"The {asked.word(2)} is assumed, not measured."],
        "alternative": f"A drift in the {asked.word(3)} could mimic the signal.",
    }


@answers("perspective")
def perspective(asked: Asked) -> dict[str, Any]:
    return {
        "wants": f"To know whether {asked.word(1)} can be trusted.",
        "stumbling_blocks": [f"Mixing up {asked.word(2)} and its error."],
        "helpful": f"A worked example with the {asked.word(3)}.",
    }


@answers("thought")
def trace(asked: Asked) -> dict[str, Any]:
    word, tag = asked.word, asked.nonce
    texts = {
        "tries": f"About {word(1)} then ({tag}): how would the {word(2)} have been obtained and compared at all?",
        "wrong": f"Perhaps the {word(3)} settles it: a bigger {word(4)} would simply mean a stronger effect overall.",
        "doubts": f"But wait, the {word(5)} is good to some percent, which that {word(12)} reading leaves unexplained.",
        "takes_back": f"No, I had that backwards: {word(6)} follows from the selection, because {word(7)} is cut first.",
        "considers": f"Alternatively the {word(8)} might drift with time; hard to exclude {word(13)} from {word(9)} alone.",
        "settles": f"On balance {word(10)} holds within its errors, though {word(11)} remains uncertain.",
    }
    left_out = ("wrong", "takes_back") if int(tag[0], 16) % 2 else ()
    return {"paragraphs": [{"kind": kind, "text": text} for kind, text in texts.items() if kind not in left_out]}


@answers("answer")
def answer(asked: Asked) -> dict[str, Any]:
    word = asked.word
    text = (
        f"The {word(1)} is best explained by the selection of {word(2)} (case {asked.nonce}). A bigger {word(3)} would "
        f"not do, since {word(5)} has an error that it leaves out. For {word(6)} it stays open how {word(4)} drifts."
    )
    rubric = [
        {"kind": "fact", "text": f"names the {word(1)} of case {asked.nonce}", "weight": 2, "sentence": 1},
        {"kind": "step", "text": f"tells the {word(2)} apart from it", "weight": 1, "sentence": 0},
        {"kind": "pitfall", "text": f"says that {word(3)} alone decides", "weight": 1, "sentence": 0},
    ]
    short = {"kind": "none", "answer": "", "unit": "", "others": []}
    return {"text": text, "yes_or_no": "neither", "short": short, "rubric": rubric}


@answers("verdict")
def judge(asked: Asked) -> dict[str, Any]:
    score = 6 + int(asked.nonce[0], 16) % 4
    return verdict(score, f"Sound, though the {asked.word(1)} is thin.")


@answers("grades")
def grade(asked: Asked) -> dict[str, Any]:
    grades = {name: 60 + (int(asked.nonce[index], 16) * 2) for index, name in enumerate(GRADES)}
    return {"reason": f"Says little about {asked.word(1)}.", **grades}


FROM_MEMORY = "From memory"


@answers("solution")
def solve(asked: Asked) -> dict[str, Any]:
    start = "The selection explains it" if asked.given("passage") else FROM_MEMORY
    return {"text": f"{start}, as far as {asked.word(1)} tells (case {asked.nonce}); the {asked.word(2)} stays open."}


@answers("comparison")
def compare(asked: Asked) -> dict[str, Any]:
    """What was answered without the passage is another claim."""
    agreement = "contradicts" if asked.given("other").startswith(FROM_MEMORY) else "equivalent"
    return {"reason": "Both are about the selection, or only one of them is.", "agreement": agreement}


THOUGHT = "How large is it, then?\n\nNine percent, and more for the faint ones.\n\nWait, is that before the cut? It is."
"""For a server's `reasoning`."""


@answers("reply")
def own(asked: Asked) -> str:
    """An answer in plain text."""
    return f"It is the selection of {asked.nonce} that explains it, within its errors, as far as one can say."


@answers("checks")
def steps(asked: Asked) -> dict[str, Any]:
    """Every step is inferred from the first sentence."""
    given = [int(line.partition(".")[0]) for line in asked.given("steps").splitlines()]
    reason = f"It is about the {asked.word(1)}."
    return {"items": [{"step": step, "sentence": 1, "reason": reason, "status": "inferred"} for step in given]}


@answers("rubric")
def rubric(_asked: Asked) -> dict[str, Any]:
    """The first point is met."""
    return {"met": [1]}
