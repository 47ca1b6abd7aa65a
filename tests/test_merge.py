"""Invariants of `python -m programs.merge`.

1. The shards' journals merged hold what one run over the whole input makes: the same units with the same records, apart
   from times, the same questions, and the same calls and tokens.
2. A run on the merged output goes on from it: it asks nothing that a source had settled, and only what is missing.
3. The order of the sources does not change the set; a source named twice, as itself or as its document, counts once.
4. What several sources hold is taken once, its cost too. Of unlike traces of one unit that of the source named first
   stands, an accepted one before any other; a later run never weaves the replies of two sources together.
5. Refused with one line, and then there is no output: sources made otherwise, in use, missing or none of ours, an output
   that is there or in use. No file of the user is changed, torn journals apart, which lose their torn line.
6. A merge that is killed or fails at any write leaves nothing that looks finished, and can be made again.
7. Documents without journals are taken over; the document and what is printed say what there is.
"""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from programs import document, merge
from programs.asking.plan import Reply, Spent
from programs.cli.options import run_cli
from programs.errors import JournalError, UserError
from programs.journals.journal import Journal
from programs.journals.merger import Merger
from tests.lab import Lab, ended, environment, laboratory, write_passages
from tests.running.test_resume import score_by_text
from tests.standin import scientist
from tests.test_generate import PANEL

TIMES = ("seconds", "created")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Six texts, made by two processes, and again by three."""
    with laboratory(tmp_path_factory.mktemp("home"), texts=6) as found:
        shard_runs(found, 2)
        shard_runs(found, 3)
        yield found


@pytest.fixture
def lab(home: Lab, tmp_path: Path) -> Iterator[Lab]:
    """A folder of its own, with the input and the server of `home`."""
    yield Lab(tmp_path, home.server, home.brain, {**home.base, "output": str(tmp_path / "out.json")})
    home.brain.stages.clear()


@pytest.fixture
def halves(home: Lab, lab: Lab) -> list[str]:
    """The journals of two processes, their documents beside them."""
    return taken_along(home, lab, 2)


@pytest.fixture
def thirds(home: Lab, lab: Lab) -> list[str]:
    return taken_along(home, lab, 3)


def taken_along(home: Lab, lab: Lab, of: int) -> list[str]:
    for path in home.folder.glob(f"out.shard-*-of-{of}.j*"):
        shutil.copy(path, lab.folder)
    return [str(lab.folder / f"out.shard-{number}-of-{of}.journal.jsonl") for number in range(1, of + 1)]


def shard_runs(lab: Lab, of: int, **given: Any) -> list[str]:
    """Runs all shards. Returns their journals."""
    for number in range(1, of + 1):
        lab.run(shard=f"{number}/{of}", **given)
    return [str(lab.folder / f"out.shard-{number}-of-{of}.journal.jsonl") for number in range(1, of + 1)]


def run_as(lab: Lab, name: str, **given: Any) -> str:
    """A run with an output of its own. Returns its journal."""
    lab.run(output=str(lab.folder / f"{name}.json"), **given)
    return str(lab.folder / f"{name}.journal.jsonl")


def merged(lab: Lab, *sources: str, name: str = "merged", **options: Any) -> merge.Merged:
    return merge.merge(sources, lab.folder / f"{name}.json", **options)


def view(lab: Lab, name: str) -> Lab:
    """The lab with another output as its own."""

    class View(Lab):
        @property
        def output(self) -> Path:
            return self.folder / f"{name}.json"

        @property
        def journal(self) -> Path:
            return self.folder / f"{name}.journal.jsonl"

    return View(lab.folder, lab.server, lab.brain, {**lab.base, "output": str(lab.folder / f"{name}.json")})


def timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: timeless(item) for key, item in value.items() if key not in TIMES}
    return [timeless(item) for item in value] if isinstance(value, list) else value


def records_by_id(lab: Lab) -> dict[str, Any]:
    found = {record["id"]: timeless(record) for record in lab.records}
    assert len(found) == len(lab.records)
    return found


def contents(lab: Lab, kind: str) -> dict[str, Any]:
    """The newest line of every key, without times."""
    return {line["key"]: timeless(line) for line in lab.lines(kind)}


def spent(lab: Lab) -> list[dict[str, Any]]:
    with Journal(lab.journal) as journal:
        return [dict(row) for row in journal.index.spent()]


def snapshot(folder: Path) -> dict[Path, bytes]:
    """What is the user's: no locks and no indexes."""
    ours = (".lock", ".index", "-wal", "-shm")
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and not path.name.endswith(ours)}


