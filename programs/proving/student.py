"""The student: a causal language model with its tokenizer, and the loss of texts. The only module that imports torch."""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Sequence
from functools import lru_cache, partial
from pathlib import Path
from statistics import fmean
from typing import Any

from jinja2 import TemplateError

from programs.errors import UserError
from programs.exports.view import THINK
from programs.lms.weights import BUILT_IN, fetch
from programs.proving.examples import Choice, Example, Messages
from programs.proving.options import BUILT_IN_STUDENT

NEEDED = ("torch", "transformers", "gguf", "trl", "peft", "accelerate")
LORA_ABOVE = 1_000_000_000
"""Models with more parameters are trained with LoRA, not as a whole."""

_ROLES = {"system": "", "user": "Question: ", "assistant": "Answer: "}
Ids = list[int]


def check_extra() -> None:
    """Raises `UserError` if the extra `prove` is not installed. Imports nothing."""
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise UserError(f"a student needs {', '.join(missing)}: pip install 'synthreasoner[prove]'")


class StudentModel:
    """A model on the GPU if there is one, else on the CPU. `name` is a built-in model, a folder, a GGUF file, or a name on
    the Hub. Texts are tokenized part by part, so that a part has the same tokens whatever precedes it. Losses are means, in
    nats per token. Raises `UserError`."""

    def __init__(self, name: str, max_length: int = 2048) -> None:
        check_extra()
        import datasets  # type: ignore[import-untyped]
        import torch
        import transformers

        # Each arm would show a dozen progress bars.
        transformers.utils.logging.disable_progress_bar()
        datasets.disable_progress_bars()
        path = fetch(BUILT_IN[name]) if name in BUILT_IN else Path(name).expanduser()
        gguf = {"gguf_file": path.name} if path.suffix == ".gguf" else {}
        source = str(path.parent if gguf else path) if gguf or path.exists() else name
        try:
            self.tokenizer: Any = transformers.AutoTokenizer.from_pretrained(source, **gguf)
            model: Any = transformers.AutoModelForCausalLM.from_pretrained(source, dtype=torch.float32, **gguf)
        except (OSError, ValueError, KeyError) as error:
            raise UserError(f"--student: {name} cannot be loaded: {str(error).strip().splitlines()[0]}") from None
        if gguf:
            _remove_quantization_marks(model, name)
        self.tokenizer.pad_token = self.tokenizer.pad_token or self.tokenizer.eos_token
        self.large = model.num_parameters() > LORA_ABOVE
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        if self.large and self.device == "cuda":
            model = model.to(torch.bfloat16)
        self.model = model.to(self.device).eval()
        self.max_length = min(max_length, getattr(model.config, "max_position_embeddings", None) or max_length)
        self.opening, self.closing = self.ids(f"{THINK.open}\n"), self.ids(f"\n{THINK.close}\n\n")

    def ids(self, text: str) -> Ids:
        ids: Ids = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        return ids

    def prompt(self, messages: Messages) -> Ids:
        """The tokens of a prompt, in the model's chat template or, if it has none, as plain text."""
        if not self.tokenizer.chat_template:
            turns = (f"{_ROLES[message['role']]}{message['content']}\n\n" for message in messages)
            return self.ids("".join(turns) + _ROLES["assistant"])
        rendered = partial(self.tokenizer.apply_chat_template, tokenize=False, add_generation_prompt=True)
        try:
            return self.ids(rendered(messages))
        except TemplateError:
            # Some templates reject system messages, whose text then goes to the start of the user's turn.
            text = "\n\n".join(message["content"] for message in messages)
            return self.ids(rendered([{"role": "user", "content": text}]))

    def head(self, messages: Messages, thought: str | Ids) -> Ids:
        """The tokens before an answer: prompt and thought. An empty thought keeps its tags."""
        inside = self.ids(thought) if isinstance(thought, str) else thought
        return [*self.prompt(messages), *self.opening, *inside, *self.closing]

    def row(self, example: Example, thought: str) -> tuple[Ids, Ids]:
        """A training row: the prompt, and the completion, which is thought, answer and end-of-sequence token."""
        head = self.head(example.prompt, thought)
        start = len(self.prompt(example.prompt))
        return head[:start], [*head[start:], *self.ids(example.answer), self.tokenizer.eos_token_id]

    def fits(self, example: Example, thought: str) -> bool:
        """Whether prompt, thought and answer fit into `max_length` tokens."""
        return sum(map(len, self.row(example, thought))) <= self.max_length

    def losses(self, head: Ids, target: Ids) -> list[float]:
        """The loss of each token of `target` after `head`. If both together are too long, the beginning is cut off."""
        import torch

        ids = [*head, *target][-self.max_length :]
        count = min(len(target), len(ids) - 1)
        with torch.no_grad():
            logits = self.model(input_ids=torch.tensor([ids], device=self.device)).logits[0, -count - 1 : -1].float()
            goal = torch.tensor(ids[-count:], device=self.device)
            losses: list[float] = torch.nn.functional.cross_entropy(logits, goal, reduction="none").tolist()
        return losses

    def loss(self, head: Ids, target: Ids) -> float:
        return fmean(self.losses(head, target))

    def answer_loss(self, example: Example, thought: str | Ids) -> float:
        return self.loss(self.head(example.prompt, thought), self.ids(example.answer))

    def part_losses(self, example: Example) -> tuple[list[float], list[float]]:
        """The losses of the tokens of the thought, after the prompt, and of the answer, after both: one pass."""
        thought, answer = self.ids(example.thought), self.ids(example.answer)
        losses = self.losses([*self.prompt(example.prompt), *self.opening], [*thought, *self.closing, *answer])
        return losses[: len(thought)], losses[-len(answer) :]

    def think(self, prompts: Sequence[Messages], max_tokens: int, at_once: int) -> list[Ids]:
        """Generates a thought for each prompt, greedily and in batches of `at_once`: the tokens before its closing tag, or
        `max_tokens`. The beginning of a prompt that leaves no room for so many is cut off."""
        import torch
        from transformers import StoppingCriteriaList

        def ended(ids: Any, _scores: Any, **_: Any) -> Any:
            tails = self.tokenizer.batch_decode(ids[:, width:][:, -16:])
            return torch.tensor([THINK.close in tail for tail in tails], device=ids.device)

        room = max(1, self.max_length - max_tokens)
        thoughts = list[Ids]()
        for first in range(0, len(prompts), at_once):
            starts = [[*self.prompt(prompt), *self.opening][-room:] for prompt in prompts[first : first + at_once]]
            batch = self.tokenizer.pad({"input_ids": starts}, padding_side="left", return_tensors="pt").to(self.device)
            width = batch["input_ids"].shape[1]
            with torch.no_grad():
                generated = self.model.generate(
                    **batch,
                    max_new_tokens=max_tokens,
                    do_sample=False,
                    use_cache=True,
                    pad_token_id=self.tokenizer.pad_token_id,
                    stopping_criteria=StoppingCriteriaList([ended]),
                )[:, width:]
            texts = self.tokenizer.batch_decode(generated, skip_special_tokens=True)
            thoughts += [self.ids(text.split(THINK.close)[0].strip()) for text in texts]
        return thoughts

    def choose(self, choice: Choice, thought: Ids) -> int:
        """The index of the option with the lowest loss per token after a thought."""
        head = self.head(choice.prompt, thought)
        losses = [self.loss(head, self.ids(option)) for option in choice.options]
        return losses.index(min(losses))


def _remove_quantization_marks(model: Any, name: str) -> None:
    """Removes the marks of quantization, which trainers reject, from a model read from a GGUF file, whose weights were
    dequantized on loading. Raises `UserError` if they were not."""
    if packed := [key for key, value in model.state_dict().items() if not value.is_floating_point()]:
        raise UserError(f"--student: {name} cannot be trained: {packed[0]} is still quantized")
    for owner, mark in ((model, "hf_quantizer"), (model, "quantization_method"), (model.config, "quantization_config")):
        if hasattr(owner, mark):
            delattr(owner, mark)
    model.is_quantized = False


_load_lock = threading.Lock()
_load_once = lru_cache(maxsize=1)(StudentModel)


def built_in_student() -> StudentModel:
    """The built-in student, loaded once per process. Thread-safe. Raises `UserError`."""
    with _load_lock:
        return _load_once(BUILT_IN_STUDENT)


def fitting_examples(student: StudentModel, examples: Sequence[Example]) -> list[Example]:
    """The examples that fit into the student's `max_length`. Raises `UserError` if there are none."""
    fitting = [example for example in examples if student.fits(example, example.thought)]
    if not fitting:
        raise UserError(f"no trace fits into the {student.max_length} tokens of --max-length")
    return fitting
