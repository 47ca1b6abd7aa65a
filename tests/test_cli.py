"""The command line from the user's side: errors, `--dry-run` and `--list-models`.

1. An error that the user can fix is one clear line on stderr with exit code 2, without a traceback or paid calls.
2. `--dry-run` and `--list-models` write nothing, and `--dry-run` makes no calls.
"""

import re
from pathlib import Path

import pytest

from programs import document
from tests.lab import USER, Lab, laboratory, run_command, user_error, write_passages


def test_an_unknown_argo_model_is_an_error_with_a_suggestion(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = [("GPT-4.1", "gpt41"), ("Gemini 2.5 Pro", "gemini25pro")]
    with laboratory(tmp_path, texts=40, models=known, argo_user=USER) as lab:
        line = user_error(run_command(*lab.arguments(**{**lab.as_argo(monkeypatch), "model": "gpt4.1"})))
        assert "gpt41" in line, "the nearest name is suggested"
        assert lab.calls <= 8, "the run stops at once"


def test_an_unknown_judge_model_is_an_error(tmp_path: Path) -> None:
    with laboratory(tmp_path, models=[("any", "any"), ("mild", "mild")]) as lab:
        done = run_command(*lab.arguments(quality_check=True, judge_models=["openai/mild", "openai/mlid"]))
        assert "mlid" in user_error(done)


@pytest.mark.parametrize("output", ["file/out.json", "/proc/nowhere/out.json", "taken"])
def test_an_output_that_cannot_be_written_is_an_error_before_any_call(lab: Lab, output: str) -> None:
    (lab.folder / "file").write_text("", encoding="utf-8")
    (lab.folder / "taken").mkdir()
    line = user_error(run_command(*lab.arguments(output=str(lab.folder / output))))
    assert output.split("/")[-2 if "/" in output else -1] in line
    assert lab.calls == 0


def test_an_input_that_fails_during_a_run_ends_it_as_failed(lab: Lab) -> None:
    second = write_passages(lab.folder / "second.jsonl", range(9, 12))
    lab.server.brain = lambda body: (second.exists() and second.rename(f"{second}.gone"), lab.brain(body))[1]
    options = {"input_file": [str(lab.input), str(second)], "concurrency": 1}
    assert second.name in user_error(run_command(*lab.arguments(**options)))
    assert (len(lab.records), lab.lines("run")[-1]["status"]) == (4, "failed")
    assert run_command(str(lab.output), main=document.main).returncode == 0
    assert lab.document["metadata"]["status"] == "failed", "also in a document rebuilt from the journal"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"traces_per_sample": 3, "traces_per_question": 2}, 4 * (8 * 3 + 2 * 3 * (2 - 1))),
        ({"grade_answers": True, "max_traces": 3}, 3 * (8 + 1)),
    ],
)
def test_a_dry_run_writes_nothing_and_predicts_the_calls(lab: Lab, options: dict[str, int], expected: int) -> None:
    before = sorted(lab.folder.iterdir())
    done = run_command(*lab.arguments(**options, dry_run=True))
    assert done.returncode == 0
    assert sorted(lab.folder.iterdir()) == before
    assert lab.calls == 0
    match = re.search(r"(\d+) times", done.stdout)
    assert match is not None
    _, calls = lab.run_and_count(**options)
    assert calls == int(match.group(1)) == expected


def test_a_dry_run_reports_existing_traces_and_expected_errors(tmp_path: Path) -> None:
    with laboratory(tmp_path, texts=5) as lab:
        assert run_command(*lab.arguments(max_samples=2)).returncode == 0
        before, calls = lab.journal.read_bytes(), lab.calls
        again = run_command(*lab.arguments(dry_run=True)).stdout
        assert "already done: 2 traces; 2 of these texts" in again
        assert "would make: 3 traces" in again
        assert "refuse" not in again
        nothing_left = run_command(*lab.arguments(dry_run=True, max_traces=1)).stdout
        assert "would make: 0 traces" in nothing_left
        assert "would call" not in nothing_left
        three_per_text = run_command(*lab.arguments(dry_run=True, max_samples=2, traces_per_sample=3)).stdout
        assert "would make: 4 traces" in three_per_text, "each text has one already"
        assert "would call: 32 times" in three_per_text
        assert "fewer where earlier runs left replies" in " ".join(three_per_text.split())
        assert "--seed was 0 and is now 1" in run_command(*lab.arguments(dry_run=True, seed=1)).stdout
        without_user = run_command(*lab.arguments(dry_run=True, model="gpt41", api_base=None)).stdout
        assert "would refuse to start" in without_user
        assert "ARGO_USER" in without_user
        assert "nowhere" in run_command(*lab.arguments(dry_run=True, program="nowhere")).stdout
        assert (lab.journal.read_bytes(), lab.calls) == (before, calls)
        lab.journal.unlink()
        without_journal = run_command(*lab.arguments(dry_run=True)).stdout
        assert "already done: 2 traces" in without_journal
        assert "would make: 3 traces" in without_journal
        for path in (lab.output, lab.journal):
            path.write_text("mine\n")
            foreign = run_command(*lab.arguments(dry_run=True)).stdout
            assert re.search(rf"would refuse to start: \S+{path.name} is n", foreign)


def test_a_dry_run_names_the_models_of_each_stage(lab: Lab) -> None:
    options = {"quality_check": True, "judge_models": "openai/one,openai/two", "grade_answers": True}
    options |= {"stage_model": "questions=openai/three", "blind_solve": 1, "solver_model": "openai/four"}
    done = run_command(*lab.arguments(**options, max_traces=2, dry_run=True))
    output = " ".join(done.stdout.split())
    assert "openai/one, openai/two for 4 judges; openai/one for 2 grades" in output
    assert "(openai/three for 2 questions; " in output
    assert "openai/four, openai/one for 8 blind solving" in output


def test_the_servers_models_are_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with laboratory(tmp_path, argo_user=USER, models=[("GPT-4.1", "gpt41"), ("o3", "gpto3")]) as lab:
        lab.as_argo(monkeypatch)
        done = run_command("--list-models")
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines() == ["gpt41  (GPT-4.1)", "gpto3  (o3)"]
        assert (lab.server.model_list_requests, lab.calls) == (1, 0)
