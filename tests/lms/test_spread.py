"""Several servers with one model share the calls.

1. the order of preference is a permutation; it depends on the passage alone, and another server changes no two others
2. of the servers that may be asked, the first with room is chosen, and no server holds clearly more than its share
3. a server is passed over after failures in a row, for growing pauses; then one call at a time tries it
4. calls of one passage go to one server; the load at high concurrency is even
5. servers that die lose no call, and are used again when one comes back (one of several: tests/attack/test_servers.py)
6. a server that refuses for good is named and passed over; where all refuse, that is the error
"""

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from programs.errors import AccessDenied, BackendError, CallError, FatalError, TransientError, UnknownModel
from programs.lms.failures import ConnectionFailed
from programs.lms.meter import metered
from programs.lms.retry import RetryPolicy
from programs.lms.spread import DOWN_AFTER, ServerSpread, choose_server, rank_servers, shared_prefix
from tests.lms.asking import ANSWER, KEY, ONCE, Clock, ask, brain, openai_model, request
from tests.standin.faults import FaultPlan
from tests.standin.server import StandIn

NAMES = st.lists(st.text(st.characters(codec="utf-8"), min_size=1), min_size=1, max_size=6, unique=True)
ANY_TEXT = st.text(st.characters(), max_size=200)


@given(ANY_TEXT, NAMES, st.data())
def test_an_order_is_stable(beginning: str, names: list[str], data: st.DataObject) -> None:
    order = rank_servers(beginning, names)
    assert sorted(order) == list(range(len(names)))
    left = data.draw(st.sampled_from(names))
    fewer = [name for name in names if name != left]
    kept = [names[index] for index in order if names[index] != left]
    assert [fewer[index] for index in rank_servers(beginning, fewer)] == kept


@given(st.lists(st.integers(0, 300), min_size=1, max_size=8), st.data())
def test_a_choice_has_room_and_all_before_it_have_none(in_flight: list[int], data: st.DataObject) -> None:
    order = data.draw(st.permutations(range(len(in_flight))))
    among = data.draw(st.sets(st.sampled_from(order), min_size=1))
    chosen = choose_server(order, in_flight, among)
    share = (sum(in_flight[server] for server in among) + 1) / len(among)
    assert chosen in among
    assert in_flight[chosen] + 1 < 1.25 * share + 1
    earlier = [server for server in order[: order.index(chosen)] if server in among]
    assert all(in_flight[server] + 1 > 1.25 * share for server in earlier)


def test_a_passage_is_what_its_calls_share() -> None:
    passage = "[[ ## passage ## ]]\n[1] Dust.\n[2] Gas."
    first, second = f"{passage}\n\nAsk.", f"{passage}\n\n[[ ## question ## ]]\nWhy?"
    assert shared_prefix(request(first)) == shared_prefix(request(second)) == passage
    assert shared_prefix(request(first.replace("Gas", "Ice"))) != shared_prefix(request(first))


DEAD = ConnectionFailed("connection refused")