def refused(lab: Lab, *words: str) -> str:
    """What a merge that is refused says; it must have changed nothing."""
    before = snapshot(lab.folder)
    with pytest.raises(UserError) as caught:
        merge.main([*words, "--output", str(lab.folder / "merged.json")])
    assert snapshot(lab.folder) == before
    assert leftovers(lab.folder) == []
    assert "\n" not in str(caught.value)
    return str(caught.value)


def leftovers(folder: Path) -> list[Path]:
    return list(folder.glob(".*.merging"))


# 1. One run


def test_shards_merged_are_what_one_run_makes(lab: Lab) -> None:
    judged = {"quality_check": True, "judge_models": PANEL, "grade_answers": True}
    given = {**judged, "traces_per_sample": 2, "traces_per_question": 2}
    found = merged(lab, *shard_runs(lab, 3, **given))
    lab.run(**given)
    one, many = lab, view(lab, "merged")
    assert records_by_id(many) == records_by_id(one)
    assert len(one.records) == 24
    for kind in ("unit", "pool", "stage", "sample"):
        assert contents(many, kind) == contents(one, kind), kind
    assert timeless(found.spent_in_all) == timeless(spent(one))
    assert found.traces == {"accepted": 24}


def test_rejected_and_failed_ones_are_merged_too(tmp_path: Path) -> None:
    rules = {"quality_check": True, "judge_models": PANEL, "max_attempts": 1}
    with laboratory(tmp_path, texts=6, stages=score_by_text([3, 8, 8])) as lab:
        found = merged(lab, *shard_runs(lab, 2, **rules))
        lab.run(**rules)
        assert found.traces == {"accepted": 4, "rejected": 2}
        assert contents(view(lab, "merged"), "unit") == contents(lab, "unit")
        finished, calls = view(lab, "merged").counted(**{**rules, "min_quality_score": 3})
        assert (calls, finished.summary.traces) == (0, {"accepted": 6})


# 2. Goes on


def test_a_run_on_the_merged_output_asks_nothing(lab: Lab, thirds: list[str]) -> None:
    merged(lab, *thirds)
    mine = view(lab, "merged")
    before = mine.records
    finished, calls = mine.counted()
    assert (calls, finished.status) == (0, "completed")
    assert mine.records == before
    assert finished.summary.already_done == 6


def test_a_run_on_the_merged_output_makes_what_is_missing(lab: Lab) -> None:
    journals = shard_runs(lab, 2, max_traces=1)
    found = merged(lab, *journals)
    assert found.traces == {"accepted": 2}
    mine = view(lab, "merged")
    _, calls = mine.counted()
    assert calls == 4 * 8
    assert len(set(mine.units)) == 6
    _, calls = mine.counted(traces_per_question=2)
    assert calls == 6 * 2


def test_another_seed_on_the_merged_output_is_refused(lab: Lab, halves: list[str]) -> None:
    merged(lab, *halves)
    with pytest.raises(UserError, match="--seed was 0 and is now 5"):
        view(lab, "merged").run(seed=5)


def test_merging_can_go_on_by_merging(lab: Lab, thirds: list[str]) -> None:
    first, second, third = thirds
    merged(lab, first, second, name="two")
    found = merged(lab, str(lab.folder / "two.json"), third)
    straight = merged(lab, first, second, third, name="straight")
    assert found.traces == straight.traces == {"accepted": 6}
    assert found.spent_in_all == straight.spent_in_all
    assert records_by_id(view(lab, "merged")) == records_by_id(view(lab, "straight"))


# 3. Order


def test_the_order_of_sources_does_not_change_the_set(lab: Lab, thirds: list[str]) -> None:
    one = merged(lab, *thirds, name="one")
    other = merged(lab, *reversed(thirds), name="other")
    assert records_by_id(view(lab, "one")) == records_by_id(view(lab, "other"))
    assert view(lab, "one").units != view(lab, "other").units
    assert timeless(one.spent_in_all) == timeless(other.spent_in_all)
    assert one.traces == other.traces


