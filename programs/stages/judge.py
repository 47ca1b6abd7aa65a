"""Stage 5 as a module: a panel of judges, each with the same signature and its own model."""

from collections.abc import Iterable, Mapping
from typing import Any

import dspy

from programs.asking.ask import Ask, Check, Subject, accept_all
from programs.asking.caller import PredictorModule
from programs.asking.reply import Reply
from programs.inputs.passage import Passage
from programs.record_parts import Verdict
from programs.stages.questions import Question, shared_inputs
from programs.stages.thought import Draft
from programs.text.thought import bare_thought
from signatures.judge import JudgeTrace, VerdictSheet
from signatures.vocabulary import THINKING, Setting

JUDGE_TEMPERATURE = 0.0
"""The same work should get the same rating, as far as a model can do that."""


def output_ask(
    stage: str,
    predict: dspy.Predict,
    inputs: Mapping[str, Any],
    subject: Subject,
    model: str,
    check: Check = accept_all,
    temperature: float = JUDGE_TEMPERATURE,
) -> Ask:
    """Builds the ask about an output of other stages, the `subject`, for the model named `model`."""
    return Ask(
        stage=stage,
        subject=(*subject, model),
        predict=predict,
        inputs=inputs,
        check=check,
        model=model,
        temperature=temperature,
    )


class JudgeStage(PredictorModule):
    """Asks one judge about one draft."""

    signature = JudgeTrace

    def ask(
        self, passage: Passage, question: Question, draft: Draft, subject: Subject, judge: str, setting: Setting
    ) -> Ask:
        """`subject` identifies the draft (sample, question, attempt); `judge` names the model."""
        checks = draft.checkable.in_words() or None
        inputs = {**judge_inputs(passage, question, draft, setting), "thought": draft.text, "checks": checks}
        return self.ask_about(inputs, subject, judge)

    def ask_about(self, inputs: Mapping[str, Any], subject: Subject, judge: str) -> Ask:
        """Asks about anything else that can be judged. An input that is None is left out of the prompt. A thought is shown
        without its tags: they are not part of it, and the prompt would show them broken."""
        thought = inputs.get("thought")
        inputs = {**inputs, "thought": None if thought is None else bare_thought(thought)}
        return output_ask("judge", self.predict, inputs, subject, judge)


def judge_inputs(passage: Passage, question: Question, draft: Draft, setting: Setting) -> dict[str, Any]:
    """The inputs that judges and graders share: all of a draft but the thought."""
    return {**shared_inputs(passage, question), "given": THINKING[setting], "answer": draft.answer}


def verdict_of(ask: Ask, reply: Reply) -> Verdict:
    """The verdict in a reply. A reply without one becomes an unscored verdict, never a low one."""
    judge = ask.model or reply.model
    if reply.status != "ok":
        return Verdict(judge=judge, scored=False, reason="; ".join(reply.problems))
    sheet: VerdictSheet = ask.read(reply.output)
    return Verdict(judge=judge, scored=True, **sheet.model_dump())


def panel_score(verdicts: Iterable[Verdict]) -> float | None:
    """The mean of the judges' overall ratings, or None if there are none."""
    overall = [verdict.overall for verdict in verdicts if verdict.overall is not None]
    return round(sum(overall) / len(overall), 2) if overall else None


def panel_spread(verdicts: Iterable[Verdict]) -> float | None:
    """The highest overall rating minus the lowest, or None if there are fewer than two."""
    overall = [verdict.overall for verdict in verdicts if verdict.overall is not None]
    # Floats are not exact: 8.86 - 5.86 is less than 3.
    return round(float(max(overall) - min(overall)), 2) if len(overall) > 1 else None


def naturalness(verdicts: Iterable[Verdict]) -> float | None:
    """How much the thought reads like thinking: the mean of the judges' ratings, mapped from 1-10 to 0-1; None if none."""
    ratings = [verdict.reads_like_thinking for verdict in verdicts if verdict.reads_like_thinking is not None]
    return round((sum(ratings) / len(ratings) - 1) / 9, 4) if ratings else None
