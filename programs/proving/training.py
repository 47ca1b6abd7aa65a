"""Tier 2: a student is trained in arms, each on the same number of tokens, and measured on papers that none of them saw.

untouched   no training
passages    the passages as they are
answers     question -> answer, with an empty thought
thoughts    question -> thought -> answer
swapped     question -> thought of another paper -> answer

Each arm is measured as it was trained: in `thoughts` and `swapped`, the student generates a thought before it answers.
"""

import math
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from random import Random
from statistics import fmean
from typing import Literal, NamedTuple

from pydantic import BaseModel

from programs.errors import UserError
from programs.inputs.sample import content_id
from programs.proving.examples import Choice, Example, split_by_paper, swap_thoughts
from programs.proving.options import ProveOptions
from programs.proving.student import Ids, StudentModel, fitting_examples
from programs.run.journal import Journal

ArmName = Literal["untouched", "passages", "answers", "thoughts", "swapped"]
TRAINED: tuple[ArmName, ...] = ("passages", "answers", "thoughts", "swapped")
THINKING: tuple[ArmName, ...] = ("thoughts", "swapped")
DEFAULT_RATES, DEFAULT_LORA_RATES = (1e-5, 3e-5, 1e-4), (5e-5, 2e-4, 5e-4)
MAX_ROWS_PER_STEP, MIN_STEPS = 8, 20
"""Rows per step of the thought arm, or fewer to reach this number of steps; the other arms take about as many steps."""
Row = tuple[Ids, Ids]
"""Prompt tokens, which carry no loss, and completion tokens, which are learned."""


class Arm(NamedTuple):
    """One training of the student: data, seed and learning rate. The untouched arm has neither seed nor rate."""

    name: ArmName
    seed: int = 0
    rate: float = 0.0


class ArmResult(BaseModel):
    """The measurements of an arm: `losses` of the reference answers by example, `direct` the same without a thought, and
    `choices`, which tells by question whether the right option was chosen."""

    arm: Arm
    tokens: int
    steps: int
    losses: dict[str, float]
    direct: dict[str, float]
    choices: dict[str, bool]


class TrainingPlan(NamedTuple):
    """The examples to train on and the held-out ones, the questions with options (of the held-out papers, and `outside` of
    other people), the tokens and steps of each training, and the arms."""

    train: list[Example]
    held: list[Example]
    choices: list[Choice]
    outside: list[Choice]
    tokens: int
    steps: float
    arms: list[Arm]


