"""The engine and one server over real sockets: faults, retries, limits, accounts, copies, loops, and what is learnt.

A server that has answered is known: a page with a refusal is then a proxy's, and is tried again; before that, and in JSON,
a refusal is meant. What a server says it does not take it is not sent again.
"""

from __future__ import annotations

import asyncio
import copy
import shutil
import socket
import ssl
import subprocess
import threading
from pathlib import Path
from typing import Any

import dspy
import pytest

from optimize.compilation import in_threads
from programs.errors import (
    AccessDenied,
    BackendError,
    CallError,
    ContextTooLong,
    RateLimited,
    TransientError,
    Truncated,
    UnknownModel,
)
from programs.lms import server as server_module
from programs.lms.engine import DSPYS_ACALL
from programs.lms.failures import EmptyAnswer, NotAnAnswer, NotConnected, backend_error
from programs.lms.meter import metered
from programs.lms.resolve import Model, resolve
from programs.lms.server import proxy_for
from programs.lms.wire import reasoning_of
from tests.lms.asking import ANSWER, FORMAT, KEY, ONCE, QUICK, ask, brain, openai_model, request
from tests.standin.faults import FaultPlan
from tests.standin.server import StandIn

FAULTS = {
    "500": (TransientError, "500"),
    "503": (TransientError, "503"),
    "408": (TransientError, "408"),
    "429": (RateLimited, "429"),
    "html": (NotAnAnswer, "not an answer"),
    "reset": (NotConnected, "connection"),
    "empty": (EmptyAnswer, "empty"),
    "null": (EmptyAnswer, "empty"),
    "error200": (NotAnAnswer, "not an answer"),
    "overloaded200": (NotAnAnswer, "not an answer"),
    "401": (AccessDenied, "AccessDenied"),
    "404": (UnknownModel, "UnknownModel"),
    "418": (CallError, "CallError"),
    "truncated": (Truncated, "Truncated"),
    "context": (ContextTooLong, "ContextTooLong"),
}


async def test_an_answer_and_its_account() -> None:
    with StandIn(brain, api_key=KEY, reasoning="because") as server:
        async with openai_model(server) as model:
            with metered() as meter:
                response = await ask(model)
    assert response.message.parts[-1].text == ANSWER
    assert reasoning_of(response) == meter.reasoning == "because"
    assert (meter.attempts, meter.prompt_tokens, meter.completion_tokens, meter.cached_tokens) == (1, 6, 5, 3)
    assert (meter.finish_reason, not meter.faults, meter.seconds > 0) == ("stop", True, True)


@pytest.mark.parametrize("fault", FAULTS)
async def test_each_fault_has_its_class_and_kind_and_shows_no_secret(fault: str) -> None:
    error, kind = FAULTS[fault]
    with StandIn(brain, faults=FaultPlan(script=[fault]), api_key=KEY) as server:
        async with openai_model(server, retry=ONCE) as model:
            with metered() as meter, pytest.raises(BackendError) as caught:
                await ask(model)
    assert type(caught.value) is error
    assert meter.faults == {kind: 1}
    assert meter.attempts == len(server.calls) == 1
    if fault == "truncated":  # What is of no use is paid for, too.
        assert (meter.prompt_tokens, meter.finish_reason) == (6, "length")
    assert KEY not in f"{caught.value!r} {caught.value.__cause__!r}"
    assert server.surprises == []


@pytest.mark.parametrize("fault", ["hang", "dribble"])
async def test_a_server_that_keeps_us_waiting_times_out(fault: str) -> None:
    with StandIn(brain, faults=FaultPlan(script=[fault])) as server:
        async with openai_model(server, timeout=0.5) as model:
            with metered() as meter:
                assert (await ask(model)).text == ANSWER
    assert meter.faults == {"timeout": 1}


