"""Invariants of the tries of `programs.asking.caller.Caller`: what is sent next, given what came back.

1. No more than `limit` calls are ever made.
2. What could not be read, or failed its check, is asked again: the newest try is shown whole, with its reasons after the
   stage's own feedback. The first try is given what the ask brings.
3. After Truncated, and a reply that stops in the middle, the next call has twice the tokens, up to four times; Truncated
   passes no reason on.
4. An error of the call or of the server stops the asking at once.
5. Read but wrong at every try is unusable (settled); never read, or a server that failed, is unread (asked again later).
6. Seeds are fixed by key, run's seed and number of the try alone, differ between them, and fit 31 bits.
7. Every try that was not taken is kept with its reasons; an error's words become no output.
8. Each call is told as it ends, with what it cost; from what was told, written and read, another caller goes on as if the
   first had never stopped.
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
from tests.making import passage, tracer

GOOD = FinalAnswer(text="The scatter grows towards fainter targets, which biases the mean.")
BAD = FinalAnswer(text="bad: The scatter grows towards fainter targets, which biases it.")


def check(values: list[Any]) -> list[str]:
    return [f"wrong {len(values)}"] if values[-1].text.startswith("bad") else []


ASK = dataclasses.replace(
    tracer().questions.ask(passage(), "critical", "closed", 0),
    key="answer/x",
    predict=tracer().writer.answer,
    check=check,
    temperature=0.7,
)


class Played(Caller):
    """A caller to whose calls these outcomes come back, without a model."""

    def __init__(self, outcomes: Sequence[Outcome], rules: ReaskRules) -> None:
        super().__init__(rules=rules, options=frozenset({"temperature", "seed", "max_tokens"}))
        self.outcomes = list(outcomes)
        self.sent: list[Any] = []

    async def _outcome(self, _ask: Ask, inputs: Any, config: Any, _model: Any) -> Outcome:
        self.sent.append(SimpleNamespace(inputs=inputs, config=config))
        return self.outcomes.pop(0)


def played(outcomes: Sequence[Outcome], ask: Ask = ASK, **rules: Any) -> tuple[list[Any], Reply]:
    """What is sent when these outcomes come back, and the reply. Every outcome is used."""
    caller = Played(outcomes, ReaskRules(**rules))
    reply = asyncio.run(caller.answer(ask))
    assert not caller.outcomes, "it stopped before all outcomes came"
    return caller.sent, reply


def unreadable(faults: list[str], said: str = "", cut: bool = False) -> UnreadableReply:
    return UnreadableReply(ASK.predict.signature, said, faults, cut)


def test_an_unread_answer_is_asked_again_with_the_reason() -> None:
    sent, reply = played([unreadable(["answer is missing", "more is bad"], '{"text": "So."}'), GOOD])
    shown = {"earlier": '{"text": "So."}', "feedback": "- answer is missing\n- more is bad"}
    assert sent[1].inputs == {**ASK.inputs, **shown}
    assert reply.status == "ok"
    assert [rejected.problems for rejected in reply.rejected] == [["answer is missing", "more is bad"]]


def test_a_wrong_answer_is_asked_again_with_the_newest_reasons_after_the_stages_own() -> None:
    ask = dataclasses.replace(ASK, feedback=("A judge said: thin.",))
    (first, *more), _ = played([BAD, BAD, GOOD], ask)
    assert first.inputs["feedback"] == "- A judge said: thin."
    assert [step.inputs["feedback"] for step in more] == [f"- A judge said: thin.\n- wrong {n}" for n in (1, 2)]


def test_a_wrong_answer_is_shown_whole_in_place_of_what_the_ask_brought() -> None:
    brought = "An attempt that judges turned down."
    sent, _ = played([Truncated("cut"), BAD, GOOD], dataclasses.replace(ASK, earlier=brought))
    shown = [step.inputs["earlier"] for step in sent]
    assert shown == [brought, brought, json.dumps({ASK.output: BAD.model_dump()})]


def test_a_try_that_failed_as_one_before_it_is_not_shown() -> None:
    for refusal in ("I would rather not.", "I had rather not."):
        sent, _ = played([unreadable(["no object"], "I would rather not."), unreadable(["no object"], refusal), GOOD])
        assert ["earlier" in step.inputs for step in sent] == [False, True, False]
        assert "feedback" in sent[2].inputs


def test_what_a_try_copied_from_is_taken_away() -> None:
    ask = dataclasses.replace(ASK, drop_inputs={"wrong 1": "passage"})
    (first, second, third), _ = played([BAD, unreadable(["no object"], "So."), GOOD], ask)
    assert "passage" in first.inputs
    for step in (second, third):
        assert not {"passage", "earlier"} & step.inputs.keys()
    assert "wrong 1" in second.inputs["feedback"]


def test_what_is_let_pass_the_second_time_is_so_where_nothing_else_came() -> None:
    lenient = dataclasses.replace(ASK, check=lambda values: ["once"] * (len(values) == 1))
    _, reply = played([GOOD, unreadable(["no form"])], lenient, limit=2)
    assert (reply.status, reply.problems) == ("ok", [])


def test_tokens_double_after_truncation_alone() -> None:
    sent, reply = played([Truncated("cut"), BAD, Truncated("cut"), Truncated("cut"), GOOD], limit=5, max_tokens=100)
    assert [step.config["max_tokens"] for step in sent] == [100, 200, 200, 400, 400]
    assert "feedback" not in sent[1].inputs
    assert reply.status == "ok"


def test_a_reply_that_stops_in_the_middle_gets_more_tokens_and_the_reason() -> None:
    sent, _ = played([unreadable(["stops"], cut=True), GOOD], max_tokens=100)
    assert (sent[1].config["max_tokens"], sent[1].inputs["feedback"]) == (200, "- stops")


@pytest.mark.parametrize(
    "error", [CallError("refused"), ContextTooLong("too long"), TransientError("503"), RateLimited("429")]
)
def test_an_error_stops_the_asking(error: Any) -> None:
    _, reply = played([error])
    assert reply.status == "unread"
    assert reply.output is None
    assert reply.problems == [str(error)]


OUTCOMES: st.SearchStrategy[Outcome] = st.sampled_from(
    [GOOD, BAD, unreadable(["no form"]), Truncated("cut"), CallError("refused"), TransientError("gone")]
)


@given(st.lists(OUTCOMES, min_size=6, max_size=6), st.integers(1, 6), st.integers(1, 10_000))
def test_any_course_ends_in_time_and_keeps_what_it_got(outcomes: list[Outcome], limit: int, tokens: int) -> None:
    caller = Played(outcomes, ReaskRules(limit=limit, max_tokens=tokens))
    reply = asyncio.run(caller.answer(ASK))
    sent, used = caller.sent, len(caller.sent)
    assert used <= limit
    assert all(tokens <= step.config["max_tokens"] <= 4 * tokens for step in sent)
    assert len({step.config["seed"] for step in sent}) == len(sent)
    assert len(reply.rejected) == used - (reply.status == "ok")
    assert (reply.status == "ok") == (outcomes[used - 1] is GOOD)
    assert (reply.output is None) == (reply.status == "unread")


@given(st.lists(OUTCOMES, min_size=4, max_size=4))
def test_from_each_reply_it_goes_on_as_if_nothing_had_happened(outcomes: list[Outcome]) -> None:
    told: list[Reply] = []
    whole = Played(outcomes, ReaskRules(limit=4))
    end = asyncio.run(whole.answer(ASK, on_reply=told.append))
    assert [reply.status for reply in told[:-1]] == ["open"] * (len(told) - 1)
    assert (told[-1], end.spent_in_all.calls, end.spent_in_all.reasks) == (end, len(told), len(told) - 1)
    for number, reply in enumerate(told[:-1], 1):
        again = Played(outcomes[number:], ReaskRules(limit=4))
        before = Reply.model_validate_json(reply.model_dump_json()).rejected
        assert asyncio.run(again.answer(ASK, before)) == end
        assert again.sent == whole.sent[number:]


def test_seeds_are_fixed_by_key_seed_and_number() -> None:
    first = [step.config["seed"] for step in played([BAD, BAD, GOOD], seed=3)[0]]
    assert first == [step.config["seed"] for step in played([unreadable(["x"]), Truncated("y"), GOOD], seed=3)[0]]
    assert first == [seed_of("answer/x", 3, number) for number in range(3)]
    plain = Played([GOOD], ReaskRules(seed=3))
    plain.options = frozenset({"temperature"})
    asyncio.run(plain.answer(ASK))
    assert plain.sent[0].config == {"temperature": 0.7, "rollout_id": first[0]}, "DSPy's cache keys replies by it"
