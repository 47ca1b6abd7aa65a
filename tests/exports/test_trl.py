"""TRL's own functions accept our exports.

Every row of the formats for TRL is conversational, has the keys of one of TRL's types, and renders with a chat template
into a prompt that ends where the reply starts, and a reply with the thought once. (`prm` has the form of stepwise
supervision: tests/exports/test_preference.py, tests/exports/test_formats.py.)

TRL's functions need no PyTorch, so TRL is installed here without its dependencies.
"""

from pathlib import Path
from typing import Any

import pytest

from tests.exports.building import THOUGHT, export_to, rows
from tests.requirements import require_module

trl = require_module("trl", "TRL's own functions are what is tested")
transformers = require_module("transformers", "TRL's functions need a tokenizer")
tokenizers = require_module("tokenizers", "TRL's functions need a tokenizer")

TYPES = {
    "sft": {"text"},
    "openai": {"text"},
    "prompt-completion": {"prompt", "completion"},
    "dpo": {"prompt", "chosen", "rejected"},
    "kto": {"prompt", "completion", "label"},
    "grpo": {"prompt"},
}


def tokenizer_of(template: str) -> Any:
    """A tokenizer with one of the chat templates that TRL ships."""
    words = tokenizers.models.WordLevel({"word": 0}, unk_token="word")
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizers.Tokenizer(words))
    tokenizer.chat_template = (Path(trl.__file__).parent / "chat_templates" / f"{template}.jinja").read_text()
    return tokenizer


@pytest.mark.parametrize("to", TYPES)
def test_the_type_is_recognised_and_a_chat_template_applies(odd_document: Path, to: str) -> None:
    tokenizer = tokenizer_of("qwen2_5")
    for row in rows(export_to(odd_document, to, "--context", "both", output=f"trl-{to}")):
        assert trl.is_conversational(row)
        rendered = trl.apply_chat_template(row, tokenizer)
        assert set(rendered) == TYPES[to]
        if "prompt" in rendered:
            assert rendered["prompt"].endswith("<|im_end|>\n<|im_start|>assistant\n")
            assert rendered["prompt"].count("<|im_start|>") == 3
        for name in set(rendered) & {"completion", "chosen", "rejected"}:
            assert rendered[name].startswith(f"<think>\n{THOUGHT[0]}")
            assert rendered[name].count("</think>") == rendered[name].count("<|im_end|>") == 1
            assert rendered[name].endswith("<|im_end|>\n")


@pytest.mark.parametrize(
    ("template", "words", "kept"),
    [
        ("qwen3", "", True),
        ("qwen3", "--reasoning-field reasoning_content", True),
        ("llama3_1", "", True),
        ("llama3_1", "--reasoning-field reasoning_content", False),
        ("deepseek_r1_distill", "", False),
        ("deepseek_r1_distill_training", "", True),
        ("gemma", "--system-prompt user", True),
    ],
)
def test_the_thought_is_kept_as_the_docs_say(judged: Path, template: str, words: str, kept: bool) -> None:
    row = rows(export_to(judged, "sft", *words.split()))[0]
    text = tokenizer_of(template).apply_chat_template(row["messages"], tokenize=False)
    assert all(paragraph in text for paragraph in THOUGHT) is kept
