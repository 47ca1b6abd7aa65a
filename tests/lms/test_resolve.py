"""From names to models, and from a user's mistakes to one clear line."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

from programs.errors import UserError
from programs.lms.resolve import resolve
from tests.lms.asking import KEY, USER

ARGO = {"ARGO_USER": USER}


@pytest.mark.parametrize("name", ["gpt5", "gpto3", "claudesonnet45", "gpt-5", "o3"])
def test_a_bare_name_is_on_argo(name: str) -> None:
    model = resolve(name, env=ARGO, temperature=0.7, max_tokens=10)
    assert model.backend is not None
    assert (model.backend.name, model.backend.model) == ("argo", name)
    assert model.endpoint == "https://apps.inside.anl.gov/argoapi"
    assert USER not in repr(model)


@pytest.mark.parametrize("name", ["openai/gpt-5", "openai/o3", "openai/openai/gpt-5", "openai/meta/llama"])
def test_an_openai_name(name: str) -> None:
    model = resolve(name, env={"OPENAI_API_KEY": KEY}, temperature=0.7, max_tokens=10)
    assert model.backend is not None
    assert model.backend.model == name.removeprefix("openai/")
    assert KEY not in repr(model)


def test_a_model_without_sampling_gets_no_temperature() -> None:
    assert resolve("gpt5", env=ARGO, temperature=0.7).lm.kwargs.get("temperature") is None
    assert resolve("gpt41", env=ARGO, temperature=0.7).lm.kwargs["temperature"] == 0.7


@pytest.mark.parametrize("name", ["anthropic/claude-sonnet-4-5", "groq/llama", "azure/gpt-5"])
def test_other_providers_go_to_dspy(name: str) -> None:
    model = resolve(name, env={}, temperature=0.7, max_tokens=10)
    assert (model.lm.model, model.backend, model.lm.num_retries, model.lm.cache) == (name, None, 8, False)
    assert model.takes_sampling is (name != "azure/gpt-5")
    assert model.endpoint == name.split("/")[0]


def test_a_dspy_endpoint_shows_no_password() -> None:
    assert resolve("groq/x", env={}, api_base="https://me:pass-word@host/v1").endpoint == "https://host/v1"


@pytest.mark.parametrize(
    ("name", "env", "says"),
    [
        ("gpt41", {}, "ARGO_USER"),
        ("gpt41", {"ARGO_USER": "  "}, "ARGO_USER"),
        ("gpt41", {"ARGO_USER": "j\ndoe"}, "ARGO_USER"),
        ("gpt41", {**ARGO, "ARGO_API": "soap"}, "native or legacy"),
        ("gpt41", {**ARGO, "ARGO_BASE_URL": "argo"}, "API base"),
        ("embeded", ARGO, "did you mean 'embedded'"),
        ("Embedded", ARGO, "did you mean 'embedded'"),
        ("embeded:x.gguf", ARGO, "did you mean 'embedded'"),
        ("embedded:/no/such.gguf", {}, "no such file"),
        ("embedded:", {}, "no such file"),
        ("openai/m", {}, "OPENAI_BASE_URL"),
        ("openai/", {"OPENAI_API_KEY": KEY}, "not whole"),
        ("", {}, "not whole"),
    ],
)
def test_mistakes(name: str, env: dict[str, str], says: str) -> None:
    with pytest.raises(UserError, match=says) as caught:
        resolve(name, env=env)
    assert "\n" not in str(caught.value)


def test_the_package_imports_nothing() -> None:
    importlib.import_module("programs.lms")
    code = "import sys, programs.lms, programs.errors; sys.exit('dspy' in sys.modules or 'httpx' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
