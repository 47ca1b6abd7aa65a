"""The program and its stages work like any other modules of DSPy.

1. The Python block of docs/tuning.md runs unchanged: stock GEPA, Evaluate, save and load.
2. Stock optimizers compile the program, and the result can be saved and loaded. Evaluate runs it in threads at once.
3. Stock optimizers compile the judge alone. Every stage takes the fields of its signatures as keywords.
4. `forward` and `aforward` return the same. Both raise the error of a failed call, and Ctrl-C ends `forward`.
5. No class of ours overrides a private member of a DSPy class.
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
from tests import builders
from tests.lab import passage, wait_for
from tests.lms.asking import NO_RETRIES
from tests.standin import scientist
from tests.standin.faults import FaultPlan
from tests.standin.scientist import Scientist, StageRequest
from tests.standin.server import StandIn

PAGE = Path(__file__).resolve().parents[1] / "docs" / "tuning.md"
TRAINSET = [dspy.Example(text=passage(number), title=f"T{number}").with_inputs("text", "title") for number in (1, 2, 3)]

PROPOSED_INSTRUCTION = "Do the step with care, and name the cause."


def answer(request: StageRequest) -> dict[str, Any]:
    """Names the cause if the prompt has the proposed instruction or an example."""
    cause = " The cause is plain." if PROPOSED_INSTRUCTION in request.text or EXAMPLE in request.text else ""
    return {"text": scientist.answer(request)["text"] + cause}


class ProposingScientist(Scientist):
    """A stand-in scientist that also proposes instructions, in the fields that DSPy's own adapters ask for."""

    def __call__(self, body: dict[str, Any]) -> str:
        wanted = re.findall(r"`(?:\[\[ ## )?(\w+)", body["messages"][-1]["content"].rpartition("\nRespond with ")[2])
        if not wanted:
            return super().__call__(body)
        said = {name: PROPOSED_INSTRUCTION for name in wanted if name != "completed"}
        if "response_format" in body:
            return json.dumps(said)
        return "\n\n".join(f"[[ ## {name} ## ]]\n{text}" for name, text in said.items())


@contextmanager
def dspy_with_server(**server: Any) -> Iterator[StandIn]:
    """Configures DSPy with a model on a stand-in server, and without an adapter."""
    with StandIn(ProposingScientist({"answer": answer}), **server) as running:
        model = resolve("openai/any", api_base=running.openai_base, retry=NO_RETRIES, timeout=10.0, env={})
        with dspy.context(lm=model.lm):
            yield running
        model.close()
    assert not running.brain_errors


def metric(_example: dspy.Example, prediction: dspy.Prediction, trace: Any = None, *_: Any) -> Any:
    with_cause = [record for record in prediction.records if "cause is" in record.final_answer]
    return 0.5 + len(with_cause) / 2 if trace is None else bool(prediction.records)


def test_1_the_documented_python_block_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    [block] = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert len(block.splitlines()) <= 24
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, Any] = {}
    with StandIn(ProposingScientist({"answer": answer})) as server:
        lines = block.replace("http://localhost:8000/v1", server.openai_base).replace("dspy.configure(lm=lm)", "")
        with dspy.context(lm=resolve("openai/any", api_base=server.openai_base, env={}).lm):
            exec(compile(lines, str(PAGE), "exec"), namespace)
    assert isinstance(namespace["tracer"], Tracer)
    assert namespace["tracer"].dump_state() == namespace["tuned"].dump_state()
    assert not server.brain_errors


def test_2_a_stock_optimizer_compiles_the_program(tmp_path: Path) -> None:
    optimizer = dspy.BootstrapFewShotWithRandomSearch(
        metric=metric, max_bootstrapped_demos=1, max_labeled_demos=0, num_candidate_programs=1, num_threads=4
    )
    with dspy_with_server():
        compiled = optimizer.compile(load_tracer(), trainset=TRAINSET, valset=TRAINSET, restrict=[-3, -1])
        compiled.save(tmp_path / "program.json")
        loaded = load_tracer(tmp_path)
        changed = {key for key, value in loaded.dump_state().items() if value != load_tracer().dump_state()[key]}
        assert "writer.answer" in changed
        [record] = loaded(text=passage(4)).records
        assert "cause is" in record.final_answer


def test_2_evaluate_runs_it_in_threads() -> None:
    with dspy_with_server(latency=0.1) as server:
        result = dspy.Evaluate(devset=TRAINSET * 2, metric=metric, num_threads=4)(load_tracer())
        assert (result.score, len(result.results)) == (50.0, 6)
        assert len(server.calls) == 6 * 8
        # Four texts at once, each with its four strands at once.
        assert server.peak > 4


