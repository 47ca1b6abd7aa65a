"""Stage 4 in another way: the question is asked of a model that reasons, whose own thought is kept with its answer."""

from rapidfuzz import fuzz

from programs.asking.module import PredictorModule
from programs.asking.plan import Ask, Reply
from programs.lms.wire import split_thinking
from programs.passage import Passage
from programs.stages.questions import Question
from programs.stages.trace import SAME_TEXT, Draft, DraftSpec, needed_figures
from programs.text.asking import only_asks
from programs.text.leaks import leaked
from programs.text.repetition import is_degenerate
from programs.text.self_contained import leaning
from signatures.own_thought import AnswerAsAsked, OwnThought

ROOM_TO_THINK = 16_384
"""Tokens that a reply may have at least: most of them are thought."""


class OwnStage(PredictorModule):
    """Asks a question as a person would."""

    def __init__(self) -> None:
        super().__init__(AnswerAsAsked)

    def ask(self, passage: Passage, question: Question, spec: DraftSpec, name: str) -> Ask:
        """One try; `name` identifies the draft (sample, question, variation, attempt). The passage goes along where it is
        at hand while thinking. What comes back has no form that could be asked for again."""
        at_hand = {"passage": passage.sample.text} if spec.setting == "open" else {}
        return Ask(
            stage="own",
            key=f"own/{name}",
            predict=self.predict,
            inputs={**at_hand, "question": question.text},
            depth=6,
            temperature=spec.temperature,
            least_tokens=ROOM_TO_THINK,
        )


def own_draft(reply: Reply, passage: Passage, question: Question) -> Draft | None:
    """The thought and the answer of a try that was answered; None without a thought."""
    # Where DSPy calls the model, a thought in tags is still part of the text.
    found, answer = split_thinking(str(reply.output))
    thought = OwnThought(text=reply.reasoning or found)
    if not thought.texts or not answer.strip():
        return None
    needed = needed_figures(passage, question, thought.texts, answer)
    return Draft(thought, answer.strip(), {"own": reply}, needed)


def own_problems(draft: Draft, spec: DraftSpec, question: str) -> list[str]:
    """Why a thought or its answer cannot be used, in words; nothing wrong: an empty list. Of the checks on written ones,
    those that do not hang on our form: a native thought comes back to what it said, line for line."""
    thought, answer = "\n\n".join(draft.thought.texts), draft.answer
    problems = [f"the thought: {why}" for why in (leaked(thought), is_degenerate(thought)) if why]
    problems += [f"the answer: {why}" for why in (leaked(answer), is_degenerate(answer)) if why]
    problems += ["the answer asks instead of answering"] if only_asks(answer) else []
    problems += ["the answer only repeats the question"] if fuzz.ratio(question, answer) >= SAME_TEXT else []
    if spec.setting == "closed":
        # In the open setting the text is in view, and nobody asked the model not to speak of it.
        problems += [f'the answer leans on a source: "{found.phrase}"' for found in leaning(answer)]
    return problems
