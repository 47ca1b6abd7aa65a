"""What was rejected is data: every attempt that was paid for comes back with its verdicts, without a call.

1. A variation comes with its accepted record and with those that the judges turned down, each whole: verdicts, thought,
   answer, source; the accepted one with its grades.
2. A variation that was never accepted comes with its rejected ones; one that has no attempt does not come.
3. What other rules asked for and the present ones do not need is kept, told apart, and none is there twice.
4. A document without a journal gives what it has.
5. Only the variations of the present page are in memory: they come one at a time.
"""

from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from programs.records import Record
from programs.run.attempts import ReadTrace, read_variations
from programs.traces.line import attempts_of
from tests.lab import Lab, laboratory
from tests.run.test_resume import answer
from tests.standin import scientist
from tests.standin.panel import PANEL, verdict
from tests.standin.scientist import Asked


def harsh_at_first(asked: Asked) -> dict[str, Any]:
    again = "made anew" in asked.given("answer")
    return verdict(8 if again else 3 if asked.body["model"] == "strict" else 5)


def what_became(variations: list[list[ReadTrace]]) -> list[list[str]]:
    return [[trace.outcome for trace in traces] for traces in variations]


def records_of(variations: list[list[ReadTrace]]) -> list[Record]:
    return [trace.record for trace in chain.from_iterable(variations)]


def test_accepted_and_rejected_come_together_and_whole(tmp_path: Path) -> None:
    with laboratory(tmp_path, texts=2, stages={"judge": harsh_at_first, "answer": answer}) as lab:
        lab.run(quality_check=True, judge_models=PANEL, grade_answers=True)
        found = [*read_variations(lab.output)]
        assert what_became(found) == [["below", "accepted"]] * 2
        assert [accepted.record.id for _, accepted in found] == [record["id"] for record in lab.records]
        for rejected, accepted in (records_of([traces]) for traces in found):
            assert [said.overall for said in accepted.verdicts] == [8, 8]
            assert accepted.answer_grades is not None
            said = [(said.overall, said.fault) for said in rejected.verdicts]
            assert said == [(3, "It deserves 3, all told."), (5, "It deserves 5, all told.")]
            assert rejected.metadata.quality_score == 4.0
            assert rejected.source_paper == accepted.source_paper
            assert rejected.user_interaction.question == accepted.user_interaction.question
            assert rejected.reasoning_trace != accepted.reasoning_trace
            assert rejected.final_answer not in lab.output.read_text(encoding="utf-8")
        assert records_of([*read_variations(lab.journal)]) == records_of(found)
        for path in tmp_path.glob("out.journal*"):
            path.unlink()
        alone = [*read_variations(lab.output)]
        assert what_became(alone) == [["accepted"], ["accepted"]], "a document without a journal gives what it has"
        assert records_of(alone) == [accepted.record for _, accepted in found]


def test_what_lower_rules_do_not_need_is_kept(tmp_path: Path) -> None:
    with laboratory(tmp_path, texts=1, stages={"judge": lambda _asked: verdict(5), "answer": answer}) as lab:
        lab.run(quality_check=True, judge_models=PANEL, max_attempts=3)
        _, calls = lab.counted(quality_check=True, judge_models=PANEL, max_attempts=3, min_quality_score=5)
        assert calls == 0
        found = [*read_variations(lab.output)]
        assert what_became(found) == [["accepted", "unused", "unused"]]
        assert len({record.id for record in records_of(found)}) == 3
        lab.run(quality_check=True, judge_models=PANEL, max_attempts=3, min_quality_score=6)
        assert what_became([*read_variations(lab.output)]) == [["below"] * 3]


def test_the_unjudged_and_the_double_are_no_rejected_ones(tmp_path: Path) -> None:
    def trace(asked: Asked) -> dict[str, Any]:
        return scientist.trace(Asked(asked.stage, asked.field, "", "0" * 8, 0, {}))

    def same(asked: Asked) -> dict[str, Any]:
        return {"text": f"The {asked.words[0]} decides it, within errors of about 4 percent, as far as one can tell."}

    with laboratory(tmp_path, texts=1, stages={"trace": trace, "answer": same}) as lab:
        lab.run(traces_per_question=2)
        assert what_became([*read_variations(lab.output)]) == [["accepted"], ["duplicate"]]
    with laboratory(tmp_path / "mute", texts=1, stages={"judge": lambda _asked: "No comment."}) as lab:
        lab.run(quality_check=True, judge_models=PANEL)
        assert what_became([*read_variations(lab.output)]) == [["unjudged"]]


def test_they_come_one_at_a_time(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    lab.run()
    made, original = list[Any](), Record.model_validate

    def counted(content: Any) -> Record:
        made.append(content)
        return original(content)

    monkeypatch.setattr(Record, "model_validate", counted)
    variations = read_variations(lab.output)
    next(variations)
    assert len(made) == 1
    assert len(list(variations)) == 3


@pytest.mark.parametrize(
    ("status", "record", "became"),
    [
        ("accepted", {"id": "c"}, ["below", "below", "accepted"]),
        ("unjudged", {"id": "c"}, ["below", "below", "unjudged"]),
        ("rejected", None, ["below", "below"]),
        ("failed", None, ["below", "below"]),
        ("duplicate", None, ["below", "duplicate"]),
    ],
)
def test_lines_of_older_versions_are_read(status: str, record: dict[str, str] | None, became: list[str]) -> None:
    line = {"status": status, "record": record, "attempts": [{"id": "a"}, {"id": "b"}]}
    assert [name for name, _ in attempts_of(line)] == became
    assert list(attempts_of({"status": status, "record": None})) == []
