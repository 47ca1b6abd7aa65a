"""One server: what is learned about it, which of its refusals are final, and what its replies cannot do.

1. A parameter or response format that the server rejects is not sent again.
2. If the server has answered before, a refusal that is not JSON is taken for a proxy's and retried, and a 403 refuses only
   its own call. Otherwise a refusal is final, a 403 once it is repeated.
3. The environment's proxy is used, and no .netrc; an untrusted certificate is reported as such.
4. No reply fills the memory or brings control characters.
5. A machine that disappears without closing the connection is noticed.
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
from tests.lms.asking import ANSWER, FORMAT, NO_RETRIES, ask, brain, openai_model, request, serving
from tests.standin.faults import FaultPlan
from tests.standin.server import StandIn


@pytest.mark.parametrize(("formats", "refusals"), [("all", 0), ("json_object", 1), ("none", 2)])
async def test_a_rejected_response_format_is_replaced_by_a_simpler_one(formats: str, refusals: int) -> None:
    async with serving(formats=formats) as (server, model):
        with metered() as meter:
            answers = [(await ask(model, request(response_format=FORMAT))).text for _ in range(2)]
        assert model.lm.supports_response_schema is (formats == "all")
    assert answers == [ANSWER, ANSWER]
    assert len(server.calls) == refusals + 2
    assert meter.spent.faults.get("schema", 0) == refusals


async def test_a_rejected_parameter_is_not_sent_again(caplog: pytest.LogCaptureFixture) -> None:
    rejected = {"max_tokens": "Unsupported parameter: 'max_tokens'", "seed": "unknown field `seed`"}
    async with serving(rejected_parameters=rejected) as (server, model):
        with metered() as meter:
            for _ in range(3):
                await ask(model, request(max_tokens=9, seed=1, temperature=0.5))
    assert meter.spent.faults == {"max_tokens": 1, "seed": 1}
    sent = [sorted(body.keys() - {"model", "messages"}) for body in server.bodies[2:]]
    assert sent == [["max_completion_tokens", "temperature"]] * 3
    [warning] = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert warning.endswith(" does not accept max_tokens, seed, which will not be sent again")


@pytest.mark.parametrize(
    ("fault", "error"), [("page401", AccessDenied), ("page404", UnknownModel), ("401", AccessDenied)]
)
async def test_a_refusal_before_any_answer_is_final(fault: str, error: type[Exception]) -> None:
    async with serving(faults=FaultPlan(script=[fault])) as (server, model):
        with pytest.raises(error):
            await ask(model)
    assert len(server.calls) == 1


@pytest.mark.parametrize("fault", ["page401", "page404"])
async def test_an_error_page_of_a_server_that_has_answered_is_retried(fault: str) -> None:
    async with serving(faults=FaultPlan(script=[None, fault])) as (server, model):
        for _ in range(2):
            assert (await ask(model)).text == ANSWER
    assert len(server.calls) == 3


@pytest.mark.parametrize("answered", [True, False])
async def test_a_403_refuses_one_call_if_the_server_has_answered_before(answered: bool) -> None:
    plan = FaultPlan(script=[None, *["403", "forbidden200"] * 10][0 if answered else 1 :])
    refused = 20 if answered else server_module.MAX_INITIAL_403S - 1
    async with serving(faults=plan, models=[("Any", "any")]) as (_server, model):
        # A list of models does not count as an answer, since it may need no key.
        assert await (ask(model) if answered else model.engine.list_models())
        for _ in range(refused):
            with pytest.raises(CallError, match="403"):
                await ask(model)
        if not answered:
            with pytest.raises(AccessDenied, match="403"):
                await ask(model)


async def test_a_rejected_system_message_is_put_into_the_users_message() -> None:
    async with serving(rejected_parameters={"system": "System role not supported"}) as (server, model):
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
        async with openai_model(api_base="http://far.test/v1", retry=NO_RETRIES) as model:
            assert (await ask(model)).text == ANSWER
    assert proxy_for("http://direct.test/v1") is proxy_for("http://127.0.0.1:80/v1") is None


@pytest.mark.skipif(shutil.which("openssl") is None, reason="makes its certificate with openssl")
async def test_an_untrusted_certificate_is_reported(tmp_path: Path) -> None:
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    openssl = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    subprocess.run([*openssl, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    async with serving(NO_RETRIES, tls=context) as (_server, model):
        with pytest.raises(ConnectionFailed, match=r"https://127.*certificate.*SSL_CERT_FILE"):
            await ask(model)


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
async def test_a_reply_that_is_too_large_is_an_error(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "MAX_REPLY_BYTES", 100_000)
    async with serving(NO_RETRIES, brain=lambda _: ANSWER + " " * 300_000, compresses=encoding == "gzip") as (_, model):
        with pytest.raises(InvalidReply, match="larger than"):
            await ask(model)


async def test_keepalive_probes_are_sent_while_a_call_waits() -> None:
    """The kernel's keepalive timer (02 in /proc/net/tcp) runs for the connection, and expires soon."""
    async with serving(latency=1.0) as (server, model):
        call = asyncio.create_task(ask(model))
        timer, ticks = "00", "0"
        while timer != "02" and not call.done():
            await asyncio.sleep(0.01)
            for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
                _, _, remote, state, _, timer_field, *_ = line.split()
                if (int(remote[-4:], 16), state) == (server.port, "01"):
                    timer, ticks = timer_field.split(":")
        assert timer == "02"
        assert int(ticks, 16) <= 100 * KEEPALIVE_SECONDS, "in hundredths of a second; the default is two hours"
        await call


async def test_control_characters_of_a_server_are_removed() -> None:
    names = [("a\x1b[31m[/INST]", "b\x07")]
    async with serving(models=names, rejected_parameters={"model": "no \x1b]0;x\x07 [/INST] \u202e"}) as (_, model):
        [name] = await model.engine.list_models()
        with pytest.raises(BackendError) as caught:
            await ask(model)
    shown = f"{name.id}{name.request_name}{caught.value}"
    assert not [character for character in shown if not character.isprintable()]
