"""Invariants of `.env`.

1. Its variables are there for the command; what the environment has already stays.
2. Only the working folder's counts. A folder of that name is none, and neither is a missing one.
3. A file that cannot be read or understood is one line and exit code 2, with its name and without a word of its content.
"""

import os
from pathlib import Path

import pytest

from programs.cli.options import load_env_file
from programs.errors import UserError
from tests.lab import USER, called, laboratory


@pytest.fixture
def loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the file is; what it sets is gone after the test."""
    monkeypatch.setattr(os, "environ", {"THERE": "before"})
    return tmp_path / ".env"


def known() -> dict[str, str]:
    """The environment, less what pytest notes in it."""
    return {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}


def test_the_environment_wins(loaded: Path) -> None:
    loaded.write_text(
        "\ufeff# for Argo\nexport NEW='a b'  # said\nTHERE=after\nBOTH=${THERE}-${NEW}\nEMPTY=\n", "utf-8"
    )
    load_env_file(loaded)
    assert known() == {"THERE": "before", "NEW": "a b", "BOTH": "before-a b", "EMPTY": ""}


def test_where_there_is_nothing_or_a_folder_nothing_happens(loaded: Path) -> None:
    load_env_file(loaded)
    loaded.mkdir()
    load_env_file(loaded)
    assert known() == {"THERE": "before"}


WRONG = {b"A=1\nSECRET='half\n": "line 2 is not NAME=value", b"A=sec\0ret\n": "line 1 is not NAME=value"}
WRONG |= {b"A=\xff\xfe\n": "not UTF-8"}


@pytest.mark.parametrize(("content", "said"), WRONG.items())
def test_what_is_no_env_file_is_told(loaded: Path, content: bytes, said: str) -> None:
    loaded.write_bytes(content)
    with pytest.raises(UserError, match=said) as caught:
        load_env_file(loaded)
    assert "half" not in str(caught.value)
    assert "sec" not in str(caught.value)
    assert known() == {"THERE": "before"}


def test_a_command_finds_its_credentials_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = {name: value for name, value in os.environ.items() if not name.startswith(("ARGO", "OPENAI"))}
    monkeypatch.setattr(os, "environ", bare)
    monkeypatch.chdir(tmp_path)
    with laboratory(tmp_path, argo_user=USER) as lab:
        (tmp_path / ".env").write_text(f"ARGO_USER={USER}\nARGO_BASE_URL={lab.server.url}\n")
        done = called(*lab.arguments(model="gpt41", api_base=None, max_traces=1))
        assert done.returncode == 0, done.stderr
        (tmp_path / ".env").unlink()
        assert USER not in done.stdout
        assert USER.encode() not in lab.everything_written()
        assert len(lab.units) == 1
