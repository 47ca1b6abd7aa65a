"""Makes samples, questions, answers of every stage, variations and journal lines for the tests of the core.

answers = Answers(judge=lambda ask: {**VERDICT, "overall": 3})
outcome = run_tracer(answers, quality_check=True, judge_models=["a"])    # the whole Tracer, without a model
answers.asks                                                             # the asks, in order
"""

import hashlib
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from programs.asking.ask import Ask
from programs.asking.reply import Reply
from programs.background_loop import run_in_background
from programs.inputs.passage import Passage
from programs.inputs.sample import Sample, sample_of
from programs.lms.meter import ResourceUsage
from programs.record_parts import BlindSolve
from programs.run.journal import Journal
from programs.settings import TracerOptions
from programs.stages.questions import Question, QuestionPool
from programs.stages.strands import Strands
from programs.stages.thought import AttemptPlan, Draft
from programs.tracer import SampleOutcome, Store, Tracer
from programs.traces.line import line_of
from programs.traces.variation import EarlierOutcome, Variation, VariationKey
from signatures.question_type import QUESTION_TYPES
from signatures.shape import Shape
from signatures.thought import Thought
from signatures.vocabulary import Kind
from tests.standin.panel import verdict
from tests.standin.scientist import ANSWERS, STAGE_OF_FIELD, StageRequest

TEXT = (
    "Catalogue seven holds lensing measurements of 107 galaxies from a spectroscopic telescope. "
    "The scatter between repeated exposures amounts to 9 percent and grows towards fainter targets. "
    "Removing the brightest neighbours changes the amplitude by less than one standard deviation. "
    "Whether atmospheric dispersion contributes remains unknown, because calibration lamps were switched off."
)
VERDICT: dict[str, Any] = verdict(7, "Sound, though the calibration is thin.")

StageAnswer = Callable[[Ask], Any]
"""Answers the asks of a stage: returns a Reply, or an output that is then checked."""


@lru_cache(maxsize=1)
def tracer() -> Tracer:
    """A program shared by all tests, which must not change it."""
    return Tracer()


def sample(text: str = TEXT, **given: Any) -> Sample:
    return sample_of(text, **given)


def passage(text: str = TEXT, **given: str) -> Passage:
    return Passage(sample(text, **given))


def question(kind: str = "mechanism", text: str | None = None) -> Question:
    text = text or "By what chain of causes can a scatter of 9 percent between exposures bias a lensing amplitude?"
    return Question(text=text, type=kind, difficulty=QUESTION_TYPES[kind].usual_level, audience="survey scientist")


def reply_to(ask: Ask, output: Any) -> Reply:
    """The reply to an ask after one call: ok, or unusable if the stage's check finds a problem."""
    problems = ask.check([ask.read(output)])
    return Reply(
        status="unusable" if problems else "ok",
        output=output,
        problems=problems,
        model="stand-in",
        temperature=ask.temperature,
        spent=ResourceUsage(calls=1, prompt_tokens=100, completion_tokens=20, seconds=0.5),
    )


def unread_reply(problem: str = "the server is gone") -> Reply:
    return Reply(status="unread", problems=[problem], model="stand-in")


def good_output(ask: Ask) -> Any:
    """The stand-in scientist's answer to an ask. The ask's inputs and key determine it."""
    nonce = hashlib.blake2b(ask.key.encode(), digest_size=4).hexdigest()
    text = "\n\n".join(f"[[ ## {name} ## ]]\n{value}" for name, value in ask.inputs.items())
    stage = STAGE_OF_FIELD[ask.output_field]
    return ANSWERS[stage](StageRequest(stage, ask.output_field, text, nonce, 0, {}))


class Answers:
    """Gives every ask a good answer; `stages` replaces those of single stages. `asks` has the asks in order."""

    def __init__(self, **stages: StageAnswer) -> None:
        self.stages = stages
        self.asks: list[Ask] = []

    async def __call__(self, ask: Ask) -> Reply:
        return self.reply(ask)

    def reply(self, ask: Ask) -> Reply:
        self.asks.append(ask)
        output = self.stages.get(ask.stage, good_output)(ask)
        return output if isinstance(output, Reply) else reply_to(ask, output)

    def count(self, stage: str) -> int:
        return sum(ask.stage == stage for ask in self.asks)


