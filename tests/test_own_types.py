"""Question types and guidance that a lab adds in its config file.

1. The types are used in prompts, document, report and exports; guidance is added only to the instructions of its stage.
2. A resumed run refuses to mix other types or guidance with the earlier ones, and names both. Without any, none are stored.
3. The file may reword a built-in type. A mistake in it gives one line of error.
4. Added types come first as often as built-in ones, and do not change the order of those.
5. A compiled program works with added guidance, and with any question types.
"""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from programs.export import main as export
from programs.inputs.sample import content_id
from programs.option_groups import GUIDED_STAGES
from programs.report import main as report
from programs.stages.questions import type_order
from programs.tracer import Tracer, load_tracer
from signatures.question_type import QUESTION_TYPES, QuestionType
from tests.lab import Lab, run_command, user_error

ASKS = "how something came to be known"
HISTORY = {"asks": ASKS, "usual_level": "beginner"}
GUIDANCE = {"answer": "Give every length in parsecs.", "judge": "Turn down what has no unit."}
OWN_CONFIG: dict[str, Any] = {"question_types": {"history": HISTORY}, "guidance": GUIDANCE}


def config(lab: Lab, **values: Any) -> Path:
    path = lab.folder / "run.yaml"
    path.write_text(yaml.safe_dump(values), encoding="utf-8")
    return path


def error_line(lab: Lab, **options: Any) -> str:
    calls, line = lab.calls, user_error(run_command(*lab.arguments(**options)))
    assert lab.calls == calls
    return line


def test_types_and_guidance_reach_prompts_document_report_and_export(lab: Lab) -> None:
    options = {"quality_check": True, "judge_models": "openai/any", "traces_per_sample": 8}
    done = run_command(*lab.arguments(config=config(lab, **OWN_CONFIG), **options))
    assert done.returncode == 0, done.stderr
    types = [record["user_interaction"]["question_type"] for record in lab.records]
    assert sorted(types) == sorted([*QUESTION_TYPES, "history"] * 4)
    prompts = [json.dumps(body["messages"]) for body in lab.server.bodies]
    assert sum(f"It asks {ASKS}, usually at beginner level." in prompt for prompt in prompts) == 4
    guided = {stage: [prompt for prompt in prompts if paragraph in prompt] for stage, paragraph in GUIDANCE.items()}
    assert [len(guided["answer"]), len(guided["judge"])] == [
        lab.brain.request_counts["answer"],
        lab.brain.request_counts["judge"],
    ]
    assert run_command(str(lab.output), main=report).returncode == 0
    assert "history" in lab.output.with_suffix(".html").read_text(encoding="utf-8")
    folder = lab.folder / "table"
    assert run_command(str(lab.output), "--to", "table", "--output", str(folder), main=export).returncode == 0
    assert "history" in "".join(path.read_text() for path in folder.rglob("*.jsonl"))


def test_a_resumed_run_refuses_other_types_or_guidance(lab: Lab) -> None:
    assert run_command(*lab.arguments()).returncode == 0
    assert not {"question-types", "guidance"} & {*lab.lines("run")[-1]["mixing"]}
    line = error_line(lab, config=config(lab, **OWN_CONFIG))
    assert "--question-types was off and is now history" in line
    assert "--guidance was off and is now answer, judge" in line
    assert run_command(*lab.arguments(config=config(lab, **OWN_CONFIG), resume=False)).returncode == 0
    for name, changed in {"guidance": {"answer": "Be brief."}, "question-types": {}}.items():
        own = {**OWN_CONFIG, name.replace("-", "_"): changed}
        assert f"--{name} was" in error_line(lab, config=config(lab, **own))
    assert run_command(*lab.arguments(config=config(lab, **OWN_CONFIG))).returncode == 0


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"question_types": {"history": {"asks": ASKS}}}, "--question-types: history.usual_level must be given"),
        ({"question_types": {"history": {**HISTORY, "wrods": 9}}}, "--question-types: history.wrods: Extra inputs"),
        ({"question_types": {"what, when": HISTORY}}, "--question-types: what, when: String should match pattern"),
        ({"guidance": {"anser": "Be brief."}}, "--guidance: anser: "),
        ({"guidance": {"answer": ""}}, "--guidance"),
        ({"traces_per_sample": 9, "question_types": {"history": HISTORY}}, "there are 8 question types"),
    ],
)
def test_a_mistake_gives_one_line_of_error_and_no_call(lab: Lab, values: dict[str, Any], reason: str) -> None:
    assert reason in error_line(lab, config=config(lab, **values))


def test_a_built_in_type_can_be_reworded(lab: Lab) -> None:
    path = config(lab, question_types={"mechanism": HISTORY}, traces_per_sample=7)
    assert run_command(*lab.arguments(config=path)).returncode == 0
    assert len(lab.records) == 4 * 7
    prompts = "".join(json.dumps(body["messages"]) for body in lab.server.bodies)
    assert f"It asks {ASKS}, usually at beginner level." in prompts
    assert QUESTION_TYPES["mechanism"].asks not in prompts


def test_added_types_come_first_as_often_and_keep_the_order_of_the_others() -> None:
    names = [*QUESTION_TYPES, "history", "ethics"]
    orders = [type_order(content_id(f"Text number {number}."), 0, names) for number in range(900)]
    firsts = Counter(order[0] for order in orders)
    assert set(firsts) == set(names)
    assert all(65 <= count <= 135 for count in firsts.values()), firsts
    assert [name for name in orders[5] if name in QUESTION_TYPES] == type_order(content_id("Text number 5."), 0)


def test_a_compiled_program_works_with_guidance_and_added_types(tmp_path: Path) -> None:
    compiled = Tracer()
    compiled.writer.answer.signature = compiled.writer.answer.signature.with_instructions("Answer at once.")
    compiled.save(tmp_path / "program.json")
    loaded = load_tracer(tmp_path, guidance=dict.fromkeys(GUIDED_STAGES, "In parsecs."))
    assert loaded.writer.answer.signature.instructions == "Answer at once.\n\nIn parsecs."
    assert all(one.signature.instructions.endswith("\n\nIn parsecs.") for _, one in loaded.named_predictors())
    types = {**QUESTION_TYPES, "history": QuestionType.model_validate(HISTORY)}
    assert load_tracer(tmp_path, question_types=types).questions.types == types
