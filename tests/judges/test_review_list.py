"""The review list, the agreement of a whole run's judges, and random samples for people.

1. Traces on which two judges differ by 3 or more are on the list, whatever became of them, and no others.
2. The document's metadata says how far the judges agree, over every judged attempt; so does the command.
3. The list is made again whenever the document is, from the journal alone, and a person's labels are never touched.
4. Without judges there is neither a list nor an agreement, and nothing is read for them.
5. What a person wrote into the list is moved aside, not written over; so is all of it by a fresh start.
6. A random sample holds every judged attempt that was accepted or turned down, once, whatever the judges said; the draw is
   the seed's alone, and a larger one goes on with the smaller. What people say of it are labels like any other.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from programs.document import main as document
from programs.errors import UserError
from programs.judges.agreement import krippendorff_alpha, weighted_kappa
from programs.judges.labels import read_labels
from programs.judges.review_list import FAR_APART, ReviewItem, review_sample
from programs.merge import merge
from programs.records import Verdict
from programs.run.journal import Journal
from tests.lab import Lab, laboratory
from tests.reviewing import labels_in, review
from tests.standin.panel import PANEL, verdict
from tests.standin.scientist import Asked

JUDGED: dict[str, Any] = {"quality_check": True, "judge_models": PANEL, "min_quality_score": 5}


def by_the_answer(asked: Asked) -> dict[str, Any]:
    """A mild judge says 7 to 9 and a strict one less: by 1, 2, 3 or 4, as the answer's own number will have it."""
    number = int(asked.given("answer").partition("(case ")[2][:2], 16)
    mild = 7 + number % 3
    return verdict(mild - 1 - number % 4 if asked.body["model"] == "strict" else mild)


@pytest.fixture
def judged(tmp_path: Path) -> Any:
    with laboratory(tmp_path, texts=6, stages={"judge": by_the_answer}, base=JUDGED) as lab:
        yield lab


def attempts(lab: Lab) -> list[dict[str, Any]]:
    """Every judged record of the journal."""
    lines = lab.latest_units().values()
    return [record for line in lines for record in [*line["attempts"], line["record"]] if record and record["verdicts"]]


def overalls(record: dict[str, Any]) -> list[int]:
    return [verdict["overall"] for verdict in record["verdicts"]]


def listed(lab: Lab) -> list[ReviewItem]:
    lines = (lab.folder / "out.review.jsonl").read_text(encoding="utf-8").splitlines()
    return [ReviewItem.model_validate_json(line) for line in lines]


def test_far_apart_traces_are_listed_and_no_others(judged: Lab) -> None:
    judged.run(traces_per_sample=2)
    records = {record["id"]: record for record in attempts(judged)}
    apart = {name for name, record in records.items() if max(overalls(record)) - min(overalls(record)) >= 3}
    assert 0 < len(apart) < len(records)
    found = listed(judged)
    assert {one.id for one in found} == apart
    assert len(found) == len(apart)
    for one in found:
        record = records[one.id]
        assert one.question == record["user_interaction"]["question"]
        assert one.key_passage == record["source_paper"]["text"]
        assert (one.thought, one.answer) == (record["reasoning_trace"], record["final_answer"])
        assert one.verdicts == [Verdict.model_validate(said) for said in record["verdicts"]]
        assert one.spread == max(overalls(record)) - min(overalls(record))


def test_the_metadata_says_how_far_the_judges_agree(judged: Lab) -> None:
    judged.run(traces_per_sample=2)
    strict, mild = zip(*map(overalls, attempts(judged)), strict=True)
    found = judged.document["metadata"]["judges"]
    assert found["traces"] == len(strict) >= 12
    assert found["alpha"] == pytest.approx(krippendorff_alpha([strict, mild]), abs=5e-5)
    (pair,) = found["pairs"]
    assert pair["judges"] == ["openai/mild", "openai/strict"]
    assert pair["weighted_kappa"] == pytest.approx(weighted_kappa(mild, strict), abs=5e-5)
    assert found["judges"]["openai/strict"]["mean"] == pytest.approx(sum(strict) / len(strict), abs=5e-5)
    assert found["to_review"] == len(listed(judged))


def test_rejected_attempts_count_too(tmp_path: Path) -> None:
    def judge(asked: Asked) -> dict[str, Any]:
        return verdict(1 if asked.body["model"] == "strict" else 6)

    with laboratory(tmp_path, texts=2, stages={"judge": judge}, base=JUDGED) as lab:
        finished = lab.run(max_attempts=3)
        assert lab.records == []
        assert [one.became for one in listed(lab)] == ["below"] * 6
        assert finished.document is not None
        judges = finished.document.judges
        assert judges is not None
        assert (judges.traces, judges.to_review) == (6, 6)
        assert lab.document["metadata"]["judges"] == judges.model_dump()


