"""The program is one that DSPy's optimizers can compile: it runs synchronously, its predictors keep their traces, and what
an optimizer saves is loaded and used."""

from pathlib import Path
from typing import Any

import dspy

from optimize.metrics import METRICS
from programs.asking.adapter import PassageFirstAdapter
from programs.compiled import program_fingerprint
from programs.lms.resolve import resolve
from programs.tracer import load_tracer
from tests.lab import passage
from tests.standin.scientist import Scientist
from tests.standin.server import StandIn


def good(_example: dspy.Example, prediction: dspy.Prediction, _trace: Any = None) -> bool:
    return all((METRICS["self_contained"](record).value or 0) >= 1 for record in prediction.records)


def test_bootstrap_compiles_the_whole_program(tmp_path: Path) -> None:
    examples = [
        dspy.Example(text=passage(number), title=f"T{number}").with_inputs("text", "title") for number in (1, 2)
    ]
    with StandIn(Scientist()) as server:
        model = resolve("openai/any", api_base=server.openai_base)
        with dspy.context(lm=model.lm, adapter=PassageFirstAdapter()):
            student = load_tracer()
            optimizer = dspy.BootstrapFewShot(metric=good, max_bootstrapped_demos=1, max_labeled_demos=0, max_rounds=1)
            compiled = optimizer.compile(student, trainset=examples)
            demonstrated = {name for name, predictor in compiled.named_predictors() if predictor.demos}
            assert {"questions.predict", "strands.context", "writer.trace", "writer.answer"} <= demonstrated

            compiled.save(str(tmp_path / "program.json"))
            loaded = load_tracer(tmp_path)
            assert program_fingerprint(loaded, "passage-first") == program_fingerprint(compiled, "passage-first")
            assert program_fingerprint(loaded, "passage-first") != program_fingerprint(load_tracer(), "passage-first")

            before = len(server.calls)
            prediction = loaded(text=passage(3))
            assert len(prediction.records) == 1
            assert all("Example (about another passage):" in str(body["messages"]) for body in server.bodies[before:])
        model.close()
    assert not server.surprises
