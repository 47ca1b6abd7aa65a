"""The student: a causal language model with its tokenizer, and what a text costs it. The one file that loads torch."""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from jinja2 import TemplateError

from programs.errors import UserError
from programs.exports.view import THINK
from programs.lms.weights import BUILT_IN, fetch
from programs.proving.examples import Choice, Example, Messages
from programs.proving.options import BUILT_IN_STUDENT

NEEDED = ("torch", "transformers", "gguf", "trl", "peft", "accelerate")
LARGE = 1_000_000_000
"""Parameters above which LoRA is trained, and not the whole model."""

_ROLES = {"system": "", "user": "Question: ", "assistant": "Answer: "}
Ids = list[int]


def check_extra() -> None:
    """Raises `UserError` where the extra `prove` is not installed. Loads nothing."""
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise UserError(f"a student needs {', '.join(missing)}: pip install 'synthreasoner[prove]'")


class StudentModel:
    """A model on the device that there is: the built-in one's name, a folder, a GGUF file, or a name on the Hub. Texts are
    tokenised part by part, so that a part has the same tokens whatever stands before it. Losses are means in nats a token.
    Raises `UserError`."""

    def __init__(self, name: str, max_length: int = 2048) -> None:
        check_extra()
        import datasets  # type: ignore[import-untyped]
        import torch
        import transformers

        # Each arm would draw a dozen bars.
        transformers.utils.logging.disable_progress_bar()
        datasets.disable_progress_bars()
        path = fetch(BUILT_IN[name]) if name in BUILT_IN else Path(name).expanduser()
        gguf = {"gguf_file": path.name} if path.suffix == ".gguf" else {}
        where = str(path.parent if gguf else path) if gguf or path.exists() else name
        try:
            self.tokenizer: Any = transformers.AutoTokenizer.from_pretrained(where, **gguf)
            model: Any = transformers.AutoModelForCausalLM.from_pretrained(where, dtype=torch.float32, **gguf)
        except (OSError, ValueError, KeyError) as error:
            raise UserError(f"--student: {name} cannot be loaded: {str(error).strip().splitlines()[0]}") from None
        if gguf:
            _unmark(model, name)
        self.tokenizer.pad_token = self.tokenizer.pad_token or self.tokenizer.eos_token
        self.large = model.num_parameters() > LARGE
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        if self.large and self.device == "cuda":
            model = model.to(torch.bfloat16)
        self.model = model.to(self.device).eval()
        self.max_length = min(max_length, getattr(model.config, "max_position_embeddings", None) or max_length)
        self.opening, self.closing = self.ids(f"{THINK.open}\n"), self.ids(f"\n{THINK.close}\n\n")

    def ids(self, text: str) -> Ids:
        found: Ids = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        return found

    def prompt(self, messages: Messages) -> Ids:
        """The tokens of a prompt, by the model's chat template; without one in plain words."""
        if not self.tokenizer.chat_template:
            turns = (f"{_ROLES[message['role']]}{message['content']}\n\n" for message in messages)
            return self.ids("".join(turns) + _ROLES["assistant"])
        rendered = partial(self.tokenizer.apply_chat_template, tokenize=False, add_generation_prompt=True)
        try:
            return self.ids(rendered(messages))
        except TemplateError:
            # Some take no system message: what it says begins the user's turn.
            return self.ids(rendered([{"role": "user", "content": "\n\n".join(one["content"] for one in messages)}]))

    def head(self, messages: Messages, thought: str | Ids) -> Ids:
        """A prompt and a thought, up to where the answer begins; an empty thought has its tags too."""
        inside = self.ids(thought) if isinstance(thought, str) else thought
        return [*self.prompt(messages), *self.opening, *inside, *self.closing]

    def row(self, example: Example, thought: str) -> tuple[Ids, Ids]:
        """The prompt of a training row and its completion: thought and answer, and the token that ends it."""
        head, start = self.head(example.prompt, thought), len(self.prompt(example.prompt))
        return head[:start], [*head[start:], *self.ids(example.answer), self.tokenizer.eos_token_id]

    def fits(self, example: Example, thought: str) -> bool:
        """Whether question, thought and answer can be read at once."""
        return sum(map(len, self.row(example, thought))) <= self.max_length

    def loss(self, head: Ids, target: Ids) -> float:
        """What `target` costs after `head`, of which the beginning is left out where both are too long."""
        import torch

        ids = [*head, *target][-self.max_length :]
        count = min(len(target), len(ids) - 1)
        with torch.no_grad():
            logits = self.model(input_ids=torch.tensor([ids], device=self.device)).logits[0, -count - 1 : -1].float()
            goal = torch.tensor(ids[-count:], device=self.device)
            return float(torch.nn.functional.cross_entropy(logits, goal))

    def answer_loss(self, example: Example, thought: str | Ids) -> float:
        return self.loss(self.head(example.prompt, thought), self.ids(example.answer))

    def think(self, prompts: Sequence[Messages], most: int, at_once: int) -> list[Ids]:
        """What the student thinks of each prompt (so many together), greedily, until its thought ends or `most` tokens."""
        import torch
        from transformers import StoppingCriteriaList

        def ended(ids: Any, _scores: Any, **_: Any) -> Any:
            tails = self.tokenizer.batch_decode(ids[:, width:][:, -16:])
            return torch.tensor([THINK.close in tail for tail in tails], device=ids.device)

        room, thoughts = max(1, self.max_length - most), list[Ids]()
        for first in range(0, len(prompts), at_once):
            starts = [[*self.prompt(one), *self.opening][-room:] for one in prompts[first : first + at_once]]
            batch = self.tokenizer.pad({"input_ids": starts}, padding_side="left", return_tensors="pt").to(self.device)
            width = batch["input_ids"].shape[1]
            with torch.no_grad():
                made = self.model.generate(
                    **batch,
                    max_new_tokens=most,
                    do_sample=False,
                    use_cache=True,
                    pad_token_id=self.tokenizer.pad_token_id,
                    stopping_criteria=StoppingCriteriaList([ended]),
                )[:, width:]
            texts = self.tokenizer.batch_decode(made, skip_special_tokens=True)
            thoughts += [self.ids(text.split(THINK.close)[0].strip()) for text in texts]
        return thoughts

    def chosen(self, choice: Choice, thought: Ids) -> int:
        """The place of the option that is likeliest a token after a thought."""
        head = self.head(choice.prompt, thought)
        costs = [self.loss(head, self.ids(option)) for option in choice.options]
        return costs.index(min(costs))


def _unmark(model: Any, name: str) -> None:
    """Takes the mark of a quantized model, which no trainer takes, off one that was read from a GGUF: its weights were
    unpacked. Raises `UserError` where they were not."""
    if packed := [key for key, value in model.state_dict().items() if not value.is_floating_point()]:
        raise UserError(f"--student: {name} cannot be trained: {packed[0]} is still packed")
    for place, mark in ((model, "hf_quantizer"), (model, "quantization_method"), (model.config, "quantization_config")):
        if hasattr(place, mark):
            delattr(place, mark)
    model.is_quantized = False


_loading, _loaded = threading.Lock(), lru_cache(maxsize=1)(StudentModel)


def built_in_student() -> StudentModel:
    """The built-in one, loaded once a process, whichever threads ask. Raises `UserError`."""
    with _loading:
        return _loaded(BUILT_IN_STUDENT)


def usable(student: StudentModel, examples: Sequence[Example]) -> list[Example]:
    """The examples that the student can read at once. Raises `UserError` where none is left."""
    found = [one for one in examples if student.fits(one, one.thought)]
    if not found:
        raise UserError(f"no trace fits into the {student.max_length} tokens of --max-length")
    return found
