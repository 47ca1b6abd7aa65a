"""Invariants of `optimize.compile --push-to-hub`, against a server that stands in for the Hub.

1. A compilation is pushed as program.json and its report as the card, with model and licences in the header, and nothing
   else; what comes back from the Hub is the program that was written, at a revision too.
2. A finished folder is pushed without asking anything.
3. What the Hub refuses is one line and exit code 2: before anything is asked where the token is none, and else with the
   whole compilation in its folder.
4. (A name that no repository can have is refused: tests/optimize/test_compile_ends.py.)
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from optimize.hub import base_model
from programs.compiled import program_fingerprint
from programs.errors import UserError
from programs.tracer import load_tracer
from tests.inputs.hub import SHA, hub
from tests.lab import passage
from tests.optimize.compiling import Shop, workshop

PUSHED = {"optimizer": "bootstrap", "stage": "hypotheses", "push_to_hub": "lab/tuned"}
LICENCES = ("CC BY 4.0", "https://creativecommons.org/licenses/by/4.0/", "secret")


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "none"))
    monkeypatch.setenv("HF_TOKEN", "right")
    with workshop(tmp_path, weak="hypotheses") as shop:
        (passages,) = map(Path, shop.base["trainset"])
        given = [{"text": passage(number), "license": LICENCES[number % 3]} for number in range(24)]
        passages.write_text("".join(f"{json.dumps(line)}\n" for line in given))
        shop.lucky_in_training()
        yield shop


def test_what_is_pushed_comes_back(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    files: dict[str, bytes] = {}
    with hub(files, "lab/tuned", kind="", token="right") as address:
        monkeypatch.setenv("HF_ENDPOINT", address)
        assert f"pushed to {address}/lab/tuned; a new repository is private" in shop.made(**PUSHED)
        assert set(files) == {"program.json", "README.md"}
        header, text = files["README.md"].decode().removeprefix("---\n").split("---\n", 1)
        assert text.startswith(shop.text)
        assert f"{shop.report['proof']['composite']['after']:.3f}" in text
        licences = shop.report["data"]["train"]["licences"]
        assert sum(licences.values()) == 2
        known = sorted({"other" if name == "secret" else name for name in licences})
        assert yaml.safe_load(header) == {
            "library_name": "dspy",
            "license": known if known[1:] else known[0],
            "tags": ["dspy", "synthreasoner", "bootstrap"],
        }
        assert all(f"{name} ({texts})" in text for name, texts in licences.items())
        written = program_fingerprint(load_tracer(shop.output))
        for name in ("hf://lab/tuned", f"hf://lab/tuned@{SHA}"):
            assert program_fingerprint(load_tracer(name)) == written
        with pytest.raises(UserError, match=r"lab/nothing/program\.json: there is no such repository"):
            load_tracer("hf://lab/nothing")

        asked = shop.calls
        files.clear()
        assert shop.compile(**PUSHED).returncode == 0
        assert (shop.calls, set(files)) == (asked, {"program.json", "README.md"})


def test_a_hub_that_refuses_is_one_line(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    with hub({}, "lab/tuned", kind="", token="other") as address:
        monkeypatch.setenv("HF_ENDPOINT", address)
        done = shop.compile(**PUSHED)
        assert (done.returncode, shop.calls) == (2, 0)
        assert done.stderr == "error: --push-to-hub lab/tuned: answered 401: set HF_TOKEN to a token that may do this\n"
        monkeypatch.delenv("HF_TOKEN")
        assert "a token that may write is needed: set HF_TOKEN" in shop.compile(**PUSHED).stderr
        assert shop.calls == 0
        monkeypatch.setenv("HF_TOKEN", "right")
        monkeypatch.setattr("optimize.hub.check_token", lambda _repository: None)
        done = shop.compile(**PUSHED)
    said = "error: --push-to-hub lab/tuned: answered 401: You may not write here; the compilation"
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert done.stderr.startswith(said)
    assert (shop.output / "program.json").is_file()
    assert shop.compile(**PUSHED).stderr.startswith(f"error: --push-to-hub lab/tuned: {address} cannot be reached; ")


@pytest.mark.parametrize(
    ("model", "repository"),
    [
        ("openai/Qwen/Qwen3-32B", "Qwen/Qwen3-32B"),
        ("openai/qwen3", None),
        ("embedded:lab/model-GGUF/model.gguf", "lab/model-GGUF"),
        ("embedded:/home/jdoe/models/model.gguf", None),
        ("embedded:qwen2.5-coder-1.5b", "Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF"),
        ("embedded:smollm2-135m", None),
    ],
)
def test_the_base_model_is_named_where_it_is_of_the_hub(model: str, repository: str | None) -> None:
    assert base_model(model) == repository