class Bench:
    """A spread over two servers, "a" and "b", whose calls end as told; pauses are 1, 2, 4, ... seconds."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.spread = ServerSpread(["a", "b"], lambda times: 2.0 ** (times - 1), self.clock)

    def ask(self, error: BaseException | None = None, first: int = 0) -> list[int]:
        """The servers that one call tried, `first` first, when "a" answers with `error`."""
        tried: list[int] = []
        while True:
            with self.spread.try_server([first, 1 - first], tried) as server:
                if server == 0 and error is not None:
                    raise error
                return tried

    def kill(self) -> None:
        for _ in range(DOWN_AFTER):
            assert self.ask(DEAD) == [0, 1]


def test_a_failed_call_is_asked_elsewhere_at_once_and_a_single_failure_means_nothing() -> None:
    bench = Bench()
    for _ in range(20):
        for _ in range(DOWN_AFTER - 1):
            assert bench.ask(DEAD) == [0, 1]
        assert bench.ask() == [0]


def test_a_dead_server_is_passed_over_for_growing_pauses(caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench()
    bench.kill()
    for pause in (1.0, 2.0, 4.0):
        assert bench.ask(DEAD) == [1]
        bench.clock.now += pause - 0.1
        assert bench.ask(DEAD) == [1]
        bench.clock.now += 0.1
        assert bench.ask(DEAD) == [0, 1]
    bench.clock.now += 8
    assert bench.ask() == bench.ask() == [0]
    bench.kill()
    bench.clock.now += 1
    assert bench.ask() == [0]
    assert caplog.messages == ["skipping a until it answers again: connection refused", "a answers again"]


def test_a_try_that_hung_is_not_made_again_for_as_long_as_it_took() -> None:
    bench, tried = Bench(), list[int]()
    bench.kill()
    bench.clock.now += 1
    with bench.spread.try_server([0, 1], tried):
        bench.clock.now += 600
        raise DEAD
    bench.clock.now += 599
    assert bench.ask(DEAD) == [1]
    bench.clock.now += 1
    assert bench.ask() == [0]


@pytest.mark.parametrize("end", [None, DEAD, asyncio.CancelledError(), CallError("HTTP 400")])
def test_one_call_at_a_time_tries_a_dead_server(end: BaseException | None) -> None:
    bench = Bench()
    bench.kill()
    bench.clock.now += 1
    probe = bench.spread.try_server([0, 1], [])
    assert probe.__enter__() == 0
    assert bench.ask() == [1]
    answered = end is None or isinstance(end, CallError)
    assert bool(probe.__exit__(type(end) if end else None, end, None)) is (end is DEAD)
    assert bench.ask() == ([0] if answered else [1])
    bench.clock.now += 2
    assert bench.ask() == [0]


def about(passage: int, question: int = 0) -> Any:
    return request(f"[[ ## passage ## ]]\n[1] Passage {passage} on galaxies.\n\nQuestion {question}?")


def passages_of(server: StandIn) -> set[str]:
    return {body["messages"][-1]["content"].partition("\n\n")[0] for body in server.bodies}


async def test_all_calls_of_a_passage_go_to_one_server() -> None:
    with StandIn(brain) as one, StandIn(brain) as two, StandIn(brain) as three:
        async with openai_model(one, two, three) as model:
            assert model.endpoint == f"{one.openai_base}, {two.openai_base}, {three.openai_base}"
            for passage in range(40):
                for question in range(2):
                    assert (await ask(model, about(passage, question))).text == ANSWER
    servers = (one, two, three)
    assert sum(len(passages_of(server)) for server in servers) == 40
    assert all(len(server.calls) == 2 * len(passages_of(server)) > 0 for server in servers)


async def test_all_down_then_up() -> None:
    retry = RetryPolicy(first_wait=0.001, max_wait=0.01, patience=30)
    with StandIn(brain) as one, StandIn(brain) as two:
        pass
    async with openai_model(one, two, retry=retry) as model:
        with metered() as meter:
            running = [asyncio.create_task(ask(model, about(passage))) for passage in range(8)]
            while meter.spent.faults.get("connection", 0) < 50:
                await asyncio.sleep(0.001)
            with StandIn(brain, port=two.port) as back:
                assert {answer.text for answer in await asyncio.gather(*running)} == {ANSWER}
        assert len(back.calls) == 8


@pytest.mark.parametrize(("fault", "error"), [("401", AccessDenied), ("404", UnknownModel), ("402", FatalError)])
async def test_a_server_that_refuses_for_good_costs_nothing_unless_all_do(
    fault: str, error: type[BackendError], caplog: pytest.LogCaptureFixture
) -> None:
    refuses = FaultPlan(share=1, kinds=[fault])
    with StandIn(brain) as one, StandIn(brain, faults=refuses, api_key=KEY) as two:
        async with openai_model(one, two, retry=ONCE) as model:
            answers = await asyncio.gather(*(ask(model, about(passage)) for passage in range(16)))
            assert {answer.text for answer in answers} == {ANSWER}
            assert len(one.calls) == 16 > len(two.calls)
            [warning] = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
            assert warning.startswith(f"skipping {two.openai_base} until it answers again: HTTP {fault}")
            one.faults = FaultPlan(script=["500"] * len(one.calls) + ["500"])
            with pytest.raises(TransientError):  # the other may come back
                await ask(model, about(0))
            one.faults = refuses
            with pytest.raises(error, match=rf"(?:{one.openai_base}|{two.openai_base}): HTTP {fault}") as caught:
                await ask(model, about(0))
    assert KEY not in f"{warning} {caught.value!r}"