async def test_no_server() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    model = resolve("openai/x", api_base=f"http://me:pass-word@127.0.0.1:{port}", retry=ONCE, env={})
    with metered() as meter, pytest.raises(NotConnected, match="not reachable") as caught:
        await ask(model)
    assert meter.faults == {"connection": 1}
    assert "pass-word" not in str(caught.value)
    await model.aclose()


async def test_retry_after_is_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []

    async def remembers(seconds: float) -> None:
        waits.extend([seconds] if seconds else [])  # the stand-in's own latency is 0

    monkeypatch.setattr("asyncio.sleep", remembers)
    with StandIn(brain, faults=FaultPlan(script=["429", "503"]), retry_after="7") as server:
        async with openai_model(server) as model:
            await ask(model)
    assert len(waits) == 2
    assert all(7 <= wait <= 7.7 for wait in waits)


async def test_an_unknown_model_is_told_its_neighbours_asked_once() -> None:
    with StandIn(brain, models=[("Any 2", "any2"), ("Other", "zzz")]) as server:
        async with openai_model(server) as model:
            for _ in range(2):
                with pytest.raises(UnknownModel, match=r"nearest names: any2\)"):
                    await ask(model)
    assert server.model_lists == 1


async def test_many_at_once() -> None:
    plan = FaultPlan(share=0.3, kinds=["500", "429", "html", "reset", "empty", "error200"], seed=4)
    # Long enough for a busy machine to send them all before the first is answered.
    with StandIn(brain, latency=0.5, faults=plan) as server:
        async with openai_model(server, timeout=20) as model:
            with metered() as meter:
                answers = await asyncio.gather(*(ask(model) for _ in range(150)))
    assert {answer.text for answer in answers} == {ANSWER}
    assert server.peak > 100
    assert meter.attempts == len(server.calls) == 150 + sum(meter.faults.values())


def test_many_threads_at_once() -> None:
    with StandIn(brain, faults=FaultPlan(share=0.3, kinds=["500", "reset"], seed=4), latency=0.1) as server:
        model = resolve("openai/any", api_base=server.openai_base, retry=QUICK, env={})
        with metered() as meter:
            answers = in_threads(lambda _: model.lm.engine.complete(request()), range(24), 24)
        model.close()
        assert server.peak > 8
    assert {answer.text for answer in answers} == {ANSWER}
    assert meter.attempts == len(server.calls)