def plan_training(
    student: StudentModel, examples: Sequence[Example], outside: Sequence[Choice], options: ProveOptions
) -> TrainingPlan:
    """Plans the same training for every arm. Raises `UserError` for fewer than four papers, or if no trace fits."""
    train, held = split_by_paper(fitting_examples(student, examples), options.held_out, options.seed)
    sizes = [len(prompt) + len(completion) for prompt, completion in _rows("thoughts", student, train, options.seed)]
    tokens = min(math.ceil(options.epochs * sum(sizes)), options.max_tokens or math.inf)
    rows = tokens / fmean(sizes)
    steps = max(1.0, rows / max(1, min(MAX_ROWS_PER_STEP, int(rows) // MIN_STEPS)))
    rates = options.learning_rates or (DEFAULT_LORA_RATES if student.large else DEFAULT_RATES)
    arms = [Arm(name, seed, rate) for seed in range(options.seeds) for rate in rates for name in TRAINED]
    choices = [example.choice for example in held if example.choice is not None]
    return TrainingPlan(train, held, choices, [*outside], int(tokens), steps, [Arm("untouched"), *arms])


def run_arms(
    student: StudentModel, plan: TrainingPlan, options: ProveOptions, journal: Journal, say: Callable[[str], None]
) -> list[ArmResult]:
    """The results of all arms; those in the journal are not run again. The student is unchanged afterwards. Raises
    `UserError` if it diverges at a learning rate."""
    settings = options.model_dump(include={"student", "max_length", "think_tokens", "seed"})
    same_for_all = repr((settings, plan._replace(arms=[])))
    started = time.monotonic()
    new = 0
    results = list[ArmResult]()
    for number, arm in enumerate(plan.arms, 1):
        name = f"{arm.name}/{arm.seed}/{arm.rate!r}"
        key = f"{name}/{content_id(same_for_all)}"
        if line := journal.latest("arm", key):
            results.append(ArmResult.model_validate(line["result"]))
            continue
        results.append(_train_and_measure(arm, student, plan, options))
        journal.append("arm", key, result=results[-1].model_dump(mode="json"))
        new += 1
        left = (time.monotonic() - started) / new * (len(plan.arms) - number) / 60
        say(f"tier 2: arm {number} of {len(plan.arms)} ({name}): at most about {left:.0f} minutes left")
    return results


def _train_and_measure(arm: Arm, student: StudentModel, plan: TrainingPlan, options: ProveOptions) -> ArmResult:
    rows = _rows(arm.name, student, plan.train, options.seed)
    drawn = list[Row]()
    rng = Random(arm.seed)
    tokens = 0
    # The rows are shuffled again for each epoch, until they have the tokens that every arm gets.
    while rows and tokens < plan.tokens:
        for prompt, completion in rng.sample(rows, len(rows)):
            if tokens < plan.tokens:
                drawn.append((prompt, completion))
                tokens += len(prompt) + len(completion)

    def thoughts_on(items: Sequence[Example | Choice]) -> list[Ids]:
        if arm.name not in THINKING:
            return [[] for _ in items]
        return student.think([item.prompt for item in items], options.think_tokens, options.rows_at_once)

    with _trained(arm, student, drawn, plan.steps, options.rows_at_once) as steps:
        held = zip(plan.held, thoughts_on(plan.held), strict=True)
        losses = {example.id: student.answer_loss(example, thought) for example, thought in held}
        direct = {example.id: student.answer_loss(example, "") for example in plan.held}
        questions = [*plan.choices, *plan.outside]
        asked = zip(questions, thoughts_on(questions), strict=True)
        choices = {question.id: student.choose(question, thought) == question.right for question, thought in asked}
    if not all(map(math.isfinite, (*losses.values(), *direct.values()))):
        raise UserError(f"the student diverged at a learning rate of {arm.rate:g}: give lower --learning-rates")
    return ArmResult(arm=arm, tokens=tokens, steps=steps, losses=losses, direct=direct, choices=choices)


def _rows(name: ArmName, student: StudentModel, train: Sequence[Example], seed: int) -> list[Row]:
    """The rows of an arm, each once. Rows that another paper's thought makes too long are left out."""
    if name == "untouched":
        return []
    if name == "passages":
        texts = [student.ids(text) for text in dict.fromkeys(example.passage for example in train) if text]
        size = student.max_length
        return [([], ids[start : start + size]) for ids in texts for start in range(0, len(ids) - 1, size)]
    thoughts = {example.id: example.thought if name == "thoughts" else "" for example in train}
    if name == "swapped":
        thoughts = {id: other.thought for id, other in swap_thoughts(train, seed).items()}
    rows = [student.row(example, thoughts[example.id]) for example in train if example.id in thoughts]
    return [row for row in rows if sum(map(len, row)) <= student.max_length]


@contextmanager
def _trained(arm: Arm, student: StudentModel, rows: Sequence[Row], steps: float, at_once: int) -> Iterator[int]:
    """Trains the student on the rows in about `steps` steps, yields how many it took, and restores it afterwards."""
    if not rows:
        yield 0
        return
    # Imported here, since the extra `prove` may be missing.
    from datasets import Dataset  # type: ignore[import-untyped]
    from peft import LoraConfig
    from transformers import PrinterCallback
    from trl import SFTConfig, SFTTrainer

    rows_per_step = max(1, round(len(rows) / steps))
    # The largest batch size that divides the rows of a step, so that every step has the same number of rows.
    size = max(size for size in range(1, at_once + 1) if rows_per_step % size == 0)
    lora = LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM")
    weights = None if student.large else {name: value.clone() for name, value in student.model.state_dict().items()}
    columns = {
        "input_ids": [[*prompt, *completion] for prompt, completion in rows],
        "completion_mask": [[0] * len(prompt) + [1] * len(completion) for prompt, completion in rows],
    }
    with tempfile.TemporaryDirectory(prefix="synthreasoner-") as folder:
        config = SFTConfig(
            output_dir=folder,
            learning_rate=arm.rate,
            seed=arm.seed,
            num_train_epochs=1,
            per_device_train_batch_size=size,
            gradient_accumulation_steps=rows_per_step // size,
            max_length=student.max_length,
            completion_only_loss=True,
            lr_scheduler_type="cosine",
            # A warm-up starts at a rate of 0, so a training of few steps has none.
            warmup_steps=int(steps) // 10,
            use_cpu=student.device == "cpu",
            bf16=student.device == "cuda",
            gradient_checkpointing=student.large,
            save_strategy="no",
            logging_strategy="no",
            report_to="none",
            disable_tqdm=True,
        )
        trainer = SFTTrainer(
            model=student.model.train(),
            args=config,
            train_dataset=Dataset.from_dict(columns),
            processing_class=student.tokenizer,
            peft_config=lora if student.large else None,
        )
        trainer.remove_callback(PrinterCallback)
        trainer.train()
    student.model = trainer.model.eval()
    try:
        yield trainer.state.global_step
    finally:
        if weights is None:
            student.model = student.model.unload()
        else:
            student.model.load_state_dict(weights)
        student.model.eval()
