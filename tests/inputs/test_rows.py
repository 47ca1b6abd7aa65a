"""Tables: the rows of Parquet files and of data sets on a fake Hub."""

import datetime
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from programs.errors import UserError
from programs.inputs.formats.rows import HubName
from programs.inputs.process import MAX_MEMORY, ReaderProcess
from programs.inputs.report import SkipReason
from tests.inputs.hub import hub
from tests.inputs.paper_builders import parquet_file
from tests.inputs.writing import line, read


def test_the_rows_of_a_parquet_file_become_samples(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [
        {"text": "Dust reddens.", "title": "One", "doi": "10.1234/a", "seen": datetime.date(2024, 1, 3), "id": 7},
        {"text": None, "title": "Two"},
        {"text": "Dust reddens.", "title": "Three"},
        {"text": " Stars\x00 shine.\r\n", "title": None},
    ]
    path = parquet_file(tmp_path / "a.parquet", rows)
    samples, report = read(str(path))
    assert [sample.text for sample in samples] == ["Dust reddens.", "Stars shine."]
    first = samples[0]
    assert (first.title, first.given_id, first.place.line, first.excerpt) == ("One", "7", 1, None)
    assert first.extra == {"doi": "10.1234/a", "seen": "2024-01-03"}
    assert report.skipped == {SkipReason.NO_TEXT: 1, SkipReason.DUPLICATE: 1}
    assert report.lines == report.samples + report.skipped_lines == 4


def test_a_table_may_be_larger_than_the_memory_limit_of_its_reader(tmp_path: Path) -> None:
    path = parquet_file(tmp_path / "a.parquet", [{"text": "Dust reddens."}])
    data = path.read_bytes()
    foot = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    with path.open("r+b") as file:
        file.seek(MAX_MEMORY + foot)
        file.write(data[foot:])
    assert [sample.text for sample in read(str(path))[0]] == ["Dust reddens."]


def test_a_bad_value_loses_at_most_its_own_row(tmp_path: Path) -> None:
    texts = pa.array([b"Dust reddens.", b"na\xefve", b"Stars shine."], pa.binary())
    far = pa.array([400_000 * 365] * 3, pa.date32())
    for name, column in (("words", texts.view(pa.string())), ("bytes", texts)):
        path = tmp_path / f"{name}.parquet"
        pq.write_table(pa.table({"text": column, "seen": far}), path)
        samples, report = read(str(path))
        assert [(sample.text, sample.place.line) for sample in samples] == [("Dust reddens.", 1), ("Stars shine.", 3)]
        assert samples[0].extra == {"seen": None}
        assert report.skipped == {SkipReason.BAD_UTF8: 1}


def test_damaged_tables_are_counted_and_others_are_read(tmp_path: Path) -> None:
    whole = parquet_file(tmp_path / "a.parquet", [{"text": f"Text {n}."} for n in range(3)]).read_bytes()
    (tmp_path / "b.parquet").write_bytes(whole[:-40])
    (tmp_path / "c.parquet").write_bytes(b"no table")
    samples, report = read(*(str(tmp_path / f"{name}.parquet") for name in "abc"))
    assert len(samples) == 3
    assert report.skipped == {"damaged file, or not of the type its name says": 2}


@pytest.fixture
def data_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Serves the data set `lab/dust`. Returns an empty working folder."""
    files = {
        f"{split}.jsonl": b"\n".join(line(f"{split} text {n}.", year=2000 + n) for n in range(count))
        for split, count in (("train", 3), ("test", 1))
    }
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "cache"))
    with hub(files) as address:
        monkeypatch.setenv("HF_ENDPOINT", address)
        yield tmp_path


@pytest.mark.usefixtures("data_set")
def test_the_rows_of_a_data_set_become_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    checked = list[str]()
    # The real check would load the library once more, which takes seconds.
    monkeypatch.setattr(ReaderProcess, "check_exists", lambda _process, name: checked.append(str(name)))
    samples, report = read("hf://lab/dust")
    assert checked == ["hf://lab/dust"], "its existence is checked before it is read"
    assert [sample.text for sample in samples] == [f"train text {n}." for n in range(3)]
    assert samples[1].extra == {"year": 2001}
    assert str(samples[1].place) == "hf://lab/dust:2"
    assert (report.files, report.lines) == (1, 3)


def test_a_data_set_that_is_not_on_the_hub_is_a_one_line_error(data_set: Path) -> None:
    """A local folder of that name is not read instead."""
    (data_set / "lab" / "local").mkdir(parents=True)
    (data_set / "lab" / "local" / "train.jsonl").write_text('{"text": "Private."}\n')
    with closing(ReaderProcess()) as process:
        process.check_exists(HubName.parse("hf://lab/dust"))
        for name, message in {"dust:nowhere": "nowhere", "none": "none", "local": "run elsewhere"}.items():
            with pytest.raises(UserError, match=rf"^hf://lab/{name}: .*{message}") as error:
                process.check_exists(HubName.parse(f"hf://lab/{name}"))
            assert "\n" not in str(error.value)


def test_names_of_data_sets_are_parsed() -> None:
    assert HubName.parse("hf://datasets/lab/dust")[1:] == ("lab/dust", None, None, "train")
    assert HubName.parse("hf://lab/dust/full:test")[1:] == ("lab/dust", "full", None, "test")
    assert HubName.parse("hf://lab/dust-2.1@v1.0:train")[1:] == ("lab/dust-2.1", None, "v1.0", "train")
    for written in ["", "dust", "lab/dust:", "lab/dust/a/b", "lab/du st", "./folder", "../.."]:
        with pytest.raises(UserError, match="not of the form hf://OWNER/NAME"):
            HubName.parse(f"hf://{written}")
