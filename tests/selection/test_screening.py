"""Questions that are left out: those that another text asked before, and those that give a benchmark away.

1. Of questions that ask the same, that of the text which stands first in the input is kept, whatever the concurrency and
   whatever goes wrong on the way; the text whose question is dropped uses its next one.
2. A run that was killed at any line of its journal, or stopped by a budget, ends as an undisturbed one; more traces a text
   change nothing that was decided.
3. What the present document leaves out is in the pool lines and on the list, with its twin, and is counted.
4. What gives a benchmark away is in no export, attempts that were turned down included. Other rules decide again: about
   the whole journal, without a call for what was made. What leaves the document stays in the journal, and comes back when
   its reason is gone.
5. Without the options nothing is dropped, and no file is written that was not.
6. Where distinct questions are asked, a text costs what it costs without the option.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from programs.errors import UserError
from programs.merge import merge
from programs.stages.questions import type_order
from programs.text.near_duplicates import similarity
from tests.lab import Lab, called, laboratory
from tests.run.test_resume import catalogue_of
from tests.standin import scientist
from tests.standin.faults import FaultPlan
from tests.standin.scientist import Asked

TEXTS = 9
SHARED = ("clarification", "mechanism", "limitation", "comparison")
TOPICS = ("lensing", "redshift", "metallicity")


def questions(asked: Asked) -> dict[str, Any]:
    """Four kinds of question are asked of every third text alike, in other words that carry nothing; three are its own."""
    number, made = catalogue_of(asked), scientist.questions(asked)
    how, topic = ("", "Please explain: ", "In detail, ")[number % 3], TOPICS[number % len(TOPICS)]
    for kind in SHARED:
        asks = f"{how}by what chain of causes does the {topic} scatter of faint targets bias a {kind} amplitude?"
        made[kind]["question"] = asks
    return made


DEDUPE: dict[str, Any] = {"dedupe_questions": True}


def pools(lab: Lab) -> dict[str, dict[str, Any]]:
    """The newest pool line of every text."""
    return {line["key"]: line for line in lab.lines("pool")}


def asked_in(lab: Lab) -> dict[str, str]:
    """The question of each unit of the document."""
    return {"/".join(map(str, unit)): text for unit, text in zip(lab.units, texts_of(lab), strict=True)}


def texts_of(lab: Lab) -> list[str]:
    return [record["user_interaction"]["question"] for record in lab.records]


def outcome(lab: Lab) -> tuple[dict[str, str], dict[str, Any]]:
    """What a run decided: the questions of its units, and each text's kept and dropped ones."""
    decided = {
        key: ([q["text"] for q in line["questions"]], [(q["text"], q["why"], q["twin"]) for q in line["dropped"]])
        for key, line in pools(lab).items()
    }
    return dict(sorted(asked_in(lab).items())), dict(sorted(decided.items()))


def expected(lab: Lab) -> dict[str, list[str]]:
    """The questions that each text keeps, by comparing each with all before it, in the order of the input."""
    by_place = sorted(lab.lines("sample"), key=lambda line: line["place"]["line"])
    kept: dict[str, list[str]] = {}
    for line in dict.fromkeys(line["key"] for line in by_place):
        pool = pools(lab)[line]
        order = type_order(line, 0)
        made = sorted([*pool["questions"], *pool["dropped"]], key=lambda question: order.index(question["type"]))
        earlier = [text for texts in kept.values() for text in texts]
        kept[line] = [q["text"] for q in made if all(similarity(q["text"], other) < 85 for other in earlier)]
    return kept


def no_two_alike(texts: list[str]) -> bool:
    return all(similarity(one, other) < 85 for n, one in enumerate(texts) for other in texts[:n])


