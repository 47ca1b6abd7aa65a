"""Students whose answers depend on their prompts in a known way, and a proposer that sometimes proposes what helps.

An answer is good (it says "the cause is") when the instruction holds `MAGIC`, when the prompt shows a demonstration with
such an answer, or when the passage is an easy one. There are two students: the whole program over the stand-in's
scientist, and one with a single predictor. Nothing here leaves the process; what the fakes do not know they raise on.
"""

import asyncio
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dspy
from dspy.lm15 import Request, Response

from optimize.job import Job, most_proposals
from optimize.optimizers import OPTIMIZERS
from optimize.student import Student
from programs.asking.adapter import PassageFirstAdapter
from programs.lms.engine import DirectLM
from programs.lms.wire import answer
from programs.tracer import Tracer
from signatures.prompt import EXAMPLE
from tests.lab import passage
from tests.standin.scientist import Asked, Scientist

MAGIC = "Name the cause first."
GOOD = "the cause is"
DULL = "Do the step well."
ENDLESS = "On and on. " * 300
COPIED = f"Do as here: {passage(1)}"
FEW = 40
"""Runs below which an optimizer may make more than it is allowed: it then has no room for its own least."""

EASY = 3
"""Every so many-th passage is answered well by the unchanged student."""

ANSWER = "writer.answer"
STAGES = (
    "questions.predict",
    *(f"strands.{name}" for name in ("context", "hypotheses", "evidence", "critique", "perspective")),
    "writer.trace",
    ANSWER,
)


def runs_for(optimizer: str) -> int:
    """The runs with which an optimizer finds what helps here."""
    return {"simba": 90, "optuna": 24}.get(optimizer, 40)


class Engine:
    """A DSPy engine that answers with a function of the request's body, in OpenAI's shape. Counts its calls."""

    supports_response_schema = True
    supported_params = frozenset({"max_tokens", "temperature", "response_format"})

    def __init__(self, brain: Callable[[dict[str, Any]], str]) -> None:
        self.brain = brain
        self.bodies: list[dict[str, Any]] = []
        self._lock = threading.Lock()

    def __deepcopy__(self, memo: dict[int, Any]) -> "Engine":
        return self

    async def complete(self, request: Request) -> Response:
        # A brain may wait for something.
        content = await asyncio.to_thread(self._said, body_of(request))
        return answer(content, model=request.model)

    def _said(self, body: dict[str, Any]) -> str:
        with self._lock:
            self.bodies.append(body)
            return self.brain(body)


def body_of(request: Request) -> dict[str, Any]:
    """A request as a server would get it."""
    spoken = [{"role": message.role, "content": message.text} for message in request.messages]
    schema = request.config.response_format
    nested = {"type": "json_schema", "json_schema": schema} if schema and "schema" in schema else schema
    return {
        "messages": [{"role": "system", "content": request.system or ""}, *spoken],
        "response_format": nested,
        "temperature": request.config.temperature,
    }


def lm_of(engine: Engine, name: str) -> DirectLM:
    return DirectLM(name, engine)


def is_good(prompt: str) -> bool:
    """Whether a prompt gets a good answer."""
    assert "On and on." not in prompt, "an endless instruction reached the student"
    assert "Do as here:" not in prompt, "an instruction that copies a passage reached the student"
    number = re.search(r"Catalogue (\d+)", prompt)
    assert number is not None, f"the student is asked about no passage of these tests: {prompt[-300:]}"
    return MAGIC in prompt or GOOD in prompt.partition(EXAMPLE)[2] or int(number.group(1)) % EASY == 0


def write_answer(asked: Asked) -> dict[str, Any]:
    """The whole program's answer."""
    if is_good(asked.text):
        return {
            "text": f"For the {asked.word(1)} {GOOD} the cut in {asked.word(2)}, within 4 percent (n {asked.nonce})."
        }
    return {"text": f"There are many views of the {asked.word(1)}, and of the {asked.word(2)} too (n {asked.nonce})."}


class Reply(dspy.Signature):
    """Reply to the text."""

    passage: str = dspy.InputField(desc="a text")
    reply: str = dspy.OutputField(desc="a reply")


class Replier(dspy.Module):
    """A student with one predictor."""

    def __init__(self) -> None:
        super().__init__()
        self.predict = dspy.Predict(Reply)

    def forward(self, text: str, **_: Any) -> dspy.Prediction:
        return dspy.Prediction(reply=self.predict(passage=text).reply)


@dataclass
class Replies:
    """The brain of a `Replier`. `said` makes the reply of a prompt."""

    said: Callable[[str], str] = lambda prompt: f"I say {GOOD} dust." if is_good(prompt) else "Who knows."
    asked: int = 0

    def __call__(self, body: dict[str, Any]) -> str:
        self.asked += 1
        text = self.said(body["messages"][-1]["content"])
        return text if text.startswith("!") else json.dumps({"reply": text})


