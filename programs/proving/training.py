"""Tier 2: one student trained in arms on equally many tokens, and measured on papers that none of them saw.

untouched   not trained
passages    the passages as they are
answers     question to answer, with an empty thought
thoughts    question to thought to answer
swapped     question to a thought of another paper to answer

Each arm is measured as it was trained: after `thoughts` and `swapped` the student thinks itself before it answers.
"""

import math
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from random import Random
from statistics import fmean
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel

from programs.proving.examples import Choice, Example, split_by_paper, swapped
from programs.proving.options import ProveOptions
from programs.proving.student import Ids, StudentModel, usable

ArmName = Literal["untouched", "passages", "answers", "thoughts", "swapped"]
TRAINED: tuple[ArmName, ...] = ("passages", "answers", "thoughts", "swapped")
THINKING: tuple[ArmName, ...] = ("thoughts", "swapped")
RATES, LORA_RATES = (1e-5, 3e-5, 1e-4), (5e-5, 2e-4, 5e-4)
ROWS_A_STEP, FEWEST_STEPS = 8, 20
"""Rows of the thought arm in a step, fewer where that makes fewer steps; the other arms take about as many."""

Row = tuple[Ids, Ids]
"""What is read, and what is learned."""


class Arm(NamedTuple):
    """A student to be trained: what with, which seed, and at which rate. Untouched, it has neither."""

    name: ArmName
    seed: int = 0
    rate: float = 0.0

    def __str__(self) -> str:
        return f"{self.name}, rate {self.rate:g}, seed {self.seed}" if self.rate else self.name


class ArmResult(BaseModel):
    """What became of an arm. `losses` are of the reference answers by example, `direct` the same without a thought;
    `choices` says which questions were answered right."""

    name: ArmName
    seed: int
    rate: float
    tokens: int = 0
    steps: int = 0
    losses: dict[str, float]
    direct: dict[str, float]
    choices: dict[str, bool]
    seconds: float

    @property
    def arm(self) -> Arm:
        return Arm(self.name, self.seed, self.rate)


class Course(NamedTuple):
    """What all arms have in common: the examples, the questions with options, and the tokens that each trains on."""

    train: list[Example]
    held: list[Example]
    choices: list[Choice]
    tokens: int
    arms: list[Arm]

    @classmethod
    def of(
        cls, student: StudentModel, examples: Sequence[Example], outside: Sequence[Choice], given: ProveOptions
    ) -> "Course":
        """Raises `UserError` for fewer than four papers."""
        train, held = split_by_paper(usable(student, examples), given.held_out, given.seed)
        tokens = math.ceil(given.epochs * sum(map(_size, _rows("thoughts", student, train, given.seed))))
        rates = given.learning_rates or (LORA_RATES if student.large else RATES)
        arms = [Arm(name, seed, rate) for seed in range(given.seeds) for rate in rates for name in TRAINED]
        choices = [one.choice for one in held if one.choice is not None]
        return cls(
            train, held, [*choices, *outside], min(tokens, given.max_tokens or tokens), [Arm("untouched"), *arms]
        )


def run_arms(
    student: StudentModel,
    course: Course,
    given: ProveOptions,
    done: Sequence[ArmResult],
    told: Callable[[ArmResult, int, int], None],
) -> list[ArmResult]:
    """The results of all arms, those that are `done` among them; `told` of each that is new, with its place and their
    number. The student is left as it was."""
    found = {one.arm: one for one in done}
    for place, arm in enumerate(course.arms, 1):
        if arm not in found:
            found[arm] = _run(arm, student, course, given)
            told(found[arm], place, len(course.arms))
    return [found[arm] for arm in course.arms]


def _run(arm: Arm, student: StudentModel, course: Course, given: ProveOptions) -> ArmResult:
    began = time.monotonic()
    rows = [] if arm.name == "untouched" else _drawn(arm, student, course, given.seed)
    with _trained(arm, student, rows, course, given.rows_at_once) as steps:
        thinks = arm.name in THINKING
        losses, direct = {}, {}
        for one in course.held:
            answer = student.ids(one.answer)
            direct[one.id] = student.loss(student.head(one.prompt, ""), answer)
            thought = student.think(one.prompt, given.think_tokens) if thinks else None
            losses[one.id] = (
                direct[one.id] if thought is None else student.loss(student.head(one.prompt, thought), answer)
            )
        choices = {}
        for choice in course.choices:
            thought = student.think(choice.prompt, given.think_tokens) if thinks else []
            choices[choice.id] = student.chosen(choice, thought) == choice.right
    return ArmResult(
        name=arm.name,
        seed=arm.seed,
        rate=arm.rate,
        tokens=sum(map(_size, rows)),
        steps=steps,
        losses=losses,
        direct=direct,
        choices=choices,
        seconds=round(time.monotonic() - began, 1),
    )


