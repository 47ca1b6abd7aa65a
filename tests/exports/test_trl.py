"""TRL takes what we export, by its own functions.

Every row of the formats that are meant for TRL is conversational to it, has the keys of one of its types, and renders with
a chat template: prompt and reply are those of the whole, and the thought stands in it once. (`prm` has the form of stepwise
supervision: tests/exports/test_preference.py, tests/exports/test_loading.py.)

TRL's functions need no PyTorch, so it is installed here without what it declares to need.
"""

from pathlib import Path

import pytest

from tests.exports.building import THOUGHT, export_to, rows
from tests.exports.test_chat_template import trl_file
from tests.needing import needed

trl = needed("trl", "TRL's own functions are what is tested")
transformers = needed("transformers", "TRL's functions need a tokenizer")
tokenizers = needed("tokenizers", "TRL's functions need a tokenizer")

TYPES = {
    "sft": {"text"},
    "openai": {"text"},
    "prompt-completion": {"prompt", "completion"},
    "dpo": {"prompt", "chosen", "rejected"},
    "kto": {"prompt", "completion", "label"},
    "grpo": {"prompt"},
}


@pytest.mark.parametrize("to", TYPES)
def test_the_type_is_recognised_and_a_chat_template_applies(odd: Path, to: str) -> None:
    words = tokenizers.models.WordLevel({"word": 0}, unk_token="word")
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizers.Tokenizer(words))
    tokenizer.chat_template = trl_file("qwen2_5").read_text()
    for row in rows(export_to(odd, to, "--context", "both", output=f"trl-{to}")):
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
