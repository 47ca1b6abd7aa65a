"""A DSPy user is at home: what DSPy does with modules it does with the program and its stages.

1. The lines of docs/tuning.md run as they stand: stock GEPA, Evaluate, save and load.
2. Stock optimizers compile the program; what they made is saved and loaded. Evaluate's threads run it at the same time.
3. The judge alone is a module that they take; every stage of one predictor takes its signature's fields.
4. `forward` and `aforward` make the same; an error of one call reaches whoever called, in both, and so does Ctrl-C.
5. Nothing that is private to a class of DSPy is replaced in a class of ours.
"""

import json
import os
import re
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dspy
import pytest
from pydantic import BaseModel

from optimize.proposing import ProposalAdapter
from optimize.recording import RecordedLM
from programs.asking.adapter import PassageFirstAdapter
from programs.asking.caller import PredictorModule
from programs.errors import AccessDenied, TransientError
from programs.lms.engine import DirectLM
from programs.lms.resolve import resolve
from programs.stages.judge import JudgeStage
from programs.tracer import Tracer, load_tracer
from signatures.judge import VerdictSheet
from signatures.prompt import EXAMPLE, RETRY_INPUTS
from tests import making
from tests.lab import passage, wait_for
from tests.lms.asking import ONCE
from tests.standin import scientist
from tests.standin.faults import FaultPlan
from tests.standin.scientist import Asked, Scientist
from tests.standin.server import StandIn

PAGE = Path(__file__).resolve().parents[1] / "docs" / "tuning.md"
TRAINSET = [dspy.Example(text=passage(number), title=f"T{number}").with_inputs("text", "title") for number in (1, 2, 3)]

CARE = "Do the step with care, and name the cause."


def answer(asked: Asked) -> dict[str, Any]:
    """Names the cause where an instruction says so, or where an example is shown."""
    named = " The cause is plain." if CARE in asked.text or EXAMPLE in asked.text else ""
    return {"text": scientist.answer(asked)["text"] + named}


class Brain(Scientist):
    """The stand-in's scientist, who also writes instructions, in the fields that DSPy's own adapters ask for."""

    def __call__(self, body: dict[str, Any]) -> str:
        wanted = re.findall(r"`(?:\[\[ ## )?(\w+)", body["messages"][-1]["content"].rpartition("\nRespond with ")[2])
        if not wanted:
            return super().__call__(body)
        said = {name: CARE for name in wanted if name != "completed"}
        if "response_format" in body:
            return json.dumps(said)
        return "\n\n".join(f"[[ ## {name} ## ]]\n{text}" for name, text in said.items())


@contextmanager
def served(**server: Any) -> Iterator[StandIn]:
    """DSPy configured with a model on a stand-in server, and with no adapter."""
    with StandIn(Brain({"answer": answer}), **server) as running:
        model = resolve("openai/any", api_base=running.openai_base, retry=ONCE, timeout=10.0, env={})
        with dspy.context(lm=model.lm):
            yield running
        model.close()
    assert not running.surprises


def metric(_example: dspy.Example, prediction: dspy.Prediction, trace: Any = None, *_: Any) -> Any:
    named = [record for record in prediction.records if "cause is" in record.final_answer]
    return 0.5 + len(named) / 2 if trace is None else bool(prediction.records)


def test_1_the_documented_lines_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    [block] = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert len(block.splitlines()) <= 24
    monkeypatch.chdir(tmp_path)
    found: dict[str, Any] = {}
    with StandIn(Brain({"answer": answer})) as server:
        lines = block.replace("http://localhost:8000/v1", server.openai_base).replace("dspy.configure(lm=lm)", "")
        with dspy.context(lm=resolve("openai/any", api_base=server.openai_base, env={}).lm):
            exec(compile(lines, str(PAGE), "exec"), found)
    assert isinstance(found["tracer"], Tracer)
    assert found["tracer"].dump_state() == found["tuned"].dump_state()
    assert not server.surprises


def test_2_a_stock_optimizer_compiles_the_program(tmp_path: Path) -> None:
    """It bootstraps demonstrations, too."""
    optimizer = dspy.BootstrapFewShotWithRandomSearch(
        metric=metric, max_bootstrapped_demos=1, max_labeled_demos=0, num_candidate_programs=1, num_threads=4
    )
    with served():
        compiled = optimizer.compile(load_tracer(), trainset=TRAINSET, valset=TRAINSET, restrict=[-3, -1])
        compiled.save(tmp_path / "program.json")
        loaded = load_tracer(tmp_path)
        changed = {key for key, value in loaded.dump_state().items() if value != load_tracer().dump_state()[key]}
        assert "writer.answer" in changed
        [record] = loaded(text=passage(4)).records
        assert "cause is" in record.final_answer


def test_2_evaluate_runs_it_in_threads() -> None:
    with served(latency=0.1) as server:
        result = dspy.Evaluate(devset=TRAINSET * 2, metric=metric, num_threads=4)(load_tracer())
        assert (result.score, len(result.results)) == (50.0, 6)
        assert len(server.calls) == 6 * 8
        # Four texts at once, and of each the four strands at once.
        assert server.peak > 4


