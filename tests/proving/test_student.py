"""Tiers 1 and 2 with a student with random weights, which is really trained. They need the extra `prove`.

1. A loss is the model's own, and the answer option with the lowest loss is chosen.
2. A part has the same tokens whatever comes before it: a row starts with the head after which answers are measured.
3. Lift is the difference of two losses, for a trace's own thought and for another paper's; perplexity by place is that of
   the quarters, from the same passes.
4. Arms train on equally many tokens, learn only completions, and leave the student unchanged; a killed run can be resumed.
5. Results of other options are measured anew and do not replace the earlier ones, which are not measured again.
6. `--metric lift` prefers a thought that bears on its answer.
7. Weights from a GGUF are trained like others.
8. The thought for a prompt does not depend on the other prompts of the batch.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

import pytest

from optimize.metrics import METRICS
from programs.errors import UserError
from programs.lms.weights import BUILT_IN, find
from programs.prove import main
from programs.proving.examples import Choice, Example, swap_thoughts
from programs.proving.options import BUILT_IN_STUDENT, ProveOptions
from programs.proving.tiers import lift, perplexity_by_quarter, prove
from tests.exports.building import record
from tests.proving.builders import document, examples, student_folder

if TYPE_CHECKING:
    from programs.proving.student import StudentModel


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return student_folder(tmp_path_factory.mktemp("student"))


@pytest.fixture
def student(folder: Path) -> StudentModel:
    from programs.proving.student import StudentModel

    return StudentModel(str(folder))


def options_for(folder: Path, path: Path, **more: Any) -> ProveOptions:
    values = {"student": str(folder), "seeds": 1, "learning_rates": [1e-3], "epochs": 0.5, "think_tokens": 3, **more}
    return ProveOptions.model_validate({"document": path, "tier": "2", **values})


def ignore(_: str) -> None: ...


def test_losses_are_the_models_own(student: StudentModel) -> None:
    import torch

    one = examples()[0]
    head, answer = student.head(one.prompt, one.thought), student.ids(one.answer)
    ids = torch.tensor([[*head, *answer]])
    labels = ids.clone()
    labels[0, : len(head)] = -100
    expected = student.model(input_ids=ids, labels=labels).loss.item()
    assert student.loss(head, answer) == pytest.approx(expected, rel=1e-4)
    read, learned = student.row(one, one.thought)
    assert [*read, *learned] == [*head, *answer, student.tokenizer.eos_token_id]
    choice = Choice("a", "paper", one.prompt, ("dust", "light", "slope"), 0)
    costs = [student.loss(student.head(one.prompt, ""), student.ids(option)) for option in choice.options]
    assert student.choose(choice, []) == costs.index(min(costs))


def test_a_thought_does_not_depend_on_the_batch(student: StudentModel) -> None:
    first, second = (one.prompt for one in examples(papers=1))
    prompts = [first, [*second, {"role": "user", "content": "Is it the dust, or the gas behind it?"}], second]
    alone = [thought for prompt in prompts for thought in student.think([prompt], 12, 1)]
    assert student.think(prompts, 12, 2) == alone
    assert max(map(len, alone)) > 1


def test_without_system_messages_the_user_turn_has_their_text(student: StudentModel) -> None:
    student.tokenizer.chat_template = (
        "{% for one in messages %}{% if one.role == 'system' %}{{ raise_exception('no system') }}{% endif %}"
        "{{ one.role }} {{ one.content }}{% endfor %}"
    )
    system, user = (message["content"] for message in examples()[0].prompt)
    assert student.prompt(examples()[0].prompt) == student.ids(f"user {system}\n\n{user}")


def test_traces_that_are_too_long_are_left_out(student: StudentModel) -> None:
    one, other = examples()[0], examples()[-1]
    student.max_length = sum(map(len, student.row(one, one.thought)))
    long = other._replace(thought=f"{one.thought} It is.", answer="It.")
    assert student.fits(long, long.thought)
    found = lift(student, [one, long], 0, ignore)
    assert (found.traces, found.left_out, found.other and found.other.pairs) == (2, 0, None), "its thought is too long"
    with pytest.raises(UserError, match="no trace fits"):
        lift(student, [one._replace(thought=long.thought)], 0, ignore)


def test_lift_is_the_difference_of_two_losses(student: StudentModel) -> None:
    known = examples()
    found = lift(student, known, 0, ignore)
    assert (found.traces, found.papers, found.left_out) == (12, 6, 0)

    def gain(one: Example, thought: str) -> float:
        answer = student.ids(one.answer)
        bare, after = (student.loss(student.head(one.prompt, text), answer) for text in ("", thought))
        return bare - after

    others = swap_thoughts(known, 0)
    own, other = [gain(one, one.thought) for one in known], [gain(one, others[one.id].thought) for one in known]
    means = (fmean(own), fmean(other), fmean(own) - fmean(other))
    intervals = (found.own, found.other, found.more)
    assert [one and one.difference for one in intervals] == [pytest.approx(mean, abs=1e-5) for mean in means]


def test_perplexity_by_place_is_that_of_the_quarters(student: StudentModel, folder: Path, tmp_path: Path) -> None:
    import torch

    known = examples()
    shown = {"thought": [[0.0] * len(known) for _ in range(4)], "answer": [[0.0] * len(known) for _ in range(4)]}
    for number, one in enumerate(known):
        head, answer = student.head(one.prompt, one.thought), student.ids(one.answer)
        start, size = len(student.prompt(one.prompt)) + len(student.opening), len(student.ids(one.thought))
        with torch.no_grad():
            logits = student.model(input_ids=torch.tensor([[*head, *answer]])).logits[0].double()
        costs = [float(-logits[at - 1].log_softmax(0)[id]) for at, id in enumerate([*head, *answer]) if at]
        for part, first, length in (("thought", start, size), ("answer", len(head), len(answer))):
            # The first quarters have a token more if the length is no multiple of four.
            sizes = [length // 4 + (quarter < length % 4) for quarter in range(4)]
            for quarter, count in enumerate(sizes):
                shown[part][quarter][number] = fmean(costs[first - 1 :][:count])
                first += count
    expected = {part: [math.exp(fmean(costs)) for costs in quarters] for part, quarters in shown.items()}
    path = document(tmp_path)
    options = options_for(folder, path, tier="1", learning_rates=[])
    found = prove(options, ignore).lift
    assert found is not None
    assert found.perplexity == {part: pytest.approx(values, rel=1e-4) for part, values in expected.items()}
    page = (tmp_path / "out-proof" / "README.md").read_text()
    for values in expected.values():
        assert f"| {' | '.join(f'{value:.1f}' for value in values)} |" in page
    assert perplexity_by_quarter([[1.0, 2.0], [3.0]]) == [
        pytest.approx(math.exp(2)),
        pytest.approx(math.exp(2)),
        None,
        None,
    ]


def test_arms_train_equally_and_the_student_is_unchanged(folder: Path, tmp_path: Path) -> None:
    path, lines = document(tmp_path), list[str]()
    results = prove(options_for(folder, path, outside=outside_file(tmp_path)), lines.append)
    arms = trained_arms(tmp_path)
    assert [arm["arm"][0] for arm in arms] == ["untouched", "passages", "answers", "thoughts", "swapped"]
    tokens = [arm["tokens"] for arm in arms[1:]]
    assert max(tokens) - min(tokens) < 250, "they differ by one row at most"
    steps = [arm["steps"] for arm in arms[1:]]
    assert min(steps) > 0.6 * max(steps), "and in about as many steps"
    assert arms[1]["losses"] != arms[0]["losses"]
    found = results.training
    assert found is not None
    assert found.verdict.startswith(("shown", "not shown"))
    assert {arm.figures["right_outside"] for arm in found.arms} <= {0.0, 0.25, 0.5, 0.75, 1.0}
    page = (tmp_path / "out-proof" / "README.md").read_text()
    assert page.count(found.verdict) == 1


def test_a_single_step_changes_the_losses(folder: Path, tmp_path: Path) -> None:
    prove(options_for(folder, document(tmp_path), max_tokens=1), ignore)
    untouched, *arms = trained_arms(tmp_path)
    assert {arm["steps"] for arm in arms} == {1}
    assert all(arm["direct"] != untouched["direct"] for arm in arms)


def test_only_completions_are_learned(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from trl import SFTTrainer

    batches: list[list[list[int]]] = []

    def record_batches(trainer: Any) -> None:
        labels = [row for batch in trainer.get_train_dataloader() for row in batch["labels"].tolist()]
        batches.append([[label for label in row if label >= 0] for row in labels])

    monkeypatch.setattr(SFTTrainer, "train", record_batches)
    prove(options_for(folder, document(tmp_path), seeds=2, epochs=1), ignore)
    from programs.proving.student import StudentModel

    student, known = StudentModel(str(folder)), examples()
    allowed = [
        [student.row(one, "")[1] for one in known],
        [student.row(one, one.thought)[1] for one in known],
        [student.row(one, other.thought)[1] for one in known for other in known if one.paper != other.paper],
    ]
    _, *trained = batches[:4]
    for rows, completions in zip(trained, allowed, strict=True):
        assert all(row in completions for row in rows), "the loss is of the whole completion, and not of the prompt"
    assert batches[2] != batches[6], "each seed has its own order"
    assert sorted(batches[2]) == sorted(batches[6])


def outside_file(folder: Path) -> Path:
    path = folder / "outside.jsonl"
    questions = [
        {"question": f"Is it {n}?", "context": ["It is."], "final_decision": ("yes", "no")[n % 2]} for n in range(4)
    ]
    path.write_text("".join(f"{json.dumps(row)}\n" for row in questions))
    return path


def trained_arms(folder: Path) -> list[dict[str, Any]]:
    lines = map(json.loads, (folder / "out-proof" / "arms.jsonl").read_text().splitlines())
    return [line["result"] for line in lines if line["kind"] == "arm"]


def test_a_killed_run_can_be_resumed(folder: Path, tmp_path: Path) -> None:
    path, journal = document(tmp_path), tmp_path / "out-proof" / "arms.jsonl"
    options = options_for(folder, path, epochs=0.2)
    first = prove(options, ignore)
    lines = journal.read_bytes().splitlines(keepends=True)
    # Killed while the fourth arm was written.
    journal.write_bytes(b"".join(lines[:4]) + lines[4][:30])
    messages = list[str]()
    again = prove(options, messages.append)
    assert [line.split(":")[0] for line in messages] == [f"loading {folder}", "tier 2", "tier 2"]
    assert (again.lift, again.training) == (first.lift, first.training), "later arms start with the same student"
    assert not [*journal.parent.glob("*.old")], "the same command replaces its own page"
    messages.clear()
    prove(options_for(folder, path, epochs=0.2, think_tokens=4), messages.append)
    assert len(messages) == 6, "all five arms are trained again, but the lift does not depend on this option"
    (old,) = journal.parent.glob("README.md.*.old")
    assert first.training is not None
    assert first.training.verdict in old.read_text()
    messages.clear()
    prove(options, messages.append)
    assert len(messages) == 1, "nothing is measured twice"


def test_a_student_that_diverges_is_an_error(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("programs.proving.student.StudentModel.answer_loss", lambda *_: math.nan)
    with pytest.raises(UserError, match="lower --learning-rates"):
        prove(options_for(folder, document(tmp_path)), ignore)
    assert not trained_arms(tmp_path)


def test_a_dry_run_says_what_would_be_done(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = document(tmp_path)
    assert main([str(path), "--tier", "2", "--student", str(folder), "--think-tokens", "3", "--dry-run"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "tier 0: 12 traces are read"
    assert "37 arms" in lines[2]
    assert not (tmp_path / "out-proof").exists()


@pytest.fixture(scope="module")
def built_in() -> StudentModel:
    for module in ("torch", "trl", "peft", "accelerate", "gguf"):
        pytest.importorskip(module, reason="the extra prove is not installed")
    if find(BUILT_IN[BUILT_IN_STUDENT]) is None:
        pytest.skip("the built-in student is not here")
    from programs.proving.student import built_in_student

    return built_in_student()


@pytest.mark.embedded
@pytest.mark.usefixtures("built_in")
def test_the_metric_prefers_a_thought_that_bears_on_its_answer() -> None:
    question = "Why does the measured slope of the two samples differ?"
    answer = "The second sample was taken through more dust, which dims its blue light, so its slope is too shallow."
    bearing = (
        "What differs between the samples? Dust dims blue light more than red.\n\nMore dust lies before the second one: "
        "it loses blue light, and a fit to what is left is too shallow."
    )
    fluent = (
        "What makes a bridge stand? Its arch leads the weight into the banks.\n\nA longer one needs more piers: each "
        "carries its part, and the river runs between them as it did."
    )
    records = [record(1, question=question, answer=answer, thought=thought) for thought in (bearing, fluent)]
    first, second = (METRICS["lift"].of(one).value or 0 for one in records)
    assert first > max(0.5, second + 0.02)


@pytest.mark.embedded
def test_weights_of_a_gguf_are_trained(built_in: StudentModel) -> None:
    from programs.proving.training import Arm, _trained

    one = Example("a", "paper", [{"role": "user", "content": "Why red?"}], "It is dust.", "By dust.")
    before = built_in.answer_loss(one, "")
    with _trained(Arm("answers", 0, 1e-4), built_in, [built_in.row(one, "")], 1, 1) as steps:
        assert (steps, built_in.answer_loss(one, "") < before) == (1, True)
    assert built_in.answer_loss(one, "") == before


@pytest.mark.usefixtures("folder")
def test_a_missing_model_is_a_user_error(tmp_path: Path) -> None:
    from programs.proving.student import StudentModel

    with pytest.raises(UserError, match="--student"):
        StudentModel(str(tmp_path / "none"))
