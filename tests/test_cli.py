"""The command as its user meets it: mistakes, and looks without touching.

1. A mistake that the user can mend is one clear line on standard error and exit code 2, without a traceback, and
   nothing is called that would cost.
2. `--dry-run` and `--list-models` write nothing, and the first calls nothing.
"""

import re
from pathlib import Path

import pytest

from programs import document
from tests.lab import USER, Lab, called, laboratory, mistake, write_passages


def test_a_model_that_argo_does_not_know(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = [("GPT-4.1", "gpt41"), ("Gemini 2.5 Pro", "gemini25pro")]
    with laboratory(tmp_path, texts=40, models=known, argo_user=USER) as lab:
        line = mistake(called(*lab.arguments(**{**lab.as_argo(monkeypatch), "model": "gpt4.1"})))
        assert "gpt41" in line, "the nearest name is given"
        assert lab.calls <= 8, "the run stops at once"


def test_a_judge_that_the_server_does_not_know(tmp_path: Path) -> None:
    with laboratory(tmp_path, models=[("any", "any"), ("mild", "mild")]) as lab:
        done = called(*lab.arguments(quality_check=True, judge_models=["openai/mild", "openai/mlid"]))
        assert "mlid" in mistake(done)


@pytest.mark.parametrize("place", ["file/out.json", "/proc/nowhere/out.json", "taken"])
def test_an_output_that_cannot_be_written(lab: Lab, place: str) -> None:
    (lab.folder / "file").write_text("", encoding="utf-8")
    (lab.folder / "taken").mkdir()
    line = mistake(called(*lab.arguments(output=str(lab.folder / place))))
    assert place.split("/")[-2 if "/" in place else -1] in line
    assert lab.calls == 0


def test_an_input_that_fails_later_ends_a_run_as_other_failures_do(lab: Lab) -> None:
    second = write_passages(lab.folder / "second.jsonl", range(9, 12))
    lab.server.brain = lambda body: (second.exists() and second.rename(f"{second}.gone"), lab.brain(body))[1]
    given = {"input_file": [str(lab.input), str(second)], "concurrency": 1}
    assert second.name in mistake(called(*lab.arguments(**given)))
    assert (len(lab.records), lab.lines("run")[-1]["status"]) == (4, "failed")
    assert called(str(lab.output), main=document.main).returncode == 0
    assert lab.document["metadata"]["status"] == "failed", "made again, too"


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"traces_per_sample": 3, "traces_per_question": 2}, 4 * (8 * 3 + 2 * 3 * (2 - 1))),
        ({"grade_answers": True, "max_traces": 3}, 3 * (8 + 1)),
    ],
)
def test_a_dry_run_touches_nothing_and_foretells_the_calls(lab: Lab, more: dict[str, int], expected: int) -> None:
    before = sorted(lab.folder.iterdir())
    done = called(*lab.arguments(**more, dry_run=True))
    assert done.returncode == 0
    assert sorted(lab.folder.iterdir()) == before
    assert lab.calls == 0
    found = re.search(r"(\d+) times", done.stdout)
    assert found is not None
    _, calls = lab.counted(**more)
    assert calls == int(found.group(1)) == expected


def test_a_dry_run_says_what_is_there_already_and_what_a_run_would_refuse(tmp_path: Path) -> None:
    with laboratory(tmp_path, texts=5) as lab:
        assert called(*lab.arguments(max_samples=2)).returncode == 0
        before, calls = lab.journal.read_bytes(), lab.calls
        again = called(*lab.arguments(dry_run=True)).stdout
        assert "already done: 2 traces; 2 of these texts" in again
        assert "would make: 3 traces" in again
        assert "refuse" not in again
        assert "would make: 0 traces" in called(*lab.arguments(dry_run=True, max_traces=1)).stdout
        more = called(*lab.arguments(dry_run=True, max_samples=2, traces_per_sample=3)).stdout
        assert "would make: 4 traces" in more, "one of each text is there"
        assert "would call: 32 times" in more
        assert "--seed was 0 and is now 1" in called(*lab.arguments(dry_run=True, seed=1)).stdout
        other = called(*lab.arguments(dry_run=True, model="gpt41", api_base=None)).stdout
        assert "would refuse to start" in other
        assert "ARGO_USER" in other
        assert "nowhere" in called(*lab.arguments(dry_run=True, program="nowhere")).stdout
        assert (lab.journal.read_bytes(), lab.calls) == (before, calls)
        lab.journal.unlink()
        alone = called(*lab.arguments(dry_run=True)).stdout
        assert "already done: 2 traces" in alone
        assert "would make: 3 traces" in alone
        for path in (lab.output, lab.journal):
            path.write_text("mine\n")
            foreign = called(*lab.arguments(dry_run=True)).stdout
            assert re.search(rf"would refuse to start: \S+{path.name} is n", foreign)


def test_a_dry_run_names_who_is_asked_for_what(lab: Lab) -> None:
    others = {"quality_check": True, "judge_models": "openai/one,openai/two", "grade_answers": True}
    others |= {"stage_model": "questions=openai/three", "blind_solve": 1, "solver_model": "openai/four"}
    done = called(*lab.arguments(**others, max_traces=2, dry_run=True))
    said = " ".join(done.stdout.split())
    assert "openai/one, openai/two for 4 judges; openai/one for 2 grades" in said
    assert "(openai/three for 2 questions; " in said
    assert "openai/four, openai/one for 8 blind solving" in said


def test_the_servers_models_are_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with laboratory(tmp_path, argo_user=USER, models=[("GPT-4.1", "gpt41"), ("o3", "gpto3")]) as lab:
        lab.as_argo(monkeypatch)
        done = called("--list-models")
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines() == ["gpt41  (GPT-4.1)", "gpto3  (o3)"]
        assert (lab.server.model_lists, lab.calls) == (1, 0)
