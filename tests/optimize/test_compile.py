"""Invariants of `python -m optimize.compile`, run against a brain for which better prompts help (see `compiling`).

1. Every optimizer compiles the whole program and single stages, with no more calls than promised. The written program
   loads, and the report describes every predictor.
2. If better prompts exist, they are found: the held-out score rises, and the report says by how much. If not, the report
   says so, and the program stays the same (tests/optimize/test_optimizers.py).
3. `programs.generate --program` uses the compiled program: prompts have its demonstrations, and records its fingerprint.
4. `--dry-run` makes no calls and writes nothing.
5. `--max-calls N` pays for at most N calls. A limit that is too low is rejected before any call. If the estimate was too
   low, the compilation ends with one line, and a larger N continues it without paying for anything twice.
7. An optimizer gets the training and validation sides of the split, the predictors to change, and the program's usual
   score as threshold, so that there always are good runs. A trial only costs calls of the stage that changes and of those
   that depend on it, since the others are replayed (tested with 1).
8. A repeated compilation makes no calls and has the same result (tested with 2). With `--no-resume`, it starts again and
   keeps the old folder (tests/optimize/test_compile_ends.py).
9. A log beside the folder records the compilation (tested with 2).
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import dspy
import pytest
from rich.console import Console

from optimize.compilation import run_compilation
from optimize.optimizers import MAX_DEMOS, OPTIMIZERS, Job
from optimize.report import MIN_SOURCES
from optimize.stages import TUNABLE
from programs.compiled import program_fingerprint, read_identity
from programs.tracer import load_tracer
from signatures.prompt import EXAMPLE
from tests.lab import Lab, write_passages
from tests.optimize.compiling import BANANAS, HELPFUL, USELESS, CompileLab, Proposer, WeakBrain, compile_lab

RESULT_FILES = {"program.json", "report.json", "report.md", "calls.journal.jsonl"}
JUDGED = {"judge_models": ["openai/a,openai/b"], "report_judge_models": ["openai/c"], "metric": "composite"}

PLAIN_FINGERPRINT = program_fingerprint(load_tracer())


@pytest.fixture(scope="module")
def bootstrapped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CompileLab]:
    """The whole program, compiled once for several tests, with enough test sources to be called better."""
    with compile_lab(tmp_path_factory.mktemp("bootstrapped")) as lab:
        lab.base.update(optimizer="bootstrap", num_test=MIN_SOURCES)
        lab.make_first_training_text_easy()
        lab.compile_ok()
        yield lab


@pytest.mark.parametrize("optimizer", ["mipro", "gepa"])
def test_1_the_whole_program(optimizer: str, tmp_path: Path) -> None:
    options = {**JUDGED, "optimizer": optimizer, "num_train": 1, "num_val": 1, "num_test": 2}
    with compile_lab(tmp_path, weak="answer") as lab:
        lab.make_first_training_text_easy(**options)
        assert f"at most about {lab.promised_calls(**options)} calls\n" in lab.compile_ok(**options)
        assert {path.name for path in lab.output.iterdir()} >= RESULT_FILES
        load_tracer(lab.output)
        assert read_identity(lab.output).model == "openai/any"
        report, judging = lab.report, {"judge.predict", "grader.predict"}
        assert set(report["predictors"]) == {stage.predictor for stage in TUNABLE.values()} | judging
        assert not any(report["predictors"][name]["changed"] for name in judging)
        assert sum(spend["calls"] for spend in report["spent"].values()) == lab.recorded_calls == lab.calls
        # Two texts, traced before and after; the report's one judge judges and grades each trace.
        assert report["spent"]["report-judge"]["calls"] <= 2 * 2 * 2
        assert report["spent"]["judge"]["calls"] >= 3


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_1_a_single_stage(optimizer: str, tmp_path: Path) -> None:
    """A stage improves by another instruction, or by a few demonstrations from good runs, without the passage."""
    options = {"optimizer": optimizer, "stage": "hypotheses"}
    instructed = optimizer == "gepa"
    with compile_lab(
        tmp_path, brain=WeakBrain("hypotheses", proposer=Proposer((HELPFUL if instructed else USELESS,)))
    ) as lab:
        lab.make_first_training_text_easy()
        printed, report = lab.compile_ok(**options), lab.report
        assert {name for name, tuned in report["predictors"].items() if tuned["changed"]} <= {"strands.hypotheses"}
        # The other strands were asked once for each text while tuning, and in the proof.
        assert lab.brain.request_counts["critique"] <= 2 * 4 + 4
        assert_better(lab, "hypotheses", printed)
        demos = json.loads((lab.output / "program.json").read_text())["strands.hypotheses"]["demos"]
    assert len(demos) == report["predictors"]["strands.hypotheses"]["demonstrations"] <= MAX_DEMOS
    assert bool(demos) is not instructed
    for demo in demos:
        assert not {"passage", "feedback", "earlier", "augmented"} & {*demo}
        assert "[1] " not in json.dumps(demo)
        assert BANANAS not in json.dumps(demo)


def assert_better(lab: CompileLab, weak: str, printed: str) -> None:
    """Asserts that the held-out score rose from near 0 to near 1, and that the report and the output say so."""
    report, text = lab.report, lab.report_text
    composite, tuned = report["proof"]["composite"], report["predictors"][TUNABLE[weak].predictor]
    assert composite["before"] < 0.2
    assert composite["after"] > 0.9
    enough = composite["pairs"] >= MIN_SOURCES
    assert report["improved"] is enough
    assert composite["interval"]["low"] > 0
    assert tuned["changed"]
    assert tuned["demonstrations"] or HELPFUL in tuned["instructions_after"]
    outcome = "The compiled program is better" if enough else "Too few sources to call the compiled program better"
    outcome += f": {composite['before']:.3f} before, {composite['after']:.3f} after"
    assert outcome in text
    assert outcome in printed
    assert ("use it with --program" in printed) is enough
    assert lab.fingerprint != PLAIN_FINGERPRINT


def test_2_and_8_demonstrations_come_from_good_runs_and_a_repetition_makes_no_calls(bootstrapped: CompileLab) -> None:
    calls, program, report = bootstrapped.calls, bootstrapped.fingerprint, bootstrapped.report
    assert_better(bootstrapped, "answer", bootstrapped.compile().stdout)
    assert (bootstrapped.calls, bootstrapped.fingerprint) == (calls, program)
    assert [bootstrapped.report[name] for name in ("proof", "spent")] == [report["proof"], report["spent"]]
    assert bootstrapped.report["predictors"]["writer.answer"]["demonstrations"]
    assert BANANAS not in (bootstrapped.output / "program.json").read_text()
    lines = (bootstrapped.folder / "compiled.run.log").read_text(encoding="utf-8").splitlines()
    assert "compilation started settings=" in lines[0]
    assert any("compilation finished improved=true" in line for line in lines)


def test_3_generate_uses_the_compiled_program(bootstrapped: CompileLab, tmp_path: Path) -> None:
    lab, before = bootstrapped, bootstrapped.calls
    base = {name: lab.base[name] for name in ("model", "api_base", "timeout", "patience", "retry_wait")}
    passages = str(write_passages(tmp_path / "fresh.jsonl", range(40, 43)))
    base |= {"input_file": [passages], "output": str(tmp_path / "out.json")}
    run_lab = Lab(tmp_path, lab.server, lab.brain.scientist, base)
    assert run_lab.run(max_traces=2, program=str(lab.output)).status == "completed"
    assert {record["generation"]["program"] for record in run_lab.records} == {lab.fingerprint}
    assert BANANAS not in "".join(record["final_answer"] for record in run_lab.records)
    assert all(EXAMPLE in str(body["messages"]) for body in lab.server.bodies[before:])


def test_4_and_5_a_dry_run_makes_no_calls_and_a_limit_that_is_too_low_is_rejected(tmp_path: Path) -> None:
    with compile_lab(tmp_path) as lab:
        done = lab.compile(max_calls=20)
        assert done.returncode == 2
        message = r"error: --max-calls 20 is too low: set it to \d+ or more, or lower --num-test\n"
        assert re.fullmatch(message, done.stderr)
        assert done.stdout == ""
        least = int(re.findall(r"set it to (\d+)", done.stderr)[0])
        assert lab.compile(max_calls=least - 1, dry_run=True).returncode == 2
        assert lab.compile(max_calls=least, dry_run=True).returncode == 0
        assert lab.calls == lab.server.model_list_requests == 0
        assert not lab.output.exists()


def test_4_stages_before_the_tuned_one_are_counted_once(tmp_path: Path) -> None:
    """Another run may only cost two judges, a grader, an answer and a proposal."""
    with compile_lab(tmp_path) as lab:
        compilation = lab.compilation(**JUDGED, stage="answer")
        assert compilation.max_calls_for(11) - compilation.max_calls_for(10) == 5


def test_5_a_spent_budget_ends_with_one_line_and_can_be_raised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("optimize.texts.TextCompilation.max_calls_for", lambda *_: 1)
    with compile_lab(tmp_path, brain=WeakBrain("hypotheses", needs_reask=True)) as lab:
        options = {"optimizer": "bootstrap", "stage": "hypotheses"}
        lab.make_first_training_text_easy()
        limit = 60
        done = lab.compile(**options, max_calls=limit)
        message = f"the budget of {limit} calls is spent; raise --max-calls and run the command again to continue"
        assert (done.returncode, done.stderr) == (1, f"error: {message}\n")
        assert lab.calls == lab.recorded_calls == limit
        assert not (lab.output / "report.json").exists()
        assert lab.compile(**options, max_calls=limit).returncode == 1
        assert lab.calls == limit

        done = lab.compile(**options, max_calls=3 * limit)
        assert done.returncode == 0, done.stderr
        assert lab.calls == lab.recorded_calls <= 3 * limit
        assert len({json.dumps(body, sort_keys=True) for body in lab.server.bodies}) == lab.calls
        assert lab.report["proof"]["stages"]["critique"]["failed_before"] == 4


def test_7_an_optimizer_that_is_registered_can_be_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It gets the train and val examples and the predictors to change; any result is compared with the original."""
    jobs: list[Job] = []

    def spy(job: Job) -> dspy.Module:
        jobs.append(job)
        copy = job.student.deepcopy()
        for _, predictor in copy.named_predictors():
            predictor.signature = predictor.signature.with_instructions(HELPFUL)
        return copy

    with compile_lab(tmp_path, weak="hypotheses") as lab:
        lab.make_first_training_text_easy(seed=5)
        monkeypatch.setitem(OPTIMIZERS, "spy", spy)
        compilation = lab.compilation(stage=["critique", "hypotheses"], seed=5)
        compilation.settings = compilation.settings.model_copy(update={"optimizer": "spy"})
        report = run_compilation(compilation, Console(quiet=True))
        names = [[name for name, _ in job.student.named_predictors()] for job in jobs]
        assert names == [["strands.critique"], ["strands.hypotheses"]]
        for job in jobs:
            assert [example.text for example in job.train] == [example.text for example in compilation.train]
            # The first validation text is kept for the final comparison.
            assert [example.text for example in job.val] == [example.text for example in compilation.val[1:]]
            assert (job.seed, job.concurrency) == (5, 4)
        # One of the two texts is easy.
        assert 0.5 < jobs[1].threshold < 1.0
        assert [example.text for example in jobs[1].good] == [compilation.train[0].text]
        assert report.proof.composite.after == 1.0
        # The other stage was changed too, but did not improve.
        assert [name for name, tuned in report.predictors.items() if tuned.changed] == ["strands.hypotheses"]