# 1. Which is kept


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What one run, one call at a time, decides."""
    with laboratory(tmp_path_factory.mktemp("lab"), texts=TEXTS, stages={"questions": questions}, base=DEDUPE) as lab:
        lab.run(traces_per_sample=2, concurrency=1)
        assert {key: texts for key, (texts, _) in outcome(lab)[1].items()} == expected(lab)
        return outcome(lab)


def test_neither_concurrency_nor_faults_change_what_is_kept(undisturbed: Any, tmp_path: Path) -> None:
    faults = FaultPlan(share=0.3, kinds=["500", "reset", "429"], seed=1)
    with laboratory(tmp_path, texts=TEXTS, stages={"questions": questions}, base=DEDUPE, faults=faults) as lab:
        lab.run(traces_per_sample=2, concurrency=16)
        assert outcome(lab) == undisturbed


# 2. Over resumes


@pytest.mark.parametrize(("line", "lost"), [(4, ""), (33, "questions"), (61, "index"), (90, "")])
def test_a_run_killed_at_any_line_ends_as_an_undisturbed_one(
    undisturbed: Any, tmp_path: Path, line: int, lost: str
) -> None:
    """What the register and the index hold beyond the journal must count for nothing, and can be made again."""
    with laboratory(tmp_path, texts=TEXTS, stages={"questions": questions}, base=DEDUPE) as lab:
        lab.run(traces_per_sample=2)
        lines = lab.journal.read_bytes().split(b"\n")
        lab.journal.write_bytes(b"\n".join(lines[:line]) + b"\n" + lines[line][: len(lines[line]) // 2])
        for path in lab.folder.glob(f"out.journal.jsonl.{lost}*" if lost else "nothing"):
            path.unlink()
        lab.run(traces_per_sample=2)
        assert outcome(lab) == undisturbed


# 3. Told


def test_what_is_dropped_stands_in_the_journal_with_its_twin(tmp_path: Path) -> None:
    with laboratory(tmp_path, texts=TEXTS, stages={"questions": questions}, base=DEDUPE) as lab:
        finished = lab.run()
        dropped = [(key, question) for key, line in pools(lab).items() for question in line["dropped"]]
        assert len(dropped) == (TEXTS - len(TOPICS)) * len(SHARED)
        for key, question in dropped:
            sample, _, kind = question["twin"].partition("/")
            twin = next(q for q in pools(lab)[sample]["questions"] if q["type"] == kind)
            assert sample != key
            assert twin["text"] == question["twin_text"]
            assert similarity(twin["text"], question["text"]) >= 85
        assert finished.summary.questions["rejected"] == {"was asked of another text": len(dropped)}


# 4. Other rules


def bench(lab: Lab, name: str, *texts: str) -> str:
    path = lab.folder / name
    path.write_text("".join(f"{json.dumps({'question': text})}\n" for text in texts))
    return str(path)


def test_a_question_that_gives_a_benchmark_away_is_dropped_before_it_costs_anything(tmp_path: Path) -> None:
    with laboratory(tmp_path, texts=4) as lab:
        lab.run()
        units = asked_in(lab)
        victim, text = next(iter(units.items()))
        file = bench(lab, "bench.jsonl", "An unrelated question about the mass of neutrinos, is it not?", f"Q7. {text}")
        lab.run(resume=False)
        finished, calls = lab.counted(resume=False, decontaminate=[file])
        assert calls == 4 * 8
        assert len(lab.records) == 4
        assert victim not in asked_in(lab)
        (dropped,) = (question for line in pools(lab).values() for question in line["dropped"])
        assert dropped["why"] == "gives a benchmark away"
        assert dropped["twin"] == f"shares its words with {file}:2"
        assert finished.summary.questions["rejected"] == {"gives a benchmark away": 1}


def test_another_benchmark_decides_again_and_gives_back_what_it_does_not_hold(tmp_path: Path) -> None:
    with laboratory(tmp_path, texts=3) as lab:
        lab.run(traces_per_sample=2)
        made = asked_in(lab)
        first = next(iter(made))
        second = next(unit for unit in made if unit.split("/")[0] != first.split("/")[0])
        one, other = bench(lab, "one.jsonl", made[first]), bench(lab, "other.jsonl", made[second])

        _, calls = lab.counted(traces_per_sample=2, decontaminate=[one])
        assert calls == 7, "the next question of one text"
        assert first not in asked_in(lab)
        line = lab.latest_units()[first]
        assert (line["status"], line["record"]) == ("withdrawn", None)
        assert line["attempts"][-1]["user_interaction"]["question"] == made[first]
        assert f"{one}:1" in line["rejection"]["detail"]

        _, calls = lab.counted(traces_per_sample=2, decontaminate=[other])
        assert calls == 7
        assert first in asked_in(lab)
        assert second not in asked_in(lab)
        assert lab.records[0]["user_interaction"]["question"] == made[first]

        _, calls = lab.counted(traces_per_sample=2)
        assert calls == 0
        assert made.items() <= asked_in(lab).items()
        assert not any(line["dropped"] for line in pools(lab).values())


SECRET = "the entropy of a black hole is one quarter of the area of its horizon in units of the Planck length squared"


def test_a_trace_that_gives_a_benchmark_away_is_not_taken(tmp_path: Path) -> None:
    def answer(asked: Asked) -> dict[str, Any]:
        text = scientist.answer(asked)["text"]
        return {"text": f"{text} Note that {SECRET}." if catalogue_of(asked) == 1 else text}

    with laboratory(tmp_path, texts=3, stages={"answer": answer}) as lab:
        file = bench(lab, "bench.jsonl", f"True or false: {SECRET}?")
        finished = lab.run(decontaminate=[file])
        assert finished.summary.traces == {"accepted": 2, "contaminated": 1}
        assert SECRET not in lab.output.read_text()
        _, calls = lab.counted(decontaminate=[file])
        assert calls == 0
        (line,) = (line for line in lab.latest_units().values() if line["status"] == "contaminated")
        assert line["rejection"]["detail"] == f"shares its words with {file}:1"
        harmless = bench(lab, "harmless.jsonl", "What is the mass of a muon, and how well is it known today?")
        finished, calls = lab.counted(decontaminate=[harmless])
        assert (finished.summary.traces, calls) == ({"accepted": 3}, 0)
        assert given_away(lab) == []
        finished, calls = lab.counted(decontaminate=[file])
        assert (finished.summary.traces, calls) == ({"accepted": 2, "contaminated": 1}, 0)
        assert given_away(lab) == [(line["key"], None)]
        lab.run()
        assert given_away(lab) == []
        assert len(lab.records) == 3


def given_away(lab: Lab) -> list[tuple[str, str | None]]:
    """The units that give a benchmark away, and with an attempt, those of which only that does."""
    units = lab.latest_units().items()
    whole = [(key, None) for key, line in units if line["status"] == "contaminated"]
    others = ((key, line) for key, line in units if line["status"] != "contaminated")
    return [*whole, *((key, attempt) for key, line in others for attempt in line.get("contaminated") or ())]


def exported(lab: Lab, form: str) -> str:
    """All rows of an export."""
    from programs.export import main

    folder = lab.folder / form
    assert main([str(lab.output), "--to", form, "--output", str(folder), "--overwrite"]) == 0
    return "".join(path.read_text() for path in (folder / "data").iterdir())


@pytest.mark.parametrize("threshold", [6.0, 10.0], ids=["some accepted", "none accepted"])
def test_an_attempt_that_gives_a_benchmark_away_is_in_no_export(tmp_path: Path, threshold: float) -> None:
    """The judges turn every first attempt down; that of text 1 holds the secret."""

    def answer(asked: Asked) -> dict[str, Any]:
        text = scientist.answer(asked)["text"]
        more = SECRET if catalogue_of(asked) == 1 else "that is all there is to say"
        return {"text": text if "Sound, though" in asked.text else f"{text} And {more}."}

    def judge(asked: Asked) -> dict[str, Any]:
        first = SECRET in asked.text or "that is all there is to say" in asked.text
        return {**scientist.judge(asked), "overall": 3 if first else 8}

    judged = {"quality_check": True, "judge_models": ["openai/j"], "max_attempts": 2, "min_quality_score": threshold}
    stages: dict[str, scientist.Answer] = {"answer": answer, "judge": judge}
    with laboratory(tmp_path, texts=3, stages=stages, base=judged) as lab:
        lab.run()
        attempts = {record["id"]: key for key, line in lab.latest_units().items() for record in line["attempts"]}
        file = bench(lab, "bench.jsonl", f"True or false: {SECRET}?")
        for options in ({}, {"resume": False}):
            # First what is there is looked through, then all is made anew.
            finished, calls = lab.counted(decontaminate=[file], **options)
            assert calls == 0 or options
            ((unit, attempt),) = given_away(lab)
            assert attempts[str(attempt)] == unit
            assert finished.summary.findings.attempts_given_away == 1
            assert finished.summary.traces == {"accepted" if threshold < 8 else "rejected": 3}
            kto = exported(lab, "kto")
            assert (SECRET in kto, kto.count('"label":false')) == (False, 2 if threshold < 8 else 5)
            if threshold < 8:
                assert SECRET not in exported(lab, "dpo")
        finished, calls = lab.counted()
        assert (calls, finished.summary.findings.attempts_given_away) == (0, None)
        assert SECRET in exported(lab, "kto")


def test_asked_for_later_it_keeps_what_was_made(tmp_path: Path) -> None:
    """Where only one of two equal questions has a trace, that one stays, though its text comes second."""
    with laboratory(tmp_path, texts=TEXTS, stages={"questions": questions}) as lab:
        lab.run()
        before = asked_in(lab)
        twins = {
            text: [other for other in before.values() if similarity(text, other) >= 85] for text in before.values()
        }
        alone = {unit: text for unit, text in before.items() if len(twins[text]) == 1}
        assert len(before) > len(alone) + 1
        _, calls = lab.counted(**DEDUPE)
        after = asked_in(lab)
        assert alone.items() <= after.items()
        assert len(after) == TEXTS
        assert no_two_alike(list(after.values()))
        withdrawn = [line for line in lab.latest_units().values() if line["status"] == "withdrawn"]
        assert calls == 7 * len(withdrawn) > 0
        _, calls = lab.counted(**DEDUPE)
        assert calls == 0
        finished, calls = lab.counted()
        assert calls == 0
        assert before.items() <= asked_in(lab).items()
        assert "withdrawn" not in finished.summary.traces
        assert not any(line["dropped"] for line in pools(lab).values())


def test_a_merged_journal_is_screened_as_a_whole(tmp_path: Path) -> None:
    with laboratory(tmp_path, texts=TEXTS, stages={"questions": questions}, base=DEDUPE) as lab:
        for shard in (1, 2):
            lab.run(shard=f"{shard}/2", traces_per_sample=3)
        sources = sorted(str(path) for path in lab.folder.glob("out.shard-*.journal.jsonl"))
        merge(sources, lab.output)
        assert not no_two_alike(texts_of(lab))
        lab.run(traces_per_sample=3)
        assert no_two_alike(texts_of(lab))
        assert len(lab.records) == 3 * TEXTS


# 5. and 6. Without it


def test_a_benchmark_that_is_not_there_is_told_before_any_work(lab: Lab) -> None:
    with pytest.raises(UserError, match=r"--decontaminate: .*gone\.jsonl does not exist"):
        lab.run(decontaminate=[str(lab.folder / "gone.jsonl")])
    assert (lab.calls, lab.journal.exists()) == (0, False)
    done = called(*lab.arguments(decontaminate=["gone.jsonl"]))
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