def test_3_the_judge_is_a_module_that_optimizers_take() -> None:
    given = builders.inputs_of_every_stage()
    fields = {name: str(given[name]) for name in ("passage", "question", "asked_by", "answer", "given", "thought")}
    rated_examples = [dspy.Example(**fields, human=rating).with_inputs(*fields) for rating in (3, 8)]

    def closeness(example: dspy.Example, prediction: dspy.Prediction, trace: Any = None) -> Any:
        distance = abs(prediction.verdict.overall - example.human)
        return distance < 9 if trace is not None else 1 - distance / 9

    with dspy_with_server():
        compiled = dspy.BootstrapFewShot(metric=closeness, max_bootstrapped_demos=1, max_labeled_demos=0).compile(
            JudgeStage(), trainset=rated_examples
        )
        assert compiled.predict.demos
        assert isinstance(compiled(**fields).verdict, VerdictSheet)
        assert dspy.Evaluate(devset=rated_examples, metric=closeness, num_threads=2)(compiled).score > 0


async def test_3_every_stage_with_one_predictor_takes_the_fields_of_its_signature() -> None:
    given = builders.inputs_of_every_stage()
    stages = [one for _, one in Tracer().named_sub_modules() if isinstance(one, PredictorModule)]
    assert len(stages) == 3
    with dspy_with_server():
        for stage in stages:
            signature = stage.predict.signature
            fields = {name: given[name] for name in signature.input_fields if name in given}
            [output] = signature.output_fields.values()
            awaited = await stage.acall(**fields)
            assert isinstance(next(iter(awaited.values())), output.annotation)
            assert stage(**fields).toDict() == awaited.toDict()


async def test_3_stages_with_several_predictors_give_each_all_its_inputs() -> None:
    given, tracer = builders.inputs_of_every_stage(), Tracer()
    with dspy_with_server(), dspy.context(trace=[]):
        for stage, names in (
            (tracer.strands, {*tracer.strands.context.signature.input_fields}),
            (tracer.writer, {*tracer.writer.trace.signature.input_fields, "analysis", "perspective"}),
        ):
            made = await stage.acall(**{name: given[name] for name in names & {*given}})
            assert all(isinstance(one, BaseModel) for one in made.values())
        asked = {predictor.signature.__name__: set(inputs) for predictor, inputs, _ in dspy.settings.trace}
    signatures = [one.signature for part in (tracer.strands, tracer.writer) for one in part.predictors()]
    assert asked == {one.__name__: {*one.input_fields} - {*RETRY_INPUTS} for one in signatures}


async def test_4_forward_and_aforward_return_the_same() -> None:
    with dspy_with_server():
        first, second = load_tracer()(text=passage(1)), await load_tracer().acall(text=passage(1))
        judged = load_tracer()(text=passage(1), quality_check=True)
    assert [record.final_answer for record in first.records] == [record.final_answer for record in second.records] != []
    assert {verdict.judge for record in judged.records for verdict in record.verdicts} == {"openai:any"}
    with pytest.raises(ValueError, match="judge_models: the LM that DSPy is configured with"):
        load_tracer()(text=passage(1), quality_check=True, judge_models=["gpt41"])
    with pytest.raises(ValueError, match="the text is empty"):
        load_tracer()(text=" ")


@pytest.mark.parametrize(
    ("faults", "error"),
    [(FaultPlan(script=[None, None, "401"]), AccessDenied), (FaultPlan(script=[None, *["500"] * 3]), TransientError)],
)
async def test_4_an_error_of_one_call_reaches_the_caller(faults: FaultPlan, error: type[Exception]) -> None:
    with dspy_with_server(faults=faults), pytest.raises(error):
        load_tracer()(text=passage(1))
    with dspy_with_server(faults=faults), pytest.raises(error):
        await load_tracer().acall(text=passage(1))


def test_4_ctrl_c_ends_forward() -> None:
    with dspy_with_server(faults=FaultPlan(script=[None, "hang"])) as server:

        def interrupt() -> None:
            wait_for(lambda: len(server.calls) == 2)
            os.kill(os.getpid(), signal.SIGINT)

        threading.Thread(target=interrupt).start()
        with pytest.raises(KeyboardInterrupt):
            load_tracer()(text=passage(1))
        assert len(server.calls) == 2


def subclasses_of(base: type) -> set[type]:
    direct: set[type] = {*base.__subclasses__()}
    return direct.union(*map(subclasses_of, direct))


def test_5_no_private_member_of_a_dspy_class_is_overridden() -> None:
    classes = set.union(*map(subclasses_of, (dspy.Adapter, dspy.LM, dspy.Module)))
    ours = {cls for cls in classes if cls.__module__.startswith(("programs.", "optimize.", "signatures."))}
    assert {PassageFirstAdapter, ProposalAdapter, DirectLM, RecordedLM, Tracer} < ours
    for cls in ours:
        dspy_names = {name for base in cls.__mro__ if base.__module__[:4] == "dspy" for name in vars(base)}
        assert not [name for name in vars(cls) if re.match("_[a-z]", name) and name in dspy_names], cls
