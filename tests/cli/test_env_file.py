"""Invariants of `.env`.

1. A command sees the variables of `.env`, but those that are already in the environment keep their values.
2. Only the `.env` of the working folder is read. If it is missing, or a folder, nothing happens.
3. A file that cannot be read or parsed is an error of one line, with the file's name but nothing of its content.
"""

import os
from pathlib import Path

import pytest

from programs.cli.options import load_env_file
from programs.errors import UserError
from tests.lab import USER, laboratory, run_command


@pytest.fixture
def env_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The path of a `.env`, whose variables are removed after the test."""
    monkeypatch.setattr(os, "environ", {"THERE": "before"})
    return tmp_path / ".env"


def environment_variables() -> dict[str, str]:
    """The environment without the variable that pytest sets."""
    return {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}


def test_the_environment_overrides_the_file(env_file: Path) -> None:
    env_file.write_text(
        "\ufeff# for Argo\nexport NEW='a b'  # said\nTHERE=after\nBOTH=${THERE}-${NEW}\nEMPTY=\n", "utf-8"
    )
    load_env_file(env_file)
    assert environment_variables() == {"THERE": "before", "NEW": "a b", "BOTH": "before-a b", "EMPTY": ""}


def test_a_missing_file_or_a_folder_is_ignored(env_file: Path) -> None:
    load_env_file(env_file)
    env_file.mkdir()
    load_env_file(env_file)
    assert environment_variables() == {"THERE": "before"}


INVALID = {b"A=1\nSECRET='half\n": "line 2 is not NAME=value", b"A=sec\0ret\n": "line 1 is not NAME=value"}
INVALID |= {b"A=\xff\xfe\n": "not UTF-8"}


@pytest.mark.parametrize(("content", "message"), INVALID.items())
def test_an_invalid_file_is_an_error_without_its_content(env_file: Path, content: bytes, message: str) -> None:
    env_file.write_bytes(content)
    with pytest.raises(UserError, match=message) as caught:
        load_env_file(env_file)
    assert "half" not in str(caught.value)
    assert "sec" not in str(caught.value)
    assert environment_variables() == {"THERE": "before"}


def test_a_command_reads_its_credentials_from_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_credentials = {name: value for name, value in os.environ.items() if not name.startswith(("ARGO", "OPENAI"))}
    monkeypatch.setattr(os, "environ", without_credentials)
    monkeypatch.chdir(tmp_path)
    with laboratory(tmp_path, argo_user=USER) as lab:
        (tmp_path / ".env").write_text(f"ARGO_USER={USER}\nARGO_BASE_URL={lab.server.url}\n")
        done = run_command(*lab.arguments(model="gpt41", api_base=None, max_traces=1))
        assert done.returncode == 0, done.stderr
        (tmp_path / ".env").unlink()
        assert USER not in done.stdout
        assert USER.encode() not in lab.all_written_bytes()
        assert len(lab.units) == 1
