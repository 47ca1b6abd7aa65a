"""Small real parts for the tests of the core: a sample, a question, answers of every stage, variations, journal lines.

answers = Answers(judge=lambda ask: {**VERDICT, "overall": 3})
made = made_of(answers, quality_check=True, judge_models=["a"])              # a Tracer, without a model
answers.asked                                                                  # the asks, in order
"""

import hashlib
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from programs.asking.ask import Ask
from programs.asking.reply import Reply
from programs.background_loop import run
from programs.inputs.passage import Passage
from programs.inputs.sample import Sample, sample_of
from programs.lms.meter import ResourceUsage
from programs.records import BlindSolve
from programs.run.journal import Journal
from programs.settings import TracerOptions
from programs.stages.questions import Question, QuestionPool
from programs.stages.strands import Strands
from programs.stages.thought import AttemptPlan, Draft, ThoughtStages
from programs.tracer import SampleOutcome, Store, Tracer
from programs.traces.line import line_of
from programs.traces.variation import EarlierOutcome, Variation, VariationKey
from signatures.question_type import QUESTION_TYPES
from signatures.shape import Shape
from signatures.thought import Thought
from signatures.vocabulary import Kind
from tests.standin.panel import verdict
from tests.standin.scientist import ANSWERS, STAGE_OF_FIELD, Asked

TEXT = (
    "Catalogue seven holds lensing measurements of 107 galaxies from a spectroscopic telescope. "
    "The scatter between repeated exposures amounts to 9 percent and grows towards fainter targets. "
    "Removing the brightest neighbours changes the amplitude by less than one standard deviation. "
    "Whether atmospheric dispersion contributes remains unknown, because calibration lamps were switched off."
)
VERDICT: dict[str, Any] = verdict(7, "Sound, though the calibration is thin.")

Output = Callable[[Ask], Any]
"""What a stage is answered: a Reply as it stands, or an output, which is then checked."""


@lru_cache(maxsize=1)
def tracer() -> Tracer:
    """A program that nobody changes."""
    return Tracer()


def sample(text: str = TEXT, **given: Any) -> Sample:
    return sample_of(text, **given)


def passage(text: str = TEXT, **given: str) -> Passage:
    return Passage(sample(text, **given))


def question(kind: str = "mechanism", text: str | None = None) -> Question:
    asked = text or "By what chain of causes can a scatter of 9 percent between exposures bias a lensing amplitude?"
    return Question(text=asked, type=kind, difficulty=QUESTION_TYPES[kind].usual_level, audience="survey scientist")


def answered(ask: Ask, output: Any) -> Reply:
    """The reply to an ask that was answered once: ok, or unusable where the stage's check finds a fault."""
    problems = ask.check([ask.read(output)])
    return Reply(
        status="unusable" if problems else "ok",
        output=output,
        problems=problems,
        model="stand-in",
        temperature=ask.temperature,
        spent=ResourceUsage(calls=1, prompt_tokens=100, completion_tokens=20, seconds=0.5),
    )


def unread(why: str = "the server is gone") -> Reply:
    return Reply(status="unread", problems=[why], model="stand-in")


def good_output(ask: Ask) -> Any:
    """What the stand-in's scientist says; it differs with the ask's key alone."""
    nonce = hashlib.blake2b(ask.key.encode(), digest_size=4).hexdigest()
    text = "\n\n".join(f"[[ ## {name} ## ]]\n{value}" for name, value in ask.inputs.items())
    stage = STAGE_OF_FIELD[ask.output]
    return ANSWERS[stage](Asked(stage, ask.output, text, nonce, 0, {}))


class Answers:
    """Answers every ask in form; `stages` replaces single stages. `asked` holds the asks in order."""

    def __init__(self, **stages: Output) -> None:
        self.stages = stages
        self.asked: list[Ask] = []

    async def __call__(self, ask: Ask) -> Reply:
        return self.reply(ask)

    def reply(self, ask: Ask) -> Reply:
        """The same without awaiting."""
        self.asked.append(ask)
        output = self.stages.get(ask.stage, good_output)(ask)
        return output if isinstance(output, Reply) else answered(ask, output)

    def count(self, stage: str) -> int:
        """How often a stage was asked."""
        return sum(ask.stage == stage for ask in self.asked)


class Memory(Store):
    """A store that remembers what it was told, in order; what it kept is decided by the present rules, unless `stale`."""

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


def made_of(
    answers: Answers | None = None,
    text: str = TEXT,
    *,
    traces: int = 1,
    variations: int = 1,
    store: Store | None = None,
    limit: int | None = None,
    **options: Any,
) -> SampleOutcome:
    """What the whole program makes of a text."""
    wanted = TracerOptions(traces_per_sample=traces, traces_per_question=variations, **options)
    return run(tracer().generate(sample(text), wanted, answers or Answers(), store, limit))


def only(answers: Answers | None = None, **given: Any) -> Variation:
    """The one variation that is made of a text."""
    [variation] = made_of(answers, **given).variations
    return variation


def solve_of(variation: Variation) -> BlindSolve:
    """What a blind solve found of it."""
    found = variation.record().blind_solve
    assert found is not None
    return found


def analysed(answers: Answers | None = None) -> Strands:
    """What stages 2 and 3 find for `question()` in `passage()`."""
    return run(tracer().strands.generate(passage(), question(), "closed", answers or Answers()))


def draft(answers: Answers | None = None, stages: ThoughtStages | None = None) -> Draft:
    """A thought and its answer."""
    writer = stages or tracer().writer
    return run(writer.write(passage(), question(), analysed(), plan(), answers or Answers()))


def keep(journal: Journal, variations: list[Variation], basis: str = "not judged") -> None:
    """Writes variations as the runner does."""
    for variation in variations:
        line = line_of(variation, basis, {"program": "abc", "seed": 0})
        journal.append("unit", str(variation.key), **line)


def plan(variation: int = 0, attempt: int = 0, temperature: float | None = 0.7) -> AttemptPlan:
    """Which draft, with a shape that no wrong turn is due in."""
    shape = Shape(name="straight through", noticed=None, length="short")
    return AttemptPlan(variation, attempt, temperature, shape)


PARAGRAPHS: tuple[tuple[Kind, str], ...] = (
    ("tries", "The lensing amplitude, then. How were the exposures compared in the first place?"),
    ("wrong", "Perhaps the scatter settles it: more scatter would simply mean a weaker signal overall."),
    ("doubts", "But wait, removing the neighbours changes the amplitude by less than one standard deviation."),
    ("takes_back", "No, that was backwards: what matters is how the scatter grows towards the fainter targets."),
    ("considers", "Alternatively the dispersion might drift with time; nothing in these numbers excludes it."),
    ("settles", "On balance the amplitude holds, though the lamps leave the calibration uncertain."),
)


def thought(paragraphs: Sequence[tuple[str, str]] = PARAGRAPHS, /, **texts: str) -> Thought:
    """A thought, by default one without faults; `texts` replaces the text of the paragraphs of a kind."""
    made = [{"kind": kind, "text": texts.get(kind, text)} for kind, text in paragraphs]
    return Thought.model_validate({"paragraphs": made})


def inputs_of_every_stage() -> dict[str, Any]:
    """A value for every input field that any signature has."""
    found = analysed()
    shape = plan().shape
    assert shape is not None
    return {
        "passage": passage().shown,
        "question": question().text,
        "asked_by": question().asked_by,
        **found.for_thought,
        "analysis": found.analysis,
        "perspective": found.perspective,
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
