"""Several servers with the same model share the calls.

1. The order of preference is a permutation that depends only on the passage; adding a server does not reorder the others.
2. A call goes to the first server in its order that has room, and no server gets clearly more than its share.
3. After several failures in a row, a server is skipped for growing pauses; after a pause, one call at a time probes it.
4. All calls of a passage go to one server; the load at high concurrency is even.
5. If all servers die, no call is lost, and one that is back is used again (one of several: tests/attack/test_servers.py).
6. A server that rejects all calls is named and skipped; if all servers do, that is the error.
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
from tests.lms.asking import ANSWER, KEY, NO_RETRIES, ManualClock, ask, brain, openai_model, request
from tests.standin.faults import FaultPlan
from tests.standin.server import StandIn

NAMES = st.lists(st.text(st.characters(codec="utf-8"), min_size=1), min_size=1, max_size=6, unique=True)
ANY_TEXT = st.text(st.characters(), max_size=200)


@given(ANY_TEXT, NAMES, st.data())
def test_removing_a_server_does_not_reorder_the_others(prefix: str, names: list[str], data: st.DataObject) -> None:
    order = rank_servers(prefix, names)
    assert sorted(order) == list(range(len(names)))
    removed = data.draw(st.sampled_from(names))
    remaining = [name for name in names if name != removed]
    expected = [names[index] for index in order if names[index] != removed]
    assert [remaining[index] for index in rank_servers(prefix, remaining)] == expected


@given(st.lists(st.integers(0, 300), min_size=1, max_size=8), st.data())
def test_the_first_server_with_room_is_chosen(in_flight: list[int], data: st.DataObject) -> None:
    order = data.draw(st.permutations(range(len(in_flight))))
    allowed = data.draw(st.sets(st.sampled_from(order), min_size=1))
    chosen = choose_server(order, in_flight, allowed)
    share = (sum(in_flight[server] for server in allowed) + 1) / len(allowed)
    assert chosen in allowed
    assert in_flight[chosen] + 1 < 1.25 * share + 1
    earlier = [server for server in order[: order.index(chosen)] if server in allowed]
    assert all(in_flight[server] + 1 > 1.25 * share for server in earlier)


def test_the_shared_prefix_is_the_passage() -> None:
    passage = "[[ ## passage ## ]]\n[1] Dust.\n[2] Gas."
    first, second = f"{passage}\n\nAsk.", f"{passage}\n\n[[ ## question ## ]]\nWhy?"
    assert shared_prefix(request(first)) == shared_prefix(request(second)) == passage
    assert shared_prefix(request(first.replace("Gas", "Ice"))) != shared_prefix(request(first))


DEAD = ConnectionFailed("connection refused")


class TwoServers:
    """A spread over two servers, "a" and "b". Pauses last 1, 2, 4, ... seconds."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.spread = ServerSpread(["a", "b"], lambda pauses: 2.0 ** (pauses - 1), self.clock)

    def ask(self, error: BaseException | None = None, first: int = 0) -> list[int]:
        """Makes a call that prefers the server `first`; "a" fails with `error`. Returns the servers that it tried."""
        tried: list[int] = []
        while True:
            with self.spread.try_server([first, 1 - first], tried) as server:
                if server == 0 and error is not None:
                    raise error
                return tried

    def kill(self) -> None:
        for _ in range(DOWN_AFTER):
            assert self.ask(DEAD) == [0, 1]


def test_a_failed_call_goes_to_another_server_at_once_and_few_failures_have_no_effect() -> None:
    servers = TwoServers()
    for _ in range(20):
        for _ in range(DOWN_AFTER - 1):
            assert servers.ask(DEAD) == [0, 1]
        assert servers.ask() == [0]


def test_a_dead_server_is_skipped_for_growing_pauses(caplog: pytest.LogCaptureFixture) -> None:
    servers = TwoServers()
    servers.kill()
    for pause in (1.0, 2.0, 4.0):
        assert servers.ask(DEAD) == [1]
        servers.clock.now += pause - 0.1
        assert servers.ask(DEAD) == [1]
        servers.clock.now += 0.1
        assert servers.ask(DEAD) == [0, 1]
    servers.clock.now += 8
    assert servers.ask() == servers.ask() == [0]
    servers.kill()
    servers.clock.now += 1
    assert servers.ask() == [0]
    assert caplog.messages == ["skipping a until it answers again: connection refused", "a answers again"]


