"""Invariants of the tries of `programs.asking.caller.Caller`: what is sent next, given what came back.

1. At most `max_tries` calls are made.
2. After a reply that cannot be read or fails its check, the stage is re-asked: the newest try is shown in full, and its
   problems after the ask's own feedback. The first try is given what the ask itself has.
3. After Truncated, or a reply that stops in the middle, the next call has twice the tokens, up to four times the limit.
   Truncated adds no feedback.
4. An error of the call or of the server ends the asking at once.
5. A reply that is wrong at every try is unusable (settled). If none can be read, or the server fails, it is unread.
6. Key, run's seed and number of the try alone fix a try's seed. Seeds differ between tries and fit into 31 bits.
7. Every rejected try is kept with its problems. The text of an error never becomes an output.
8. Each call is reported as it ends, with its cost. From a report that was written and read again, another caller continues
   as if the first had never stopped.
"""

import asyncio
import dataclasses
import json
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from programs.asking.adapter import UnreadableReply
from programs.asking.ask import Ask
from programs.asking.caller import Caller, Outcome, ReaskRules, seed_of
from programs.asking.reply import Reply
from programs.errors import CallError, ContextTooLong, RateLimited, TransientError, Truncated
from signatures.answer import FinalAnswer
from tests.builders import passage, tracer

GOOD = FinalAnswer(text="The scatter grows towards fainter targets, which biases the mean.")
BAD = FinalAnswer(text="bad: The scatter grows towards fainter targets, which biases it.")


def check(values: list[Any]) -> list[str]:
    return [f"wrong {len(values)}"] if values[-1].text.startswith("bad") else []


ASK = dataclasses.replace(
    tracer().questions.ask(passage(), "critical", "closed", 0),
    stage="answer",
    subject=("x",),
    predict=tracer().writer.answer,
    check=check,
    temperature=0.7,
)


class ScriptedCaller(Caller):
    """A caller whose calls have these outcomes, without a model."""

    def __init__(self, outcomes: Sequence[Outcome], rules: ReaskRules) -> None:
        super().__init__(rules=rules, options=frozenset({"temperature", "seed", "max_tokens"}))
        self.outcomes = list(outcomes)
        self.sent: list[Any] = []

    async def _outcome(self, _ask: Ask, inputs: Any, config: Any, _model: Any) -> Outcome:
        self.sent.append(SimpleNamespace(inputs=inputs, config=config))
        return self.outcomes.pop(0)


def replay(outcomes: Sequence[Outcome], ask: Ask = ASK, **rules: Any) -> tuple[list[Any], Reply]:
    """What is sent if the calls have these outcomes, and the reply. Fails unless every outcome is used."""
    caller = ScriptedCaller(outcomes, ReaskRules(**rules))
    reply = asyncio.run(caller.answer(ask))
    assert not caller.outcomes, "it stopped before all outcomes were used"
    return caller.sent, reply


def unreadable(faults: list[str], said: str = "", cut: bool = False) -> UnreadableReply:
    return UnreadableReply(ASK.predict.signature, said, faults, cut)


def test_an_unreadable_reply_is_reasked_with_its_faults() -> None:
    sent, reply = replay([unreadable(["answer is missing", "more is bad"], '{"text": "So."}'), GOOD])
    shown = {"earlier": '{"text": "So."}', "feedback": "- answer is missing\n- more is bad"}
    assert sent[1].inputs == {**ASK.inputs, **shown}
    assert reply.status == "ok"
    assert [rejected.problems for rejected in reply.rejected] == [["answer is missing", "more is bad"]]


def test_a_wrong_reply_is_reasked_with_its_problems_after_the_asks_feedback() -> None:
    ask = dataclasses.replace(ASK, feedback=("A judge said: thin.",))
    (first, *more), _ = replay([BAD, BAD, GOOD], ask)
    assert first.inputs["feedback"] == "- A judge said: thin."
    assert [step.inputs["feedback"] for step in more] == [f"- A judge said: thin.\n- wrong {n}" for n in (1, 2)]


def test_a_wrong_reply_is_shown_in_full_instead_of_the_asks_earlier_try() -> None:
    earlier = "An attempt that judges turned down."
    sent, _ = replay([Truncated("cut"), BAD, GOOD], dataclasses.replace(ASK, earlier=earlier))
    shown = [step.inputs["earlier"] for step in sent]
    assert shown == [earlier, earlier, json.dumps({ASK.output_field: BAD.model_dump()})]


def test_a_try_that_failed_like_an_earlier_one_is_not_shown() -> None:
    for refusal in ("I would rather not.", "I had rather not."):
        sent, _ = replay([unreadable(["no object"], "I would rather not."), unreadable(["no object"], refusal), GOOD])
        assert ["earlier" in step.inputs for step in sent] == [False, True, False]
        assert "feedback" in sent[2].inputs


