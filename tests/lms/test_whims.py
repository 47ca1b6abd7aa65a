"""A server that has answered, and then a page of a proxy before it refuses (`programs.lms.exchange.Whims`).

1. What is refused before the server has answered once is meant, and so is what is refused in JSON.
2. Afterwards a page is excused until pages have gone on for a minute without an answer.
3. So one page with 401 or 404 in the middle of a run costs a repeated call.
"""

from __future__ import annotations

import pytest

from programs.errors import AccessDenied, UnknownModel
from programs.lms.backend import Reply
from programs.lms.exchange import Outcome, Whims
from programs.lms.faults import TimedOut
from tests.lms.asking import ANSWER, ask, brain, openai_model
from tests.standin.faults import FaultPlan
from tests.standin.server import StandIn

PAGE = Reply(404, {}, "<html>not found</html>")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_1_a_server_that_never_answered_means_it() -> None:
    assert not Whims().excuses(PAGE)


@pytest.mark.parametrize(
    "outcome", [Reply(401, {}, ' {"error": "no"}'), Reply(200, {}, "ACCESS DENIED"), TimedOut("x")]
)
def test_1_what_is_said_in_json_or_is_no_page_is_meant(outcome: Outcome) -> None:
    whims = Whims()
    whims.answered()
    assert not whims.excuses(outcome)


def test_2_refusals_are_excused_for_a_minute() -> None:
    clock = Clock()
    whims = Whims(60.0, clock)
    whims.answered()
    for clock.now in (0.0, 30.0, 59.0):
        assert whims.excuses(PAGE)
    clock.now = 60.0
    assert not whims.excuses(PAGE)
    whims.answered()
    assert whims.excuses(PAGE), "an answer begins it anew"


@pytest.mark.parametrize("kind", ["page401", "page404"])
async def test_3_one_refusal_in_between_is_tried_again(kind: str) -> None:
    with StandIn(brain, faults=FaultPlan(script=[None, kind, None])) as server:
        async with openai_model(server) as model:
            assert [(await ask(model)).text for _ in range(2)] == [ANSWER, ANSWER]
    assert len(server.calls) == 3


@pytest.mark.parametrize(("kind", "error"), [("page401", AccessDenied), ("page404", UnknownModel)])
async def test_3_at_first_it_is_final(kind: str, error: type[Exception]) -> None:
    with StandIn(brain, faults=FaultPlan(script=[kind])) as server:
        async with openai_model(server) as model:
            with pytest.raises(error):
                await ask(model)
    assert len(server.calls) == 1