def test_after_a_probe_that_hung_the_pause_is_as_long_as_the_probe() -> None:
    servers, tried = TwoServers(), list[int]()
    servers.kill()
    servers.clock.now += 1
    with servers.spread.try_server([0, 1], tried):
        servers.clock.now += 600
        raise DEAD
    servers.clock.now += 599
    assert servers.ask(DEAD) == [1]
    servers.clock.now += 1
    assert servers.ask() == [0]


@pytest.mark.parametrize("error", [None, DEAD, asyncio.CancelledError(), CallError("HTTP 400")])
def test_one_call_at_a_time_probes_a_dead_server(error: BaseException | None) -> None:
    servers = TwoServers()
    servers.kill()
    servers.clock.now += 1
    probe = servers.spread.try_server([0, 1], [])
    assert probe.__enter__() == 0
    assert servers.ask() == [1]
    is_answer = error is None or isinstance(error, CallError)
    assert bool(probe.__exit__(type(error) if error else None, error, None)) is (error is DEAD)
    assert servers.ask() == ([0] if is_answer else [1])
    servers.clock.now += 2
    assert servers.ask() == [0]


def request_about(passage: int, question: int = 0) -> Any:
    return request(f"[[ ## passage ## ]]\n[1] Passage {passage} on galaxies.\n\nQuestion {question}?")


def passages_of(server: StandIn) -> set[str]:
    return {body["messages"][-1]["content"].partition("\n\n")[0] for body in server.bodies}


async def test_all_calls_of_a_passage_go_to_one_server() -> None:
    with StandIn(brain) as one, StandIn(brain) as two, StandIn(brain) as three:
        async with openai_model(one, two, three) as model:
            assert model.endpoint == f"{one.openai_base}, {two.openai_base}, {three.openai_base}"
            for passage in range(40):
                for question in range(2):
                    assert (await ask(model, request_about(passage, question))).text == ANSWER
    servers = (one, two, three)
    assert sum(len(passages_of(server)) for server in servers) == 40
    assert all(len(server.calls) == 2 * len(passages_of(server)) > 0 for server in servers)


async def test_no_call_is_lost_while_all_servers_are_down() -> None:
    retry = RetryPolicy(first_wait=0.001, max_wait=0.01, patience=30)
    with StandIn(brain) as one, StandIn(brain) as two:
        pass
    async with openai_model(one, two, retry=retry) as model:
        with metered() as meter:
            calls = [asyncio.create_task(ask(model, request_about(passage))) for passage in range(8)]
            while meter.spent.faults.get("connection", 0) < 50:
                await asyncio.sleep(0.001)
            with StandIn(brain, port=two.port) as restarted:
                assert {answer.text for answer in await asyncio.gather(*calls)} == {ANSWER}
        assert len(restarted.calls) == 8


@pytest.mark.parametrize(("fault", "error"), [("401", AccessDenied), ("404", UnknownModel), ("402", FatalError)])
async def test_a_server_that_rejects_all_calls_is_skipped_unless_all_do(
    fault: str, error: type[BackendError], caplog: pytest.LogCaptureFixture
) -> None:
    rejects_all = FaultPlan(rate=1, kinds=[fault])
    with StandIn(brain) as one, StandIn(brain, faults=rejects_all, api_key=KEY) as two:
        async with openai_model(one, two, retry=NO_RETRIES) as model:
            answers = await asyncio.gather(*(ask(model, request_about(passage)) for passage in range(16)))
            assert {answer.text for answer in answers} == {ANSWER}
            assert len(one.calls) == 16 > len(two.calls)
            [warning] = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
            assert warning.startswith(f"skipping {two.openai_base} until it answers again: HTTP {fault}")
            one.faults = FaultPlan(script=["500"] * len(one.calls) + ["500"])
            with pytest.raises(TransientError):  # two may come back
                await ask(model, request_about(0))
            one.faults = rejects_all
            with pytest.raises(error, match=rf"(?:{one.openai_base}|{two.openai_base}): HTTP {fault}") as caught:
                await ask(model, request_about(0))
    assert KEY not in f"{warning} {caught.value!r}"