def test_labels_outlive_every_run(judged: Lab) -> None:
    judged.run(traces_per_sample=2)
    names = [one.id for one in listed(judged)]
    labels = judged.folder / "out.labels.jsonl"
    assert review(judged.output, "a 7", "q")[0] == 0
    before = labels.read_bytes()
    judged.run(traces_per_sample=3)
    path = judged.folder / "out.review.jsonl"
    made = path.read_bytes(), judged.document["metadata"]["judges"]
    path.unlink()
    judged.output.unlink()
    assert document([str(judged.output)]) == 0
    assert (path.read_bytes(), judged.document["metadata"]["judges"]) == made, "made again from the journal"
    assert labels.read_bytes() == before
    assert [one.id for one in listed(judged)][: len(names)] != []
    _, out, _ = review(judged.output, "q")
    assert f"{len(listed(judged)) - 1} without a label" in out
    judged.run(traces_per_sample=1, resume=False)
    assert labels.read_bytes() == before


def test_what_a_person_wrote_into_it_is_moved_aside(judged: Lab) -> None:
    judged.run(traces_per_sample=2)
    path = judged.folder / "out.review.jsonl"
    lines = path.read_text().splitlines()
    mine = "\n".join([json.dumps({**json.loads(lines[0]), "note": "check with the authors"}), *lines[1:]])
    path.write_text(mine)
    judged.run(traces_per_sample=3)
    (kept,) = judged.folder.glob("out.review.jsonl.*.old")
    assert kept.read_text() == mine
    assert len(listed(judged)) >= len(lines)
    judged.run(traces_per_sample=3)
    assert len(list(judged.folder.glob("out.review.jsonl.*.old"))) == 1


def test_without_judges_there_is_nothing(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    scanned: list[str | None] = []
    original = Journal.variations

    def variations(self: Journal, status: str | None = None) -> Any:
        scanned.append(status)
        return original(self, status)

    monkeypatch.setattr(Journal, "variations", variations)
    finished = lab.run()
    assert finished.document is not None
    assert finished.document.judges is None
    assert lab.document["metadata"]["judges"] is None
    assert not (lab.folder / "out.review.jsonl").exists()
    assert set(scanned) == {"accepted"}


def test_merged_runs_have_one_list(tmp_path: Path) -> None:
    merged: list[Path] = []
    names: list[str] = []
    for number in (1, 2):
        (tmp_path / str(number)).mkdir()
        folder = tmp_path / str(number)
        with laboratory(folder, texts=5, stages={"judge": by_the_answer}, base=JUDGED) as lab:
            lab.run(shard=f"{number}/2", traces_per_sample=3)
        merged += folder.glob("*.journal.jsonl")
        names += [json.loads(line)["id"] for path in folder.glob("*.review.jsonl") for line in path.open()]
    output = tmp_path / "all.json"
    (tmp_path / "all.review.jsonl").write_text("mine")
    with pytest.raises(UserError, match="is there already"):
        merge([str(path) for path in merged], output)
    (tmp_path / "all.review.jsonl").unlink()
    merge([str(path) for path in merged], output)
    lines = (tmp_path / "all.review.jsonl").read_text().splitlines()
    assert sorted(json.loads(line)["id"] for line in lines) == sorted(names) != []
    assert json.loads(output.read_text())["metadata"]["judges"]["to_review"] == len(names)


EVERYTHING = 1000


def drawn(document: Path, size: int, seed: int) -> list[str]:
    return [one.id for one in review_sample(document, size, seed)]


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("judged")
    with laboratory(folder, texts=6, stages={"judge": by_the_answer}, base={**JUDGED, "min_quality_score": 7}) as lab:
        lab.run(traces_per_sample=2)
        yield lab


def test_every_judged_attempt_can_be_drawn_once(done: Lab) -> None:
    sample = review_sample(done.output, EVERYTHING, 0)
    assert sorted(one.id for one in sample) == sorted(record["id"] for record in attempts(done))
    assert {one.became for one in sample} == {"accepted", "below"}
    assert {one.spread is not None and one.spread < FAR_APART for one in sample} == {True, False}


def test_a_larger_sample_goes_on_with_the_smaller(done: Lab) -> None:
    every = drawn(done.output, EVERYTHING, 0)
    assert drawn(done.output, 3, 0) == every[:3]
    assert drawn(done.output, EVERYTHING, 1) != every
    assert sorted(drawn(done.output, EVERYTHING, 1)) == sorted(every)


def test_what_is_said_of_them_are_labels(done: Lab) -> None:
    code, out, _ = review(done.output, "a 8", "r", "q", options=("--random", "3"))
    assert code == 0
    assert "1 of 3, 3 without a label" in out
    assert "1 accepted, 1 rejected, 1 rated, 1 without a label" in out
    labels = done.folder / "out.labels.jsonl"
    sample = review_sample(done.output, 2, 0)
    assert [line["id"] for line in labels_in(labels)] == [one.id for one in sample]
    assert [one.question for one in read_labels(labels).answers] == [one.question for one in sample]
    # The list beside the document means the same document.
    code, out, _ = review(done.folder / "out.review.jsonl", "q", options=("--random", "3"))
    assert (code, "3 of 3, 1 without a label" in out) == (0, True)


def test_no_document_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is neither"):
        review_sample(tmp_path / "none.json", 1, 0)