FIELDS: dict[str, Callable[[str], Any]] = {
    "observations": lambda _: "The texts are about catalogues.",
    "summary": lambda _: "Texts about catalogues.",
    "proposed_instruction": lambda text: text,
    "proposed_prefix_for_output_field": lambda _: "Reply:",
    "new_instruction": lambda text: text,
    "instruction": lambda text: text,
    "discussion": lambda _: "The worse one names no cause.",
    "module_advice": lambda text: dict.fromkeys((*STAGES, "predict"), text),
}
"""What the proposer puts into each output field that DSPy's optimizers ask for."""


@dataclass
class Proposer:
    """Proposes `texts` in turn, over and over; an empty one is a reply that is no JSON."""

    texts: tuple[str, ...] = (DULL, MAGIC)
    asked: int = 0

    def __call__(self, body: dict[str, Any]) -> str:
        prompt = "\n".join(message["content"] for message in body["messages"])
        wanted = re.findall(r"`(\w+)`", prompt.rpartition("in the following order of fields:")[2])
        assert wanted, f"the proposer is asked for nothing that it knows: {prompt[-300:]}"
        text = self.texts[self.asked % len(self.texts)]
        self.asked += 1
        return json.dumps({name: FIELDS[name](text) for name in wanted}) if text else "I cannot help with that."


@dataclass
class Lab:
    """A job with its fakes."""

    job: Job
    engine: Engine
    proposer: Engine
    brain: Scientist | Replies

    @property
    def runs(self) -> int:
        """How often the student really was run: a run asks for questions once, or for the one reply."""
        asked = self.brain.asked
        return asked if isinstance(asked, int) else asked["questions"]

    @property
    def proposals(self) -> int:
        """How often the proposer really was asked."""
        return len(self.proposer.bodies)

    @contextmanager
    def configured(self) -> Iterator[None]:
        with dspy.context(lm=lm_of(self.engine, "student"), adapter=PassageFirstAdapter()):
            yield

    def compile(self, optimizer: str) -> dspy.Module:
        with self.configured():
            return OPTIMIZERS[optimizer].compile(self.job)

    def keeps_to_its_job(self) -> bool:
        """Whether the student was run, and the proposer asked, no more often than the job allows."""
        proposals = most_proposals(self.job.runs, len(self.job.tunable))
        return 0 < self.runs <= max(self.job.runs, FEW) and self.proposals <= proposals

    def held_out(self, program: dspy.Module) -> float:
        """The mean score on passages that no optimizer saw."""
        examples = [example(number) for number in range(40, 46)]
        with self.configured():
            return sum(score(one, program(**one.inputs())) for one in examples) / len(examples)


def example(number: int) -> dspy.Example:
    return dspy.Example(text=passage(number), title=f"T{number}").with_inputs("text", "title")


def score(_example: dspy.Example, prediction: dspy.Prediction, trace: object = None) -> float:  # noqa: ARG001
    """1 for a good answer, 0.2 for another, 0 for none."""
    units = prediction.get("units", [])
    answers = [unit.record().final_answer for unit in units if unit.attempts] or [prediction.get("reply", "")]
    return 1.0 if GOOD in answers[0] else 0.2 if answers[0] else 0.0


def feedback(
    gold: dspy.Example,
    pred: dspy.Prediction,
    trace: object = None,  # noqa: ARG001 - DSPy gives them all
    pred_name: str | None = None,  # noqa: ARG001
    pred_trace: object = None,  # noqa: ARG001
) -> dspy.Prediction:
    return dspy.Prediction(score=score(gold, pred), feedback="The answer should name the cause.")


def laboratory(_folder: Path, **changes: Any) -> Lab:
    """A job on the whole student, with fakes. `changes` replaces parts of the job; `stages` single stages of the student's
    brain, `texts` the proposals."""
    brain = Scientist({"answer": write_answer, **changes.pop("stages", {})})
    return _lab(brain, {"student": Student(Tracer()), "tunable": (ANSWER,), **changes})


def small_laboratory(_folder: Path, brain: Replies | None = None, **changes: Any) -> Lab:
    """A job on the student with one predictor, `predict`."""
    return _lab(brain or Replies(), {"student": Replier(), "tunable": ("predict",), **changes})


def _lab(brain: Scientist | Replies, changes: dict[str, Any]) -> Lab:
    proposer = Engine(Proposer(changes.pop("texts", (DULL, MAGIC))))
    given: dict[str, Any] = {
        "train": [example(number) for number in range(9)],
        "val": [example(number) for number in range(10, 18)],
        "metric": score,
        "feedback": feedback,
        "proposer": lm_of(proposer, "proposer"),
        "runs": 40,
        "threshold": 0.8,
        "seed": 3,
        "concurrency": 2,
        **changes,
    }
    return Lab(Job(**given), Engine(brain), proposer, brain)
