"""Invariants of `.env`.

1. Its variables are there for the command; what the environment has already stays.
2. Only the working folder's counts. A folder of that name is none, and neither is a missing one.
3. A file that cannot be read is one line and exit code 2, with its name; a line that cannot be understood is named in a
   warning. Neither holds a word of its content.
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


def test_what_is_no_text_is_told(loaded: Path) -> None:
    loaded.write_bytes(b"A=\xff\xfe\n")
    with pytest.raises(UserError, match="cannot be read: it is not text"):
        load_env_file(loaded)
    assert known() == {"THERE": "before"}


def test_a_line_that_is_none_is_named_without_its_content(loaded: Path, caplog: pytest.LogCaptureFixture) -> None:
    loaded.write_text("A=1\nSECRET='half\n")
    load_env_file(loaded)
    assert known() == {"THERE": "before", "A": "1"}
    assert "line 2" in caplog.text
    assert "half" not in caplog.text


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
