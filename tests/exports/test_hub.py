"""Invariants of `--push-to-hub`, with huggingface_hub as it is, against a server that stands in for the Hub.

1. The folder goes up as it is, in one commit, into a private repository unless `--public` is given.
2. A repository that is there is refused; with `--overwrite` its old data files go, and its other files stay.
3. Missing or refused credentials, a wrong name and a Hub that is not there are one line and code 2; the export stays, and
   no line holds the token.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.exports.building import laid, record
from tests.exports.hub import REPOSITORY, Hub
from tests.lab import ROOT

pytest.importorskip("huggingface_hub")

TOKEN = "hf_verysecrettoken"


@pytest.fixture
def document(tmp_path: Path) -> Path:
    return laid(tmp_path, [record(number) for number in range(3)])


def pushed(
    document: Path, endpoint: str, *words: str, token: str | None = TOKEN, repository: str = REPOSITORY
) -> subprocess.CompletedProcess[str]:
    """The command as a process of its own: huggingface_hub reads its environment when it is imported."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    home = document.parent / "home"
    settings = {"HF_ENDPOINT": endpoint, "HF_HOME": str(home), "PYTHONPATH": str(ROOT), "HF_HUB_DISABLE_XET": "1"}
    command = [sys.executable, "-m", "programs.export", str(document), "--to", "sft", "--output", "export"]
    done = subprocess.run(
        [*command, "--push-to-hub", repository, *words],
        cwd=document.parent,
        env={**ours, **settings, **({"HF_TOKEN": token} if token else {})},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert TOKEN not in done.stdout + done.stderr
    return done


def folder_of(document: Path) -> dict[str, bytes]:
    folder = document.with_name("export")
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def refusal(done: subprocess.CompletedProcess[str]) -> str:
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    return line.removeprefix("error: --push-to-hub: ")


@pytest.mark.parametrize("words", [[], ["--public"]])
def test_the_folder_goes_up_as_it_is(document: Path, words: list[str]) -> None:
    with Hub(TOKEN) as hub:
        done = pushed(document, hub.url, *words)
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines()[-1] == f"{hub.url}/datasets/{REPOSITORY}"
        assert hub.files == folder_of(document)
        assert f'load_dataset("{REPOSITORY}")'.encode() in hub.files["README.md"]
        assert (hub.private, hub.commits) == (not words, 1)


def test_old_data_goes_only_when_told(document: Path) -> None:
    with Hub(TOKEN, {"data/train-00000-of-00002.jsonl": b"old", "notes.md": b"mine"}) as hub:
        assert f"{REPOSITORY}: is there already; name another, or --overwrite" in refusal(pushed(document, hub.url))
        assert hub.commits == 0
        assert pushed(document, hub.url, "--overwrite").returncode == 0
        assert hub.files == {**folder_of(document), "notes.md": b"mine"}


def test_mistakes_are_seen_before_any_work(document: Path) -> None:
    with Hub(TOKEN) as hub:
        assert "not logged in" in refusal(pushed(document, hub.url, token=None))
        assert "Repo id" in refusal(pushed(document, hub.url, repository="a/b/c"))
    assert folder_of(document) == {}


def test_a_hub_that_refuses_or_is_not_there_leaves_the_export(document: Path) -> None:
    with Hub("hf_another") as hub:
        assert "the Hub refuses the token" in refusal(pushed(document, hub.url))
    assert set(folder_of(document)) == {"README.md", "export.json", "data/train-00000-of-00001.jsonl"}
    assert "The export is in export" in refusal(pushed(document, hub.url, "--overwrite"))
