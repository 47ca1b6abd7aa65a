"""Names and addresses are resolved to models, and a user's mistakes to errors of one line.

1. A model's calls go to the addresses that name it or, if there is none, to those that name no model.
2. A URL is never taken for a model's name, whatever its query; a name may contain anything except "=" and "://".
3. What is shown of a model or an address contains no credentials.
"""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from programs.asking.models import ModelTable
from programs.errors import UserError
from programs.lms.addresses import Address, address_of, bases_of
from programs.lms.resolve import openai_compatible, resolve
from programs.settings import Settings
from tests.lab import KEY, USER

ARGO = {"ARGO_USER": USER}
OPENAI = {"OPENAI_API_KEY": KEY}
URL_A, URL_B, URL_C = "http://a:1/v1", "http://b:2/v1", "http://c:3/v1"


@pytest.mark.parametrize("name", ["gpt5", "gpto3", "claudesonnet45", "gpt-5", "openai/gpt-5", "openai/openai/meta/x"])
def test_a_bare_name_is_on_argo_and_one_with_openai_on_an_openai_server(name: str) -> None:
    model = resolve(name, env={**ARGO, **OPENAI}, temperature=0.7, max_tokens=10)
    kind, bare = ("openai", name[7:]) if name.startswith("openai/") else ("argo", name)
    [server] = model.engine.servers
    assert (server.name, server.model) == (kind, bare)
    assert USER not in repr(model)
    assert KEY not in repr(model)


@pytest.mark.parametrize("name", ["anthropic/claude-sonnet-4-5", "groq/llama", "azure/gpt-5"])
def test_other_providers_are_called_through_dspy(name: str) -> None:
    model = resolve(name, env={}, temperature=0.7, max_tokens=10, api_base="https://me:pass-word@host/v1")
    [server] = model.engine.servers
    assert (server.name, server.model) == ("dspy", name)
    assert ("temperature" in model.options) is (name != "azure/gpt-5")
    assert model.endpoint == "https://host/v1"


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("gpt41", {}, "ARGO_USER"),
        ("gpt41", {"env": {"ARGO_USER": "j\ndoe"}}, "ARGO_USER"),
        ("gpt41", {"env": {**ARGO, "ARGO_API": "soap"}}, "native or legacy"),
        ("Embedded", {"env": ARGO}, "did you mean 'embedded'"),
        ("embeded:x.gguf", {"env": ARGO}, "did you mean 'embedded'"),
        ("embedded", {"api_base": URL_A}, "leave out --api-base"),
        ("openai/m", {}, "OPENAI_BASE_URL"),
        ("openai/", {"env": OPENAI}, "is incomplete"),
        ("", {}, "is incomplete"),
        ("openai/x", {"api_base": ["http://me:pass-word@a/v1", "http://a/v1/"]}, "is given twice"),
        ("openai/x", {"api_base": "me:pass-word@host:8000/v1"}, "API base 'host:8000/v1'"),
        ("openai/x", {"api_base": "http:/me:pass-word@host"}, "API base 'host'"),
        ("openai/x", {"api_base": "ftp://host"}, "API base"),
        ("openai/x", {"api_base": "http://host:80a/v1"}, "API base is not a URL"),
        ("openai/x", {"api_base": "http://me:pass-word@"}, "API base"),
    ],
)
def test_a_mistake_is_one_line_without_credentials(name: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message) as caught:
        resolve(name, **{"env": {}, **options})
    assert "\n" not in str(caught.value)
    assert "pass-word" not in str(caught.value)


def test_a_password_in_the_address_is_sent_as_basic_authorization() -> None:
    server = openai_compatible("m", api_base="http://me:pass-word@host", env={})
    assert server.headers.items() >= {"Authorization": "Basic bWU6cGFzcy13b3Jk"}.items()


def test_1_addresses_that_name_the_model_are_preferred() -> None:
    addresses = [URL_A, f"openai/judge={URL_B}", f"openai/judge={URL_C}"]
    assert bases_of("openai/judge", addresses) == [URL_B, URL_C]
    assert bases_of("openai/writer", addresses) == [URL_A]
    assert bases_of("gpt41", addresses[1:]) == []


CHARACTERS = st.characters(codec="utf-8", exclude_characters="=", categories=("L", "N", "P"))
NAMES = st.text(CHARACTERS, min_size=1).filter(lambda name: "://" not in name)


@given(NAMES, st.sampled_from([URL_A, f"{URL_A}?key=1", "https://u:p=q@h/v1?a=b=c"]))
def test_2_names_and_urls_are_told_apart(name: str, url: str) -> None:
    assert address_of(url) == Address(None, url)
    assert address_of(f"{name}={url}") == Address(name, url)


def test_an_address_for_an_unused_model_is_a_mistake() -> None:
    settings = Settings(model="openai/writer", api_base=[URL_A, f"openai/juge={URL_B}"])
    with pytest.raises(UserError, match="'openai/juge' is not among the models in use: openai/writer"):
        ModelTable.of_run(settings)