def test_an_input_that_a_try_copied_is_left_out() -> None:
    ask = dataclasses.replace(ASK, drop_inputs={"wrong 1": "passage"})
    (first, second, third), _ = replay([BAD, unreadable(["no object"], "So."), GOOD], ask)
    assert "passage" in first.inputs
    for step in (second, third):
        assert not {"passage", "earlier"} & step.inputs.keys()
    assert "wrong 1" in second.inputs["feedback"]


def test_a_problem_that_a_second_try_may_have_is_forgiven_if_no_try_follows() -> None:
    lenient = dataclasses.replace(ASK, check=lambda values: ["once"] * (len(values) == 1))
    _, reply = replay([GOOD, unreadable(["no form"])], lenient, max_tries=2)
    assert (reply.status, reply.problems) == ("ok", [])


def test_tokens_double_only_after_truncation() -> None:
    sent, reply = replay([Truncated("cut"), BAD, Truncated("cut"), Truncated("cut"), GOOD], max_tries=5, max_tokens=100)
    assert [step.config["max_tokens"] for step in sent] == [100, 200, 200, 400, 400]
    assert "feedback" not in sent[1].inputs
    assert reply.status == "ok"


def test_after_a_reply_that_stops_in_the_middle_come_more_tokens_and_the_reason() -> None:
    sent, _ = replay([unreadable(["stops"], cut=True), GOOD], max_tokens=100)
    assert (sent[1].config["max_tokens"], sent[1].inputs["feedback"]) == (200, "- stops")


@pytest.mark.parametrize(
    "error", [CallError("refused"), ContextTooLong("too long"), TransientError("503"), RateLimited("429")]
)
def test_an_error_ends_the_asking(error: Any) -> None:
    _, reply = replay([error])
    assert reply.status == "unread"
    assert reply.output is None
    assert reply.problems == [str(error)]


OUTCOMES: st.SearchStrategy[Outcome] = st.sampled_from(
    [GOOD, BAD, unreadable(["no form"]), Truncated("cut"), CallError("refused"), TransientError("gone")]
)


@given(st.lists(OUTCOMES, min_size=6, max_size=6), st.integers(1, 6), st.integers(1, 10_000))
def test_limits_hold_and_rejected_tries_are_kept(outcomes: list[Outcome], limit: int, tokens: int) -> None:
    caller = ScriptedCaller(outcomes, ReaskRules(max_tries=limit, max_tokens=tokens))
    reply = asyncio.run(caller.answer(ASK))
    sent, used = caller.sent, len(caller.sent)
    assert used <= limit
    assert all(tokens <= step.config["max_tokens"] <= 4 * tokens for step in sent)
    assert len({step.config["seed"] for step in sent}) == len(sent)
    assert len(reply.rejected) == used - (reply.status == "ok")
    assert (reply.status == "ok") == (outcomes[used - 1] is GOOD)
    assert (reply.output is None) == (reply.status == "unread")


@given(st.lists(OUTCOMES, min_size=4, max_size=4))
def test_another_caller_continues_from_any_reply_as_if_nothing_had_happened(outcomes: list[Outcome]) -> None:
    reports: list[Reply] = []
    first_caller = ScriptedCaller(outcomes, ReaskRules(max_tries=4))
    end = asyncio.run(first_caller.answer(ASK, on_reply=reports.append))
    assert [reply.status for reply in reports[:-1]] == ["open"] * (len(reports) - 1)
    assert (reports[-1], end.spent_in_all.calls, end.spent_in_all.reasks) == (end, len(reports), len(reports) - 1)
    for number, reply in enumerate(reports[:-1], 1):
        second_caller = ScriptedCaller(outcomes[number:], ReaskRules(max_tries=4))
        before = Reply.model_validate_json(reply.model_dump_json()).rejected
        assert asyncio.run(second_caller.answer(ASK, before)) == end
        assert second_caller.sent == first_caller.sent[number:]


def test_key_seed_and_number_fix_the_seed_of_a_try() -> None:
    first = [step.config["seed"] for step in replay([BAD, BAD, GOOD], seed=3)[0]]
    assert first == [step.config["seed"] for step in replay([unreadable(["x"]), Truncated("y"), GOOD], seed=3)[0]]
    assert first == [seed_of("answer/x", 3, number) for number in range(3)]
    plain = ScriptedCaller([GOOD], ReaskRules(seed=3))
    plain.options = frozenset({"temperature"})
    asyncio.run(plain.answer(ASK))
    assert plain.sent[0].config == {"temperature": 0.7, "rollout_id": first[0]}, "DSPy's cache keys replies by it"