def test_each_loop_has_its_own_connections() -> None:
    with StandIn(brain) as server:
        model = resolve("openai/any", api_base=server.openai_base, retry=QUICK, env={})

        async def once() -> None:
            await ask(model)
            await model.aclose()

        asyncio.run(once())
        asyncio.run(once())
        threads = [threading.Thread(target=lambda: asyncio.run(once())) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(server.calls) == 5


async def test_a_cancelled_call_leaves_the_engine_usable() -> None:
    with StandIn(brain, faults=FaultPlan(script=["hang"])) as server:
        async with openai_model(server) as model:
            task = asyncio.create_task(ask(model))
            while not server.calls:
                await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert (await ask(model)).text == ANSWER


async def test_a_copied_program_shares_its_engines() -> None:
    with StandIn(brain) as server:
        async with openai_model(server) as model:
            program = dspy.Predict("question -> answer")
            program.set_lm(model.lm)
            copied = copy.deepcopy(program)
            with dspy.context(adapter=dspy.JSONAdapter()):
                assert (await copied.acall(question="galaxies?")).answer == "Galaxies recede from us."
                assert (await asyncio.to_thread(copied, question="galaxies?")).answer == "Galaxies recede from us."
            assert copied.lm._async_engine_spec is model.engine
    assert server.bodies[0]["response_format"]["type"] == "json_schema"


@pytest.mark.parametrize("how", ["sync", "async"])
async def test_dspy_hands_our_error_through(how: str) -> None:
    with StandIn(brain, faults=FaultPlan(share=1, kinds=["401"]), api_key=KEY) as server:
        async with openai_model(server) as model:
            program = dspy.Predict("question -> answer")
            with dspy.context(lm=model.lm, adapter=dspy.JSONAdapter()), pytest.raises(Exception, match="401") as caught:
                await (asyncio.to_thread(program, question="x") if how == "sync" else program.acall(question="x"))
    assert isinstance(backend_error(caught.value), AccessDenied)
    assert KEY not in str(caught.value)


@pytest.mark.parametrize(("formats", "refusals"), [("all", 0), ("json_object", 1), ("none", 2)])
async def test_a_server_that_refuses_a_form_is_asked_for_less(formats: str, refusals: int) -> None:
    with StandIn(brain, formats=formats) as server:
        async with openai_model(server) as model:
            with metered() as meter:
                answers = [(await ask(model, request(response_format=FORMAT))).text for _ in range(2)]
            assert model.lm.supports_response_schema is (formats == "all")
    assert answers == [ANSWER, ANSWER]
    assert meter.attempts == len(server.calls) == refusals + 2
    assert meter.faults.get("schema", 0) == refusals


async def test_a_parameter_that_is_refused_is_not_sent_again(caplog: pytest.LogCaptureFixture) -> None:
    with StandIn(
        brain, refuses={"max_tokens": "Unsupported parameter: 'max_tokens'", "seed": "unknown field `seed`"}
    ) as server:
        async with openai_model(server) as model:
            with metered() as meter:
                for _ in range(3):
                    await ask(model, request(max_tokens=9, seed=1, temperature=0.5))
    assert meter.faults == {"max_tokens": 1, "seed": 1}
    assert [sorted(body.keys() - {"model", "messages"}) for body in server.bodies[2:]] == [
        ["max_completion_tokens", "temperature"]
    ] * 3
    assert [
        record.getMessage().partition(" does ")[2] for record in caplog.records if record.levelname == "WARNING"
    ] == ["not take max_tokens, seed, and is not sent it again"]


async def test_a_call_that_is_refused_anyway_teaches_nothing() -> None:
    with StandIn(brain, formats="json_object", models=[("x", "other")]) as server:
        async with openai_model(server) as model:
            with pytest.raises(UnknownModel):
                await ask(model, request(response_format=FORMAT))
            server.models, server.formats = None, "all"
            await ask(model, request(response_format={"type": "json_object"}))
            await ask(model, request(response_format=FORMAT))
    assert server.bodies[-1]["response_format"]["type"] == "json_schema"


@pytest.mark.parametrize(
    ("kind", "error"), [("page401", AccessDenied), ("page404", UnknownModel), ("401", AccessDenied)]
)
async def test_a_refusal_at_first_is_final(kind: str, error: type[Exception]) -> None:
    with StandIn(brain, faults=FaultPlan(script=[kind])) as server:
        async with openai_model(server) as model:
            with pytest.raises(error):
                await ask(model)
    assert len(server.calls) == 1


async def listed(model: Model) -> None:
    assert model.engine is not None
    assert await model.engine.list_models()


@pytest.mark.parametrize("kind", ["page401", "page404"])
@pytest.mark.parametrize("first", [ask, listed])
async def test_a_page_from_before_a_known_server_is_tried_again(kind: str, first: Any) -> None:
    plan = FaultPlan(script=[None, kind] if first is ask else [kind])
    with StandIn(brain, faults=plan, models=[("Any", "any")]) as server:
        async with openai_model(server) as model:
            await first(model)
            assert (await ask(model)).text == ANSWER
    assert len(server.calls) == (3 if first is ask else 2)


@pytest.mark.parametrize("answered", [True, False])
async def test_a_403_refuses_one_call_unless_it_is_all_that_ever_came(answered: bool) -> None:
    """Whether it comes with its status or inside a 200."""
    plan = FaultPlan(script=[None, *["403", "forbidden200"] * 10][0 if answered else 1 :])
    refused = 20 if answered else server_module.REFUSED_AT_FIRST - 1
    with StandIn(brain, faults=plan) as server:
        async with openai_model(server) as model:
            if answered:
                await ask(model)
            for _ in range(refused):
                with pytest.raises(CallError, match="403"):
                    await ask(model)
            if not answered:
                with pytest.raises(AccessDenied, match="403"):
                    await ask(model)


async def test_a_server_without_a_system_role_is_told_in_the_users_message() -> None:
    with StandIn(brain, refuses={"system": "System role not supported"}) as server:
        async with openai_model(server) as model:
            for _ in range(2):
                assert (await ask(model)).text == ANSWER
    assert [[message["role"] for message in body["messages"]] for body in server.bodies] == [
        ["system", "user"],
        ["user"],
        ["user"],
    ]
    assert server.bodies[-1]["messages"][0]["content"] == "Be brief.\n\nWhat do galaxies do?"


async def test_netrc_is_not_read_and_the_proxy_of_the_environment_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".netrc").write_text("default login me password pass-word\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    with StandIn(brain) as server:
        for name in ("http_proxy", "HTTP_PROXY"):
            monkeypatch.setenv(name, server.url)
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.setenv(name, "direct.test")
        model = resolve(
            "openai/any", api_base="http://far.test/v1", env={"OPENAI_API_KEY": KEY}, retry=ONCE, timeout=5.0
        )
        assert (await ask(model)).text == ANSWER
        await model.aclose()
    assert proxy_for("http://direct.test/v1") is proxy_for("http://127.0.0.1:80/v1") is None


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate that nobody vouches for, and its key."""
    made, key = folder / "cert.pem", folder / "key.pem"
    asked = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    subprocess.run([*asked, "-keyout", key, "-out", made], check=True, capture_output=True)
    return made, key


@pytest.mark.skipif(shutil.which("openssl") is None, reason="makes its certificate with openssl")
async def test_a_certificate_that_is_not_trusted_is_called_so(tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate(tmp_path))
    with StandIn(brain, tls=context) as server:
        model = resolve("openai/any", api_base=f"https://127.0.0.1:{server.port}/v1", env={}, retry=ONCE)
        with pytest.raises(NotConnected, match=r"certificate of https://127.* is not trusted .*SSL_CERT_FILE"):
            await ask(model)
        await model.aclose()


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
async def test_a_reply_without_end_is_cut_off(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "LARGEST_REPLY", 100_000)
    with StandIn(lambda _body: ANSWER + " " * 300_000, compressed=encoding == "gzip") as server:
        async with openai_model(server, retry=ONCE) as model:
            with pytest.raises(NotAnAnswer, match="larger than"):
                await ask(model)


async def test_control_characters_of_a_server_reach_nobody() -> None:
    names = [("a\x1b[31m[/INST]", "b\x07")]
    with StandIn(brain, models=names, refuses={"model": "no \x1b]0;x\x07 [/INST] \u202e"}) as server:
        async with openai_model(server) as model:
            assert model.engine is not None
            [name] = await model.engine.list_models()
            with pytest.raises(BackendError) as caught:
                await ask(model)
    shown = f"{name.id}{name.internal_id}{caught.value}"
    assert not [sign for sign in shown if not sign.isprintable()]


async def test_a_tracer_that_wraps_dspys_way_sees_every_call(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = list[str]()

    async def wrapped(self: dspy.LM, *args: Any, **options: Any) -> Any:
        seen.append(self.model)
        return await DSPYS_ACALL(self, *args, **options)

    monkeypatch.setattr(dspy.LM, "acall", wrapped)
    with StandIn(brain) as server:
        async with openai_model(server) as model:
            with dspy.context(adapter=dspy.JSONAdapter(), lm=model.lm, disable_history=True):
                assert (await dspy.Predict("question -> answer").acall(question="galaxies?")).answer
    assert seen == [model.lm.model]