class MemoryStore(Store):
    """A store in memory. Its variations count as decided by the present rules, unless it is `stale`."""

    def __init__(self, *, stale: bool = False) -> None:
        self.stale = stale
        self.pools: list[QuestionPool] = []
        self.kept: dict[VariationKey, Variation] = {}

    def earlier_outcome(self, key: VariationKey) -> EarlierOutcome | None:
        found = self.kept.get(key)
        if found is None:
            return None
        return EarlierOutcome(found.accepted, found.settled and not self.stale, found.digest)

    def filter_questions(self, _sample: str, pool: QuestionPool) -> QuestionPool:
        self.pools.append(pool)
        return pool

    def keep(self, variation: Variation) -> None:
        self.kept[variation.key] = variation


def run_tracer(
    answers: Answers | None = None,
    text: str = TEXT,
    *,
    traces: int = 1,
    variations: int = 1,
    store: Store | None = None,
    limit: int | None = None,
    **options: Any,
) -> SampleOutcome:
    """Runs the whole program on a text."""
    settings = TracerOptions(traces_per_sample=traces, traces_per_question=variations, **options)
    return run_in_background(tracer().generate(sample(text), settings, answers or Answers(), store, limit))


def one_variation(answers: Answers | None = None, **given: Any) -> Variation:
    """The only variation that `run_tracer` makes with these options."""
    [variation] = run_tracer(answers, **given).variations
    return variation


def blind_solve_of(variation: Variation) -> BlindSolve:
    """The blind solve in a variation's record."""
    solve = variation.record().blind_solve
    assert solve is not None
    return solve


def strands(answers: Answers | None = None) -> Strands:
    """The result of stages 2 and 3 for `question()` about `passage()`."""
    return run_in_background(tracer().strands.generate(passage(), question(), "closed", answers or Answers()))


def draft() -> Draft:
    return run_in_background(tracer().writer.write(passage(), question(), strands(), plan(), Answers()))


def append_variations(journal: Journal, variations: list[Variation], basis: str = "not judged") -> None:
    for variation in variations:
        line = line_of(variation, basis, {"program": "abc", "seed": 0})
        journal.append("unit", str(variation.key), **line)


def plan() -> AttemptPlan:
    """The plan of a first attempt."""
    return AttemptPlan(0, 0, 0.7, Shape(name="straight through", length="short"))


PARAGRAPHS: tuple[tuple[Kind, str], ...] = (
    ("tries", "The lensing amplitude, then. How were the exposures compared in the first place?"),
    ("wrong", "Perhaps the scatter settles it: more scatter would simply mean a weaker signal overall."),
    ("doubts", "But wait, removing the neighbours changes the amplitude by less than one standard deviation."),
    ("takes_back", "No, that was backwards: what matters is how the scatter grows towards the fainter targets."),
    ("considers", "Alternatively the dispersion might drift with time; nothing in these numbers excludes it."),
    ("settles", "On balance the amplitude holds, though the lamps leave the calibration uncertain."),
)


def thought(paragraphs: Sequence[tuple[str, str]] = PARAGRAPHS, /, **texts: str) -> Thought:
    """A thought, by default one without problems; `texts` replaces the text of the paragraphs of a kind."""
    fields = [{"kind": kind, "text": texts.get(kind, text)} for kind, text in paragraphs]
    return Thought.model_validate({"paragraphs": fields})


def inputs_of_every_stage() -> dict[str, Any]:
    """A value for every input field of any signature."""
    notes = strands()
    shape = plan().shape
    assert shape is not None
    return {
        "passage": passage().shown,
        "question": question().text,
        "asked_by": question().asked_by,
        **notes.for_thought,
        "analysis": notes.analysis,
        "perspective": notes.perspective,
        "given": "the question alone",
        "completing": "Where it lacks a result.",
        "shape": shape.prompt_text,
        "thought": thought().model_dump_json(),
        "misconceptions": ["That more scatter would simply mean a weaker signal."],
        "answer": "The scatter grows towards fainter targets, and that biases the amplitude.",
        "steps": "1. Scatter alone decides the outcome.\n2. The scatter grows towards fainter targets.",
        "reference": "The scatter grows towards fainter targets, and that biases the amplitude.",
        "prompt": question().text,
        "points": "1. It names the scatter.\n2. It says that lamps were off.",
        "other": "A drift of the calibration lamps biases the amplitude.",
    }
