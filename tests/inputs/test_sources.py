"""find_sources: every name stands for readable files, or a one-line error says what to do."""

from pathlib import Path

import pytest

from programs.errors import UserError
from programs.inputs.sources import DEFAULT_INPUT, find_sources, shipped_sample


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("b.jsonl", "a.jsonl", "papers.jsonl.gz", "odd[1].jsonl", "deep/er/c.jsonl"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b'{"text": "a"}\n')
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(*patterns: str) -> list[str]:
    return [str(source.name) for source in find_sources(patterns)]


def error_message(*patterns: str) -> str:
    with pytest.raises(UserError) as error:
        find_sources(patterns)
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.usefixtures("folder")
def test_names_keep_their_order_and_wildcards_are_sorted() -> None:
    assert names("papers.jsonl.gz", "?.jsonl") == ["papers.jsonl.gz", "a.jsonl", "b.jsonl"]
    assert names("**/*.jsonl") == ["a.jsonl", "b.jsonl", "deep/er/c.jsonl", "odd[1].jsonl"]


def test_a_file_named_twice_is_read_once(folder: Path) -> None:
    (folder / "link.jsonl").symlink_to(folder / "a.jsonl")
    assert names("a.jsonl", "./a.jsonl", str(folder / "a.jsonl"), "link.jsonl", "[ab].jsonl") == ["a.jsonl", "b.jsonl"]


@pytest.mark.usefixtures("folder")
def test_a_missing_file_is_named_with_its_nearest_match() -> None:
    assert error_message("a.jsonl", "paper.jsonl.gz") == (
        "Input file paper.jsonl.gz does not exist; did you mean 'papers.jsonl.gz'?"
    )
    assert error_message("deep/er/C.json") == "Input file deep/er/C.json does not exist; did you mean 'c.jsonl'?"
    assert error_message("nothing-like-it") == "Input file nothing-like-it does not exist."
    assert error_message("x*.jsonl.bz2").startswith("No input file matches x*.jsonl.bz2.")
    assert error_message("dee*") == "No input file matches dee*."
    assert error_message() == error_message("a.jsonl", "") == "No input file was named."


def test_a_display_name_does_not_reveal_the_folder(folder: Path) -> None:
    def display_names(*patterns: Path | str) -> list[str]:
        return [source.display_name for source in find_sources(list(map(str, patterns)))]

    assert display_names(folder / "a.jsonl", "deep/er/c.jsonl") == ["a.jsonl", "c.jsonl"]
    assert display_names(folder / "deep") == ["er/c.jsonl"]
    several = display_names(folder / "*.jsonl", folder / "**" / "c.jsonl")
    assert several == ["a.jsonl", "b.jsonl", "odd[1].jsonl", "deep/er/c.jsonl"]
    (folder / "deep" / "a.jsonl").write_bytes(b"{}\n")
    assert display_names(folder / "a.jsonl", "deep/a.jsonl", "b.jsonl") == ["a.jsonl", "deep/a.jsonl", "b.jsonl"]
    (folder / "deep" / "er" / "a.jsonl").write_bytes(b"{}\n")
    assert display_names("deep/a.jsonl", folder / "deep" / "er" / "a.jsonl") == ["a.jsonl", "er/a.jsonl"]
    other = folder / "u" / "er" / "a.jsonl"
    other.parent.mkdir(parents=True)
    other.write_bytes(b"{}\n")
    clashing = display_names("deep/a.jsonl", "deep/er/a.jsonl", "u")
    assert clashing == ["deep/a.jsonl", "deep/er/a.jsonl", "u/er/a.jsonl"]


def test_a_file_that_cannot_be_opened_is_an_error(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    assert error_message(str(folder / "a.jsonl")) == f"Cannot read {folder / 'a.jsonl'}: Permission denied."


def test_the_default_is_the_shipped_sample_unless_the_folder_has_its_own(folder: Path) -> None:
    assert names(DEFAULT_INPUT) == [str(shipped_sample())]
    assert shipped_sample().is_file()
    own = folder / DEFAULT_INPUT
    own.parent.mkdir()
    own.write_bytes(b"{}\n")
    assert names(DEFAULT_INPUT) == [DEFAULT_INPUT]
