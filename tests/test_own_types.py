"""Question types and guidance of a lab's own, from the config file alone.

1. They reach the prompts, the rotation, the document, the report and an export; guidance its stage's instruction alone.
2. A resume refuses to mix them with other ones, and names them; without any, journals say nothing of them.
3. A built-in type may be asked for in other words; a mistake in the file is one line.
4. The order of the built-in types is what it was; own ones lead as often as others.
5. A compiled program is used with guidance added, and with any question types.
"""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from programs.export import main as export
from programs.inputs.sample import content_id
from programs.report import main as report
from programs.stages.questions import type_order
from programs.tracer import GUIDED_PREDICTORS, Tracer, load_tracer
from signatures.question_type import QUESTION_TYPES, QuestionType
from tests.lab import Lab, called, mistake

ASKS = "how something came to be known"
HISTORY = {"asks": ASKS, "usual_level": "beginner"}
GUIDANCE = {"answer": "Give every length in parsecs.", "judge": "Turn down what has no unit."}
OWN: dict[str, Any] = {"question_types": {"history": HISTORY}, "guidance": GUIDANCE}


def config(lab: Lab, **values: Any) -> Path:
    path = lab.folder / "run.yaml"
    path.write_text(yaml.safe_dump(values), encoding="utf-8")
    return path


def refused(lab: Lab, **given: Any) -> str:
    calls, line = lab.calls, mistake(called(*lab.arguments(**given)))
    assert lab.calls == calls
    return line


def test_they_reach_prompts_document_report_and_export(lab: Lab) -> None:
    given = {"quality_check": True, "judge_models": "openai/any", "traces_per_sample": 8}
    done = called(*lab.arguments(config=config(lab, **OWN), **given))
    assert done.returncode == 0, done.stderr
    kinds = [record["user_interaction"]["question_type"] for record in lab.records]
    assert sorted(kinds) == sorted([*QUESTION_TYPES, "history"] * 4)
    prompts = [json.dumps(body["messages"]) for body in lab.server.bodies]
    assert sum(f"It asks {ASKS}, usually at beginner level." in prompt for prompt in prompts) == 4
    told = {stage: [prompt for prompt in prompts if paragraph in prompt] for stage, paragraph in GUIDANCE.items()}
    assert [len(told["answer"]), len(told["judge"])] == [lab.brain.asked["answer"], lab.brain.asked["judge"]]
    assert called(str(lab.output), main=report).returncode == 0
    assert "history" in lab.output.with_suffix(".html").read_text(encoding="utf-8")
    folder = lab.folder / "table"
    assert called(str(lab.output), "--to", "table", "--output", str(folder), main=export).returncode == 0
    assert "history" in "".join(path.read_text() for path in folder.rglob("*.jsonl"))


def test_a_resume_mixes_neither_them_nor_a_change_of_them(lab: Lab) -> None:
    assert called(*lab.arguments()).returncode == 0
    assert not {"question-types", "guidance"} & {*lab.lines("run")[-1]["mixing"]}
    line = refused(lab, config=config(lab, **OWN))
    assert "--question-types was off and is now history" in line
    assert "--guidance was off and is now answer, judge" in line
    assert called(*lab.arguments(config=config(lab, **OWN), resume=False)).returncode == 0
    for name, changed in {"guidance": {"answer": "Be brief."}, "question-types": {}}.items():
        own = {**OWN, name.replace("-", "_"): changed}
        assert f"--{name} was" in refused(lab, config=config(lab, **own))
    assert called(*lab.arguments(config=config(lab, **OWN))).returncode == 0


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"question_types": {"history": {"asks": ASKS}}}, "--question-types: history.usual_level must be given"),
        ({"question_types": {"what, when": HISTORY}}, "should match pattern"),
        ({"guidance": {"anser": "Be brief."}}, "--guidance"),
        ({"guidance": {"answer": ""}}, "--guidance"),
        ({"traces_per_sample": 9, "question_types": {"history": HISTORY}}, "there are 8 question types"),
    ],
)
def test_a_mistake_is_one_line(lab: Lab, values: dict[str, Any], reason: str) -> None:
    assert reason in refused(lab, config=config(lab, **values))


def test_a_built_in_type_in_other_words(lab: Lab) -> None:
    path = config(lab, question_types={"mechanism": HISTORY}, traces_per_sample=7)
    assert called(*lab.arguments(config=path)).returncode == 0
    assert len(lab.records) == 4 * 7
    prompts = "".join(json.dumps(body["messages"]) for body in lab.server.bodies)
    assert f"It asks {ASKS}, usually at beginner level." in prompts
    assert QUESTION_TYPES["mechanism"].asks not in prompts


def test_own_types_lead_as_often_and_leave_the_others_in_their_order() -> None:
    names = [*QUESTION_TYPES, "history", "ethics"]
    orders = [type_order(content_id(f"Text number {number}."), 0, names) for number in range(900)]
    leads = Counter(order[0] for order in orders)
    assert set(leads) == set(names)
    assert all(65 <= count <= 135 for count in leads.values()), leads
    assert [name for name in orders[5] if name in QUESTION_TYPES] == type_order(content_id("Text number 5."), 0)


def test_a_compiled_program_with_them(tmp_path: Path) -> None:
    made = Tracer()
    made.writer.answer.signature = made.writer.answer.signature.with_instructions("Answer at once.")
    made.save(tmp_path / "program.json")
    loaded = load_tracer(tmp_path, guidance=dict.fromkeys(GUIDED_PREDICTORS, "In parsecs."))
    assert loaded.writer.answer.signature.instructions == "Answer at once.\n\nIn parsecs."
    assert all(one.signature.instructions.endswith("\n\nIn parsecs.") for _, one in loaded.named_predictors())
    types = {**QUESTION_TYPES, "history": QuestionType.model_validate(HISTORY)}
    assert load_tracer(tmp_path, question_types=types).questions.types == types
