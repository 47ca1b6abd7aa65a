"""Invariants of `python -m optimize.compile`, run against a server in whose world better prompts help (see `compiling`).

1. Every optimizer compiles the whole program and single stages to the end, and asks no more than it said it would. What
   it writes loads, and says what became of every predictor.
2. Where there is something to find, it is found: the held-out score rises, and the report says by how much. Where there is
   nothing, the report says so, and the program is as it was (tests/optimize/test_optimizers.py).
3. `programs.generate --program` uses what was compiled: its prompts hold the demonstrations, its records name the program.
4. `--dry-run` asks nothing and writes nothing.
5. `--max-calls N` pays for no more than N calls; what is too few is refused before anything is asked; where the estimate
   was too low it ends with one line, and goes on with a larger N, paying for nothing twice.
7. An optimizer is given the sides of the split that it may see, the predictors that it may change, and as the threshold
   of a good run what the program usually scores, so that some run is always good. What it tries costs the calls of the
   stage that it changes alone: what comes before is replayed (with 1; which stages are: test_compile_settings.py).
8. Run again it asks nothing and comes to the same (with 2); with `--no-resume` it begins anew and keeps the old folder
   (tests/optimize/test_compile_ends.py).
9. How it went is in a log beside its folder (with 2).
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
from optimize.stages import STAGES
from programs.compiled import program_fingerprint, read_identity
from programs.tracer import load_tracer
from signatures.prompt import EXAMPLE
from tests.lab import Lab, write_passages
from tests.optimize.compiling import BANANAS, DULL, MAGIC, Proposer, Shop, World, workshop

FILES = {"program.json", "report.json", "report.md", "calls.journal.jsonl"}
JUDGED = {"judge_models": ["openai/a,openai/b"], "report_judge_models": ["openai/c"], "metric": "composite"}

BARE = program_fingerprint(load_tracer())


@pytest.fixture(scope="module")
def bootstrapped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """The whole program, compiled once for several tests, and proved on enough sources."""
    with workshop(tmp_path_factory.mktemp("bootstrapped")) as shop:
        shop.base.update(optimizer="bootstrap", num_test=MIN_SOURCES)
        shop.lucky_in_training()
        shop.made()
        yield shop


@pytest.mark.parametrize("optimizer", ["mipro", "gepa"])
def test_1_the_whole_program(optimizer: str, tmp_path: Path) -> None:
    options = {**JUDGED, "optimizer": optimizer, "num_train": 1, "num_val": 1, "num_test": 2}
    with workshop(tmp_path, weak="answer") as shop:
        shop.lucky_in_training(**options)
        assert f"at most about {shop.promised(**options)} calls\n" in shop.made(**options)
        assert {path.name for path in shop.output.iterdir()} >= FILES
        load_tracer(shop.output)
        assert read_identity(shop.output).model == "openai/any"
        report, others = shop.report, {"judge.predict", "grader.predict"}
        assert set(report["predictors"]) == {stage.predictor for stage in STAGES.values()} | others
        assert not any(report["predictors"][name]["changed"] for name in others)
        assert sum(spend["calls"] for spend in report["spent"].values()) == shop.recorded == shop.calls
        # Two traces before and after, of which each is judged and graded by the one judge of the report.
        assert report["spent"]["report-judge"]["calls"] <= 2 * 2 * 2
        assert report["spent"]["judge"]["calls"] >= 3


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_1_a_stage(optimizer: str, tmp_path: Path) -> None:
    """A stage is mended by another instruction, or by demonstrations of good runs on training texts, few and bare."""
    options = {"optimizer": optimizer, "stage": "hypotheses"}
    instructed = optimizer in ("copro", "gepa")
    with workshop(tmp_path, world=World("hypotheses", proposer=Proposer((MAGIC if instructed else DULL,)))) as shop:
        shop.lucky_in_training()
        printed, report = shop.made(**options), shop.report
        assert {name for name, tuned in report["predictors"].items() if tuned["changed"]} <= {"strands.hypotheses"}
        # Outside of the proof nothing beyond the strand was asked, and no strand beside it.
        assert shop.world.asked["critique"] <= 2 * 4
        assert shop.world.asked["answer"] <= 2 * 4
        better(shop, "hypotheses", printed)
        demos = json.loads((shop.output / "program.json").read_text())["strands.hypotheses"]["demos"]
    assert len(demos) == report["predictors"]["strands.hypotheses"]["demonstrations"] <= MAX_DEMOS
    assert bool(demos) is not instructed
    for demo in demos:
        assert not {"passage", "feedback", "earlier", "augmented"} & {*demo}
        assert "[1] " not in json.dumps(demo)
        assert BANANAS not in json.dumps(demo)


def better(shop: Shop, weak: str, printed: str) -> None:
    """The held-out score has risen from near 0 to near 1, and report and screen say so."""
    report, text = shop.report, shop.text
    composite, tuned = report["proof"]["composite"], report["predictors"][STAGES[weak].predictor]
    assert composite["before"] < 0.2
    assert composite["after"] > 0.9
    enough = composite["pairs"] >= MIN_SOURCES
    assert report["improved"] is enough
    assert composite["interval"]["low"] > 0
    assert tuned["changed"]
    assert tuned["demonstrations"] or MAGIC in tuned["instructions_after"]
    said = "The compiled program is better" if enough else "Too few sources to call the compiled program better"
    said += f": {composite['before']:.3f} before, {composite['after']:.3f} after"
    assert said in text
    assert said in printed
    assert ("use it with --program" in printed) is enough
    assert shop.fingerprint != BARE


def test_2_and_8_demonstrations_are_of_runs_that_went_well_and_run_again_it_asks_nothing(bootstrapped: Shop) -> None:
    calls, program, report = bootstrapped.calls, bootstrapped.fingerprint, bootstrapped.report
    better(bootstrapped, "answer", bootstrapped.compile().stdout)
    assert (bootstrapped.calls, bootstrapped.fingerprint) == (calls, program)
    assert [bootstrapped.report[name] for name in ("proof", "spent")] == [report["proof"], report["spent"]]
    assert bootstrapped.report["predictors"]["writer.answer"]["demonstrations"]
    assert BANANAS not in (bootstrapped.output / "program.json").read_text()
    lines = (bootstrapped.folder / "compiled.run.log").read_text(encoding="utf-8").splitlines()
    assert "compilation started settings=" in lines[0]
    assert any("compilation finished improved=true" in line for line in lines)


def test_3_generate_uses_it(bootstrapped: Shop, tmp_path: Path) -> None:
    shop, before = bootstrapped, bootstrapped.calls
    base = {name: shop.base[name] for name in ("model", "api_base", "timeout", "patience", "retry_wait")}
    fresh = str(write_passages(tmp_path / "fresh.jsonl", range(40, 43)))
    base |= {"input_file": [fresh], "output": str(tmp_path / "out.json")}
    lab = Lab(tmp_path, shop.server, shop.world.scientist, base)
    assert lab.run(max_traces=2, program=str(shop.output)).status == "completed"
    assert {record["generation"]["program"] for record in lab.records} == {shop.fingerprint}
    assert BANANAS not in "".join(record["final_answer"] for record in lab.records)
    assert all(EXAMPLE in str(body["messages"]) for body in shop.server.bodies[before:])


def test_4_and_5_a_dry_run_asks_nothing_and_too_few_calls_are_refused_before_any(tmp_path: Path) -> None:
    with workshop(tmp_path) as shop:
        done = shop.compile(max_calls=20)
        assert done.returncode == 2
        said = r"error: --max-calls 20 is too low: set it to \d+ or more, or lower --num-test\n"
        assert re.fullmatch(said, done.stderr)
        assert done.stdout == ""
        least = int(re.findall(r"set it to (\d+)", done.stderr)[0])
        assert shop.compile(max_calls=least - 1, dry_run=True).returncode == 2
        assert shop.compile(max_calls=least, dry_run=True).returncode == 0
        assert shop.calls == shop.server.model_lists == 0
        assert not shop.output.exists()


def test_4_stages_before_the_tuned_one_are_counted_once(tmp_path: Path) -> None:
    """Two judges, a grader, an answer and a proposal are all that a run more may cost: --max-calls leaves room by it."""
    with workshop(tmp_path) as shop:
        course = shop.course(**JUDGED, stage="answer")
        assert course.max_calls_for(11) - course.max_calls_for(10) == 5


def test_5_a_spent_budget_ends_with_one_line_and_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("optimize.texts.TextCompilation.max_calls_for", lambda *_: 1)
    with workshop(tmp_path, world=World("hypotheses", shy=True)) as shop:
        options = {"optimizer": "bootstrap", "stage": "hypotheses"}
        shop.lucky_in_training()
        limit = 60
        done = shop.compile(**options, max_calls=limit)
        said = f"the budget of {limit} calls is spent; raise --max-calls and run the command again to continue"
        assert (done.returncode, done.stderr) == (1, f"error: {said}\n")
        assert shop.calls == shop.recorded == limit
        assert not (shop.output / "report.json").exists()
        assert shop.compile(**options, max_calls=limit).returncode == 1
        assert shop.calls == limit

        done = shop.compile(**options, max_calls=2 * limit)
        assert done.returncode == 0, done.stderr
        assert shop.calls == shop.recorded <= 2 * limit
        assert len({json.dumps(body, sort_keys=True) for body in shop.server.bodies}) == shop.calls
        assert shop.report["proof"]["stages"]["critique"]["failed_before"] == 4


def test_7_a_new_optimizer_is_one_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is put into the table is run to the end, with the sides of the split that it may see and the predictors that
    it may change; whatever it makes of them is compared with the program as it was."""
    jobs: list[Job] = []

    def spy(job: Job) -> dspy.Module:
        jobs.append(job)
        made = job.student.deepcopy()
        for _, predictor in made.named_predictors():
            predictor.signature = predictor.signature.with_instructions(MAGIC)
        return made

    with workshop(tmp_path, weak="hypotheses") as shop:
        shop.lucky_in_training(seed=5)
        monkeypatch.setitem(OPTIMIZERS, "spy", spy)
        course = shop.course(stage=["critique", "hypotheses"], seed=5)
        course.settings = course.settings.model_copy(update={"optimizer": "spy"})
        report = run_compilation(course, Console(quiet=True))
        names = [[name for name, _ in job.student.named_predictors()] for job in jobs]
        assert names == [["strands.critique"], ["strands.hypotheses"]]
        for job in jobs:
            assert [example.text for example in job.train] == [example.text for example in course.train]
            # The first validation text is kept for the final comparison.
            assert [example.text for example in job.val] == [example.text for example in course.val[1:]]
            assert (job.seed, job.concurrency) == (5, 4)
        # One of the two texts is a lucky one.
        assert 0.5 < jobs[1].threshold < 1.0
        assert [example.text for example in jobs[1].good] == [course.train[0].text]
        assert report.proof.composite.after == 1.0
        # Nothing was gained with the other stage, though it was changed too.
        assert [name for name, tuned in report.predictors.items() if tuned.changed] == ["strands.hypotheses"]