def test_3_the_judge_is_a_module_that_optimizers_take() -> None:
    given = making.inputs_of_every_stage()
    fields = {name: str(given[name]) for name in ("passage", "question", "asked_by", "answer", "given", "thought")}
    judged = [dspy.Example(**fields, human=rating).with_inputs(*fields) for rating in (3, 8)]

    def near(example: dspy.Example, prediction: dspy.Prediction, trace: Any = None) -> Any:
        distance = abs(prediction.verdict.overall - example.human)
        return distance < 9 if trace is not None else 1 - distance / 9

    with served():
        compiled = dspy.BootstrapFewShot(metric=near, max_bootstrapped_demos=1, max_labeled_demos=0).compile(
            JudgeStage(), trainset=judged
        )
        assert compiled.predict.demos
        assert isinstance(compiled(**fields).verdict, VerdictSheet)
        assert dspy.Evaluate(devset=judged, metric=near, num_threads=2)(compiled).score > 0


async def test_3_every_stage_of_one_predictor_takes_its_fields() -> None:
    given = making.inputs_of_every_stage()
    stages = [one for _, one in Tracer().named_sub_modules() if isinstance(one, PredictorModule)]
    assert len(stages) == 3
    with served():
        for stage in stages:
            signature = stage.predict.signature
            fields = {name: given[name] for name in signature.input_fields if name in given}
            [output] = signature.output_fields.values()
            awaited = await stage.acall(**fields)
            assert isinstance(next(iter(awaited.values())), output.annotation)
            assert stage(**fields).toDict() == awaited.toDict()


async def test_3_the_stages_of_several_predictors_give_each_all_that_it_takes() -> None:
    given, tracer = making.inputs_of_every_stage(), Tracer()
    with served(), dspy.context(trace=[]):
        for stage, names in (
            (tracer.strands, {*tracer.strands.context.signature.input_fields}),
            (tracer.writer, {*tracer.writer.trace.signature.input_fields, "analysis", "perspective"}),
        ):
            made = await stage.acall(**{name: given[name] for name in names & {*given}})
            assert all(isinstance(one, BaseModel) for one in made.values())
        asked = {predictor.signature.__name__: set(inputs) for predictor, inputs, _ in dspy.settings.trace}
    signatures = [one.signature for part in (tracer.strands, tracer.writer) for one in part.predictors()]
    assert asked == {one.__name__: {*one.input_fields} - {*RETRY_INPUTS} for one in signatures}


async def test_4_both_ways_make_the_same() -> None:
    with served():
        one, other = load_tracer()(text=passage(1)), await load_tracer().acall(text=passage(1))
        judged = load_tracer()(text=passage(1), quality_check=True)
    assert [record.final_answer for record in one.records] == [record.final_answer for record in other.records] != []
    assert {verdict.judge for record in judged.records for verdict in record.verdicts} == {"openai:any"}
    with pytest.raises(ValueError, match="judge_models: the LM that DSPy is configured with"):
        load_tracer()(text=passage(1), quality_check=True, judge_models=["gpt41"])


@pytest.mark.parametrize(
    ("faults", "error"),
    [(FaultPlan(script=[None, None, "401"]), AccessDenied), (FaultPlan(script=[None, *["500"] * 3]), TransientError)],
)
async def test_4_an_error_of_one_call_reaches_the_caller(faults: FaultPlan, error: type[Exception]) -> None:
    with served(faults=faults), pytest.raises(error):
        load_tracer()(text=passage(1))
    with served(faults=faults), pytest.raises(error):
        await load_tracer().acall(text=passage(1))


def test_4_ctrl_c_ends_a_forward() -> None:
    with served(faults=FaultPlan(script=[None, "hang"])) as server:

        def interrupt() -> None:
            wait_for(lambda: len(server.calls) == 2)
            os.kill(os.getpid(), signal.SIGINT)

        threading.Thread(target=interrupt).start()
        with pytest.raises(KeyboardInterrupt):
            load_tracer()(text=passage(1))
        assert len(server.calls) == 2


def heirs(base: type) -> set[type]:
    direct: set[type] = {*base.__subclasses__()}
    return direct.union(*map(heirs, direct))


def test_5_nothing_private_of_dspy_is_replaced() -> None:
    classes = set.union(*map(heirs, (dspy.Adapter, dspy.LM, dspy.Module)))
    ours = {each for each in classes if each.__module__.startswith(("programs.", "optimize.", "signatures."))}
    assert {PassageFirstAdapter, ProposalAdapter, DirectLM, RecordedLM, Tracer} < ours
    for each in ours:
        theirs = {name for base in each.__mro__ if base.__module__[:4] == "dspy" for name in vars(base)}
        assert not [name for name in vars(each) if re.match("_[a-z]", name) and name in theirs], each