def test_a_source_named_twice_counts_once(lab: Lab, halves: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    documents = [journal.replace(".journal.jsonl", ".json") for journal in halves]
    monkeypatch.chdir(lab.folder)
    found = merged(lab, *halves, *documents, "out.shard-*.journal.jsonl", "./out.shard-1-of-2.json")
    assert found.sources == halves
    assert sum(row["calls"] for row in found.spent_in_all) == 6 * 8


def test_wildcards_are_sorted(lab: Lab, halves: list[str]) -> None:
    assert merged(lab, str(lab.folder / "out.shard-*.journal.jsonl")).sources == halves


# 4. What several sources hold


def copied(lab: Lab, journal: str, name: str) -> str:
    copy = lab.folder / f"{name}.journal.jsonl"
    copy.write_bytes(Path(journal).read_bytes())
    return str(copy)


@pytest.mark.parametrize("turned", [False, True])
def test_a_copy_that_was_carried_on_counts_once(lab: Lab, turned: bool) -> None:
    before = lab.calls
    first = run_as(lab, "first", max_traces=2)
    second = copied(lab, first, "second")
    run_as(lab, "second")
    sources = [second, first] if turned else [first, second]
    found = merged(lab, *sources)
    assert found.traces == {"accepted": 6}
    assert sum(row["calls"] for row in found.spent_in_all) == lab.calls - before == 6 * 8
    assert (found.tally.same_units, found.tally.unlike_traces, found.tally.replies_apart) == (2, 0, 0)
    assert found.tally.copies == 2 * 8
    assert view(lab, "merged").counted()[1] == 0


def seeing(model: str) -> dict[str, scientist.Answer]:
    """Stages whose words say which model was asked."""

    def answer(asked: scientist.Asked) -> dict[str, Any]:
        return {"text": f"{scientist.answer(asked)['text']} So says {model}."}

    return {"answer": answer}


def unlike_runs(lab: Lab) -> list[str]:
    """Two runs over the same texts, whose answers differ."""
    journals = []
    for name in ("anna", "bert"):
        lab.brain.stages.update(seeing(name))
        journals.append(run_as(lab, name))
    return journals


@pytest.mark.parametrize("turned", [False, True])
def test_of_unlike_traces_that_of_the_source_named_first_stands(lab: Lab, turned: bool) -> None:
    journals = unlike_runs(lab)
    sources = journals[::-1] if turned else journals
    found = merged(lab, *sources)
    mine = view(lab, "merged")
    assert records_by_id(mine) == records_by_id(view(lab, "bert" if turned else "anna"))
    assert (found.tally.unlike_traces, found.tally.same_units) == (6, 0)
    assert found.tally.first_unlike in mine.latest_units()
    # Two runs may be answered the same in the same milliseconds; nothing tells that from a copy.
    assert sum(row["calls"] for row in found.spent_in_all) == 2 * 6 * 8 - found.tally.copies
    assert mine.counted()[1] == 0


def test_unlike_traces_are_told(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    merge.main([*unlike_runs(lab), "--output", str(lab.folder / "merged.json")])
    said = capsys.readouterr().out.splitlines()
    assert "6 traces of 2 sources" in said[0]
    assert said[1].startswith("6 traces were made differently in several sources (first: ")


@pytest.mark.parametrize("turned", [False, True])
def test_an_accepted_trace_stands_before_a_rejected_one(tmp_path: Path, turned: bool) -> None:
    rules = {"quality_check": True, "judge_models": PANEL, "max_attempts": 1}
    with laboratory(tmp_path, texts=4, stages=score_by_text([7])) as lab:
        strict = run_as(lab, "strict", **rules, min_quality_score=8)
        copied(lab, strict, "mild")
        mild = run_as(lab, "mild", **rules, min_quality_score=6)
        found = merged(lab, *([strict, mild] if turned else [mild, strict]))
        assert found.traces == {"accepted": 4}
        assert found.tally.unlike_traces == 0
        # The texts were left open: whichever rules a run has, it decides by them, from what is there.
        mine = view(lab, "merged")
        finished, calls = mine.counted(**rules, min_quality_score=8)
        assert (calls, finished.summary.traces) == (0, {"rejected": 4})
        finished, calls = mine.counted(**rules, min_quality_score=6)
        assert (calls, finished.summary.traces) == (0, {"accepted": 4})


def without(journal: str, kind: str) -> None:
    """Takes the lines of a kind out of a journal."""
    path = Path(journal)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(line for line in lines if json.loads(line)["kind"] != kind))


def test_what_a_killed_source_left_of_a_text_is_decided_by_the_rules_of_the_next_run(tmp_path: Path) -> None:
    rules = {"quality_check": True, "judge_models": PANEL, "max_attempts": 1}
    with laboratory(tmp_path, texts=4, stages=score_by_text([7])) as lab:
        mild = run_as(lab, "mild", **rules, min_quality_score=6)
        strict = copied(lab, mild, "strict")
        run_as(lab, "strict", **rules, min_quality_score=8)
        without(mild, "sample")
        assert merged(lab, mild, strict).traces == {"accepted": 4}
        finished, calls = view(lab, "merged").counted(**rules, min_quality_score=8)
        assert (calls, finished.summary.traces) == (0, {"rejected": 4})


def test_of_what_was_decided_again_the_last_decision_counts(tmp_path: Path) -> None:
    rules = {"quality_check": True, "judge_models": PANEL, "max_attempts": 1}
    with laboratory(tmp_path, texts=4, stages=score_by_text([7])) as lab:
        lab.run(**rules, min_quality_score=6)
        lab.run(**rules, min_quality_score=8)
        assert merged(lab, str(lab.journal)).traces == {"rejected": 4}
        for kind in ("unit", "sample"):
            assert contents(view(lab, "merged"), kind) == contents(lab, kind)


def other_questions(asked: scientist.Asked) -> Any:
    made = scientist.ANSWERS["questions"](asked)
    for draft in made.values():
        draft["question"] = draft["question"].replace("?", ", seen from the other side?")
    return made


def test_a_source_that_strayed_does_not_lead_others_astray(lab: Lab) -> None:
    first = run_as(lab, "first", max_calls=3, concurrency=1)
    third = copied(lab, first, "third")
    run_as(lab, "third")
    lab.brain.stages["questions"] = other_questions
    second = run_as(lab, "second")
    merged(lab, first, second, third)
    begun = {key.split("/")[1] for key in contents(view(lab, "first"), "stage")}
    for key, line in contents(view(lab, "third"), "stage").items():
        if key.split("/")[1] in begun:
            assert contents(view(lab, "merged"), "stage")[key] == line


def test_replies_of_two_sources_are_never_woven_together(lab: Lab) -> None:
    """The first source knows a text's questions alone; the second has other questions and a trace."""
    first = run_as(lab, "first", max_calls=3, concurrency=1)
    lab.brain.stages["questions"] = other_questions
    second = run_as(lab, "second")
    found = merged(lab, first, second)
    mine = view(lab, "merged")
    assert found.traces == {"accepted": 6}
    assert found.tally.replies_apart > 0
    kept = contents(mine, "stage")
    asked = json.loads(Path(first).read_bytes().splitlines()[1])["key"]
    text = asked.split("/")[1]
    assert kept[asked] == contents(view(lab, "first"), "stage")[asked]
    begun = contents(view(lab, "first"), "stage")
    assert {key for key in kept if key.split("/")[1] == text} == {key for key in begun if key.split("/")[1] == text}
    assert mine.counted()[1] == 0, "the trace itself stands, and nothing is asked"
    _, calls = mine.counted(grade_answers=True)
    texts = {key.split("/")[1] for key in begun}
    assert calls == 6 + 8 * len(texts) - len(begun), "what the first source had not asked of its own questions is asked"
    other = {one["source_paper"]["id"] for one in mine.records if "other side" in one["user_interaction"]["question"]}
    assert other == {one["source_paper"]["id"] for one in mine.records} - texts


def test_shards_of_different_n_are_merged(lab: Lab, thirds: list[str], halves: list[str]) -> None:
    found = merged(lab, *halves, *thirds)
    assert found.traces == {"accepted": 6}
    assert found.tally.same_units == 6
    assert view(lab, "merged").counted()[1] == 0


# 5. Refusals


@pytest.mark.parametrize(
    ("other", "told"),
    [({"seed": 5}, "--seed 0 and 5"), ({"model": "openai/other"}, "--model openai/any and openai/other")],
)
def test_sources_made_otherwise_are_refused(lab: Lab, other: dict[str, Any], told: str) -> None:
    first, second = run_as(lab, "first", shard="1/2"), run_as(lab, "second", shard="2/2", **other)
    paths = [path.replace(".journal", f".shard-{n}-of-2.journal") for n, path in enumerate((first, second), 1)]
    line = refused(lab, *paths)
    assert told in line
    assert all(path in line for path in paths)
    assert "--allow-mixed" in line
    found = merged(lab, *paths, allow_mixed=True)
    assert found.traces == {"accepted": 6}


def test_a_source_in_use_is_refused(lab: Lab, halves: list[str]) -> None:
    with Journal(Path(halves[1])):
        line = refused(lab, *halves)
    assert f"{halves[1]} is in use" in line
    assert merged(lab, *halves).traces == {"accepted": 6}


def test_an_output_in_use_is_refused(lab: Lab, halves: list[str]) -> None:
    with Journal(lab.folder / "merged.journal.jsonl"):
        assert "in use" in refused(lab, *halves)


@pytest.mark.parametrize("there", ["merged.json", "merged.journal.jsonl"])
def test_an_output_that_is_there_is_refused(lab: Lab, halves: list[str], there: str) -> None:
    (lab.folder / there).write_text("mine", encoding="utf-8")
    assert f"{there} is there already" in refused(lab, *halves)


def test_an_output_that_is_a_folder_is_refused(lab: Lab, halves: list[str]) -> None:
    (lab.folder / "merged.json").mkdir()
    assert "is a folder" in refused(lab, *halves)


def test_the_output_may_not_be_a_source(lab: Lab) -> None:
    lab.run()
    with pytest.raises(UserError, match="is there already"):
        merge.merge([str(lab.journal)], lab.output)


@pytest.mark.parametrize("content", [b"no JSON", b'{"text": "No line end."}', b'{"kind":"of mine"}', b"{", b"\0"])
@pytest.mark.parametrize("name", ["mine.jsonl", "mine.json", "mine.journal.jsonl"])
def test_a_file_that_is_no_source_is_refused_and_not_touched(lab: Lab, name: str, content: bytes) -> None:
    mine = lab.folder / name
    mine.write_bytes(content)
    assert f"{mine} is neither a journal nor a document" in refused(lab, str(mine))


def test_what_is_not_there_is_refused(lab: Lab) -> None:
    assert "there is neither" in refused(lab, str(lab.folder / "none.json"))
    assert "nothing matches" in refused(lab, str(lab.folder / "none*.json"))
    assert "is a folder" in refused(lab, str(lab.folder))
    assert "--sources" in refused(lab)


def test_a_place_where_nothing_can_be_written_is_refused(lab: Lab, halves: list[str]) -> None:
    (lab.folder / "file").write_text("")
    with pytest.raises(UserError, match="cannot write"):
        merge.merge(halves, lab.folder / "file" / "merged.json")


def test_a_mistake_is_one_line_and_code_2(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        run_cli(lambda: merge.main([str(lab.folder / "none.json"), "--output", str(lab.folder / "merged.json")]))
    assert end.value.code == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_torn_source_gives_all_but_its_torn_line(
    lab: Lab, halves: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    torn = Path(halves[0])
    whole = torn.read_bytes()
    lines = whole.splitlines(keepends=True)
    last = max(number for number, line in enumerate(lines) if line.startswith(b'{"kind":"unit"'))
    torn.write_bytes(b"".join(lines[:last]) + lines[last][:40])
    assert merge.main([*halves, "--output", str(lab.folder / "merged.json")]) == 0
    said = capsys.readouterr().out
    assert f"{torn}: a torn last line of 40 bytes was cut off" in said
    assert "not every run was completed" in said
    mine = view(lab, "merged")
    assert len(mine.records) == 5
    assert mine.document["metadata"]["status"] == "interrupted"
    _, calls = mine.counted()
    assert calls == 0
    assert len(mine.records) == 6


def test_a_damaged_source_is_named(lab: Lab, halves: list[str]) -> None:
    damaged = Path(halves[1])
    content = bytearray(damaged.read_bytes())
    content[content.index(b"\n") + 5] = 0
    damaged.write_bytes(content)
    with pytest.raises(JournalError, match="is damaged at byte"):
        merged(lab, *halves)
    assert not list(lab.folder.glob("merged*json*[!k]"))
    assert leftovers(lab.folder) == []


# 6. Killed


def outputs(folder: Path) -> list[str]:
    """What a reader would take for a result."""
    return [name for name in ("merged.json", "merged.journal.jsonl") if (folder / name).exists()]


@pytest.mark.parametrize("after", [0, 1, 20, 60])
def test_a_merge_that_breaks_off_leaves_nothing(
    lab: Lab, halves: list[str], after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = snapshot(lab.folder)
    append, written = Journal.append, 0

    def breaking(self: Journal, kind: str, key: str | None, **fields: Any) -> None:
        nonlocal written
        if written == after:
            raise KeyboardInterrupt
        written += 1
        append(self, kind, key, **fields)

    with monkeypatch.context() as patch:
        patch.setattr(Journal, "append", breaking)
        with pytest.raises(KeyboardInterrupt):
            merged(lab, *halves)
    assert snapshot(lab.folder) == before
    assert leftovers(lab.folder) == []
    assert merged(lab, *halves).traces == {"accepted": 6}


@pytest.mark.parametrize("step", [0, 1, 2])
def test_a_merge_that_ends_while_it_is_put_in_place_is_none_or_whole(
    lab: Lab, halves: list[str], step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace, done = Path.replace, 0

    def stopping(self: Path, target: Path) -> Path:
        nonlocal done
        if "merged" in str(target) and ".merging" not in str(target.parent):
            if done == step:
                raise OSError(5, "the disk is gone")
            done += 1
        return replace(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", stopping)
        with pytest.raises(JournalError, match="the disk is gone"):
            merged(lab, *halves)
    assert outputs(lab.folder) == (["merged.journal.jsonl"] if step == 2 else [])
    if step == 2:
        document.main([str(lab.folder / "merged.json")])
    else:
        merged(lab, *halves)
    mine = view(lab, "merged")
    assert len(mine.records) == 6
    assert mine.counted()[1] == 0


def multiplied(journal: str, times: int) -> None:
    """Fills a journal with the lines of its texts, under other names."""
    path = Path(journal)
    lines = path.read_bytes().splitlines(keepends=True)
    texts = [json.loads(line)["key"] for line in lines if line.startswith(b'{"kind":"sample"')]
    form = b"".join(line for line in lines if not line.startswith(b'{"kind":"run"'))
    with path.open("ab") as file:
        for number in range(times):
            copy = form
            for text in texts:
                copy = copy.replace(text.encode(), f"{number:04x}{text[4:]}".encode())
            file.write(copy)


def test_a_killed_merge_leaves_no_output(lab: Lab, halves: list[str]) -> None:
    multiplied(halves[0], 150)
    dice = random.Random(0)
    command = [sys.executable, "-m", "programs.merge", *halves, "--output", str(lab.folder / "merged.json")]
    draft = lab.folder / ".merged.json.merging" / "merged.journal.jsonl"
    for _ in range(2):
        process = subprocess.Popen(
            command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        wanted = dice.randint(1, 500_000)
        while process.poll() is None and not (draft.exists() and draft.stat().st_size > wanted):
            time.sleep(0.001)
        process.kill()
        assert ended(process).returncode == -9, "it was over before it could be killed"
        assert outputs(lab.folder) == []
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert leftovers(lab.folder) == []
    mine = view(lab, "merged")
    assert len(mine.records) == len(set(mine.units)) > 6
    assert done.stdout.splitlines() == [f"{mine.output}: {len(mine.records)} traces of 2 sources"]


# 7. Documents, counts


def test_documents_without_journals_are_taken_over(lab: Lab, halves: list[str]) -> None:
    alone = Path(halves[0])
    for path in lab.folder.glob(f"{alone.name}*"):
        path.unlink()
    found = merged(lab, halves[0].replace(".journal.jsonl", ".json"), halves[1])
    assert found.traces == {"accepted": 6}
    lab.run()
    assert records_by_id(view(lab, "merged")) == records_by_id(lab)


def test_documents_alone_leave_the_rules_to_the_first_run(lab: Lab, halves: list[str]) -> None:
    for journal in halves:
        Path(journal).unlink()
    found = merged(lab, *(str(lab.folder / f"out.shard-{number}-of-2.json") for number in (1, 2)))
    assert (found.status, found.traces) == ("completed", {"accepted": 6})
    mine = view(lab, "merged")
    before = records_by_id(mine)
    mine.run(seed=5)
    assert before.items() <= records_by_id(mine).items()


def test_the_document_says_what_there_is(lab: Lab, halves: list[str]) -> None:
    found = merged(lab, *halves)
    metadata = view(lab, "merged").document["metadata"]
    assert (metadata["status"], metadata["total_traces_generated"]) == ("completed", 6)
    assert metadata["run"]["traces"] == {"accepted": 6}
    assert metadata["run"]["sources"] == halves
    assert metadata["run"]["spent_in_all"] == found.spent_in_all
    assert sum(row["calls"] for row in found.spent_in_all) == 6 * 8
    assert document.main([str(lab.folder / "merged.json")]) == 0
    again = view(lab, "merged").document
    assert again["metadata"]["run"] == metadata["run"]


def test_an_unfinished_source_makes_an_unfinished_whole(lab: Lab, halves: list[str]) -> None:
    first, second = halves
    lines = Path(first).read_bytes().splitlines(keepends=True)
    Path(first).write_bytes(b"".join(lines[:-1]))
    assert merged(lab, first, second).status == "interrupted"


def test_an_empty_source_adds_nothing(lab: Lab) -> None:
    journals = shard_runs(lab, 2, input_file=[str(write_passages(lab.folder / "none.jsonl", []))])
    empty = lab.folder / "empty.journal.jsonl"
    empty.touch()
    found = merged(lab, *journals, str(empty))
    assert (found.traces, found.status) == ({}, "completed")
    assert view(lab, "merged").records == []


# 4 again, over journals of any kind

LINES = st.lists(
    st.tuples(
        st.sampled_from(["questions/0a", "context/0a/limitation", "questions/0b"]),
        st.booleans(),
        st.sampled_from(["x", "y", "z"]),
    ),
    max_size=8,
)


def write_journal(path: Path, lines: list[tuple[str, bool, str]]) -> None:
    with Journal(path) as journal:
        for key, settled, words in lines:
            cost = Spent(calls=1, prompt_tokens=len(words))
            reply = Reply(status="ok" if settled else "unread", output=words, model="m", spent=cost)
            kind = "stage" if settled else "failed"
            journal.append(kind, key, stage=key.split("/")[0], reply=reply.model_dump(mode="json"))


def calls_of(journal: Journal) -> dict[str, int]:
    return {row["stage"]: row["calls"] for row in journal.index.spent()}


def answers_of(journal: Journal) -> dict[str, Any]:
    found = {key: journal.latest("stage", key) for key in ("questions/0a", "context/0a/limitation", "questions/0b")}
    return {key: line["reply"]["output"] for key, line in found.items() if line is not None}


@given(sources=st.lists(LINES, min_size=1, max_size=3), repeated=st.booleans())
@settings(max_examples=15, deadline=None)
def test_every_paid_reply_counts_once(
    tmp_path_factory: pytest.TempPathFactory, sources: list[list[tuple[str, bool, str]]], repeated: bool
) -> None:
    folder = tmp_path_factory.mktemp("journals")
    most: dict[tuple[str, str, bool], int] = {}
    for number, lines in enumerate(sources):
        write_journal(folder / f"{number}.jsonl", lines)
        for key, settled, words in lines:
            name = (key, words, settled)
            most[name] = max(most.get(name, 0), lines.count((key, settled, words)))
    with Journal(folder / "merged.jsonl") as new, Merger(new, folder / "notes.sqlite") as merger:
        for number in [*range(len(sources)), *(range(len(sources)) if repeated else ())]:
            with Journal(folder / f"{number}.jsonl") as source:
                merger.take(source)
        paid: dict[str, int] = {}
        for (key, _, _), count in most.items():
            stage = key.split("/")[0]
            paid[stage] = paid.get(stage, 0) + count
        assert calls_of(new) == paid
        answers = answers_of(new)
    with Journal(folder / "0.jsonl") as first:
        assert answers_of(first).items() <= answers.items(), "what the first source says stands"
