"""Invariants of `--api-base` (`programs.lms.addresses`).

1. A model is asked at the addresses that name it; only where none does, at those that name nobody.
2. A URL is never taken for a name, whatever is in its query; a name may hold anything but "=" and "://".
3. An address of a model that the run does not use is a mistake, and said in one line.
4. What a record may show of an address has no credentials.
5. A writer and a judge of one run are each asked on their own server.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from programs.asking.models import ModelTable
from programs.errors import UserError
from programs.lms.addresses import Address, address_of, bases_of
from programs.settings import Settings
from tests.lab import Lab, write_passages
from tests.standin.scientist import Scientist
from tests.standin.server import StandIn

HERE, THERE, ELSEWHERE = "http://a:1/v1", "http://b:2/v1", "http://c:3/v1"
NAMES = st.text(st.characters(codec="utf-8", exclude_characters="=", categories=("L", "N", "P")), min_size=1).filter(
    lambda name: "://" not in name
)


def test_1_named_addresses_come_first() -> None:
    given = [HERE, f"openai/judge={THERE}", f"openai/judge={ELSEWHERE}"]
    assert bases_of("openai/judge", given) == [THERE, ELSEWHERE]
    assert bases_of("openai/writer", given) == [HERE]
    assert bases_of("gpt41", given[1:]) == []


@given(NAMES, st.sampled_from([HERE, f"{HERE}?key=1", "https://u:p=q@h/v1?a=b=c"]))
def test_2_names_and_urls_are_told_apart(name: str, url: str) -> None:
    assert address_of(url) == Address(None, url)
    assert address_of(f"{name}={url}") == Address(name, url)


def test_3_an_address_for_nobody_is_a_mistake() -> None:
    settings = Settings(model="openai/writer", api_base=[HERE, f"openai/juge={THERE}"])
    with pytest.raises(UserError, match="'openai/juge' is none of the models in use: openai/writer"):
        ModelTable(settings, {})


def test_4_what_is_shown_has_no_credentials() -> None:
    assert address_of("openai/judge=http://me:secret@b:2/v1").public == f"openai/judge={THERE}"
    assert address_of("http://me:secret@b:2/v1").public == THERE


def test_5_each_model_is_asked_on_its_own_server(tmp_path: Path) -> None:
    with StandIn(Scientist()) as writers, StandIn(Scientist()) as judges:
        base = {
            "model": "openai/writer",
            "judge_models": ["openai/judge"],
            "quality_check": True,
            "api_base": [writers.openai_base, f"openai/judge={judges.openai_base}"],
            "input_file": [str(write_passages(tmp_path / "passages.jsonl", range(1)))],
            "timeout": 10.0,
            "patience": 5.0,
            "retry_wait": 0.01,
        }
        lab = Lab(tmp_path, writers, Scientist(), base)
        assert lab.run(output=str(tmp_path / "out.json"), max_traces=1).status == "completed"
        assert {body["model"] for body in writers.bodies} == {"writer"}
        assert {body["model"] for body in judges.bodies} == {"judge"}