def _size(row: Row) -> int:
    return len(row[0]) + len(row[1])


def _rows(name: ArmName, student: StudentModel, train: Sequence[Example], seed: int) -> list[Row]:
    """The rows of an arm, each once. Rows that a strange thought makes too long are left out."""
    if name == "passages":
        texts = [student.ids(text) for text in dict.fromkeys(one.passage for one in train) if text]
        size = student.max_length
        return [([], ids[start : start + size]) for ids in texts for start in range(0, len(ids), size)]
    thoughts = {one.id: one.thought if name == "thoughts" else "" for one in train}
    if name == "swapped":
        thoughts = {one: other.thought for one, other in swapped(train, seed).items()}
    rows = [student.row(one, thoughts[one.id]) for one in train if one.id in thoughts]
    return [row for row in rows if _size(row) <= student.max_length]


def _drawn(arm: Arm, student: StudentModel, course: Course, seed: int) -> list[Row]:
    """The rows of an arm, shuffled anew for each time round, until they have as many tokens as every arm trains on."""
    rows, drawn, dice, tokens = _rows(arm.name, student, course.train, seed), list[Row](), Random(arm.seed), 0
    for _ in count() if rows else ():
        for row in dice.sample(rows, len(rows)):
            drawn.append(row)
            tokens += _size(row)
            if tokens >= course.tokens:
                return drawn
    return drawn


@contextmanager
def _trained(arm: Arm, student: StudentModel, rows: Sequence[Row], course: Course, at_once: int) -> Iterator[int]:
    """Inside, the student is trained on the rows, by so many steps; afterwards it is what it was. Without rows it is not
    trained."""
    if not rows:
        yield 0
        return
    from datasets import Dataset  # type: ignore[import-untyped]
    from transformers import PrinterCallback
    from trl import SFTTrainer

    whole = course.tokens / fmean(map(_size, _rows("thoughts", student, course.train, 0)))
    steps = max(1.0, whole / ROWS_A_STEP, min(whole, FEWEST_STEPS))
    base = student.model
    before = None if student.large else {name: value.clone() for name, value in base.state_dict().items()}
    data = Dataset.from_dict(
        {
            "input_ids": [[*read, *learned] for read, learned in rows],
            "completion_mask": [[0] * len(read) + [1] * len(learned) for read, learned in rows],
        }
    )
    rows_a_step = max(1, round(len(rows) / steps))
    # The rate of a warm-up begins at 0: of few steps it would be all.
    warm = len(rows) // rows_a_step // 10
    with tempfile.TemporaryDirectory(prefix="synthreasoner-") as folder:
        trainer = SFTTrainer(
            model=base.train(),
            args=_config(arm, student, rows_a_step, at_once, warm, folder),
            train_dataset=data,
            processing_class=student.tokenizer,
            peft_config=_lora() if student.large else None,
        )
        trainer.remove_callback(PrinterCallback)
        trainer.train()
        taken: int = trainer.state.global_step
        student.model = trainer.model.eval()
    try:
        yield taken
    finally:
        if before is None:
            student.model = student.model.unload()
        else:
            student.model.load_state_dict(before)
        student.model.eval()


def _config(arm: Arm, student: StudentModel, rows_a_step: int, at_once: int, warm: int, folder: str) -> Any:
    from trl import SFTConfig

    size = min(at_once, rows_a_step)
    return SFTConfig(
        output_dir=folder,
        learning_rate=arm.rate,
        seed=arm.seed,
        num_train_epochs=1,
        per_device_train_batch_size=size,
        gradient_accumulation_steps=math.ceil(rows_a_step / size),
        max_length=student.max_length,
        completion_only_loss=True,
        lr_scheduler_type="cosine",
        warmup_steps=warm,
        use_cpu=student.device == "cpu",
        bf16=student.device == "cuda",
        gradient_checkpointing=student.large,
        save_strategy="no",
        logging_strategy="no",
        report_to="none",
        disable_tqdm=True,
    )


def _lora() -> Any:
    from peft import LoraConfig

    return LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM")
