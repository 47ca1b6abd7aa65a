"""One server: what is learnt of it, whose refusals are meant, and what it may not do to us.

1. what it says it does not take is not sent again
2. a server that has answered is known: a page with a refusal is then a proxy's and is tried again; a 403 in JSON, with its
   status or inside a 200, refuses one call, unless it is all that ever came
3. the environment's proxy is used and nobody's .netrc; a certificate that is not trusted is called so
4. no reply fills the memory, and no control character comes through
5. a machine that is gone without a word is noticed
"""

import asyncio
import shutil
import ssl
import subprocess
from pathlib import Path

import pytest

from programs.errors import AccessDenied, BackendError, CallError, UnknownModel
from programs.lms import server as server_module
from programs.lms.failures import ConnectionFailed, InvalidReply
from programs.lms.meter import metered
from programs.lms.server import KEEPALIVE_SECONDS, proxy_for
from tests.lms.asking import ANSWER, FORMAT, ONCE, ask, brain, openai_model, request, served
from tests.standin.faults import FaultPlan
from tests.standin.server import StandIn


@pytest.mark.parametrize(("formats", "refusals"), [("all", 0), ("json_object", 1), ("none", 2)])
async def test_a_server_that_refuses_a_form_is_asked_for_less(formats: str, refusals: int) -> None:
    async with served(formats=formats) as (server, model):
        with metered() as meter:
            answers = [(await ask(model, request(response_format=FORMAT))).text for _ in range(2)]
        assert model.lm.supports_response_schema is (formats == "all")
    assert answers == [ANSWER, ANSWER]
    assert meter.requests == len(server.calls) == refusals + 2
    assert meter.spent.faults.get("schema", 0) == refusals


async def test_a_parameter_that_is_refused_is_not_sent_again(caplog: pytest.LogCaptureFixture) -> None:
    refuses = {"max_tokens": "Unsupported parameter: 'max_tokens'", "seed": "unknown field `seed`"}
    async with served(refuses=refuses) as (server, model):
        with metered() as meter:
            for _ in range(3):
                await ask(model, request(max_tokens=9, seed=1, temperature=0.5))
    assert meter.spent.faults == {"max_tokens": 1, "seed": 1}
    sent = [sorted(body.keys() - {"model", "messages"}) for body in server.bodies[2:]]
    assert sent == [["max_completion_tokens", "temperature"]] * 3
    [warning] = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert warning.endswith(" does not accept max_tokens, seed, which will not be sent again")


@pytest.mark.parametrize(("how", "why"), [("page401", AccessDenied), ("page404", UnknownModel), ("401", AccessDenied)])
async def test_a_refusal_at_first_is_final(how: str, why: type[Exception]) -> None:
    async with served(faults=FaultPlan(script=[how])) as (server, model):
        with pytest.raises(why):
            await ask(model)
    assert len(server.calls) == 1


@pytest.mark.parametrize("kind", ["page401", "page404"])
@pytest.mark.parametrize("listed", [True, False])
async def test_a_page_from_before_a_known_server_is_tried_again(kind: str, listed: bool) -> None:
    plan = FaultPlan(script=[kind] if listed else [None, kind])
    async with served(faults=plan, models=[("Any", "any")]) as (server, model):
        assert await (model.engine.list_models() if listed else ask(model))
        assert (await ask(model)).text == ANSWER
    assert len(server.calls) == (2 if listed else 3)


@pytest.mark.parametrize("answered", [True, False])
async def test_a_403_refuses_one_call_unless_it_is_all_that_ever_came(answered: bool) -> None:
    """Whether it comes with its status or inside a 200."""
    plan = FaultPlan(script=[None, *["403", "forbidden200"] * 10][0 if answered else 1 :])
    refused = 20 if answered else server_module.MAX_INITIAL_403S - 1
    async with served(faults=plan, models=[("Any", "any")]) as (_server, model):
        # That it lists the model is no answer: lists may be free where calls want another key.
        assert await (ask(model) if answered else model.engine.list_models())
        for _ in range(refused):
            with pytest.raises(CallError, match="403"):
                await ask(model)
        if not answered:
            with pytest.raises(AccessDenied, match="403"):
                await ask(model)


async def test_a_server_without_a_system_role_is_told_in_the_users_message() -> None:
    async with served(refuses={"system": "System role not supported"}) as (server, model):
        for _ in range(2):
            assert (await ask(model)).text == ANSWER
    roles = [[message["role"] for message in body["messages"]] for body in server.bodies]
    assert roles == [["system", "user"], ["user"], ["user"]]
    assert server.bodies[-1]["messages"][0]["content"] == "Be brief.\n\nWhat do galaxies do?"


async def test_the_environments_proxy_is_used_and_no_netrc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".netrc").write_text("default login me password pass-word\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    with StandIn(brain) as server:
        for name in ("http_proxy", "HTTP_PROXY"):
            monkeypatch.setenv(name, server.url)
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.setenv(name, "direct.test")
        async with openai_model(api_base="http://far.test/v1", retry=ONCE) as model:
            assert (await ask(model)).text == ANSWER
    assert proxy_for("http://direct.test/v1") is proxy_for("http://127.0.0.1:80/v1") is None


@pytest.mark.skipif(shutil.which("openssl") is None, reason="makes its certificate with openssl")
async def test_a_certificate_that_is_not_trusted_is_called_so(tmp_path: Path) -> None:
    made, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    asked = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    subprocess.run([*asked, "-keyout", key, "-out", made], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made, key)
    async with served(ONCE, tls=context) as (_server, model):
        with pytest.raises(ConnectionFailed, match=r"https://127.*certificate.*SSL_CERT_FILE"):
            await ask(model)


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
async def test_a_reply_without_end_is_cut_off(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "MAX_REPLY_BYTES", 100_000)
    async with served(ONCE, brain=lambda _: ANSWER + " " * 300_000, compressed=encoding == "gzip") as (_server, model):
        with pytest.raises(InvalidReply, match="larger than"):
            await ask(model)


async def test_a_machine_that_says_nothing_is_missed() -> None:
    """The system sends to it while a call waits: a timer of its kind runs, which ends soon."""
    async with served(latency=1.0) as (server, model):
        call = asyncio.create_task(ask(model))
        timer, ticks = "00", "0"
        while timer != "02" and not call.done():
            await asyncio.sleep(0.01)
            for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
                _, _, there, state, _, timed, *_ = line.split()
                if (int(there[-4:], 16), state) == (server.port, "01"):
                    timer, ticks = timed.split(":")
        assert timer == "02"
        assert int(ticks, 16) <= 100 * KEEPALIVE_SECONDS, "in hundredths of a second; by default it is two hours"
        await call


async def test_control_characters_of_a_server_reach_nobody() -> None:
    names = [("a\x1b[31m[/INST]", "b\x07")]
    async with served(models=names, refuses={"model": "no \x1b]0;x\x07 [/INST] \u202e"}) as (_server, model):
        [name] = await model.engine.list_models()
        with pytest.raises(BackendError) as caught:
            await ask(model)
    shown = f"{name.id}{name.request_name}{caught.value}"
    assert not [sign for sign in shown if not sign.isprintable()]
