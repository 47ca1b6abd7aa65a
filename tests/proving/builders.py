"""Documents of several papers, and a student with random weights, for the tests of `prove`."""

from pathlib import Path
from typing import Any

import pytest

from programs.proving.examples import Example, example_of
from programs.records import Record
from tests.exports.building import record, write_run

YES = {"kind": "yes_no", "text": "yes"}
CHOICE = {"kind": "choice", "text": "dust", "options": ["gas", "dust", "stars"]}


def traces(papers: int = 6, per_paper: int = 2, **given: Any) -> list[Record]:
    """`per_paper` traces of each paper, each with its own thought."""
    return [
        record(
            paper,
            kind=("mechanism", "critical", "limitation")[number % 3],
            thought=f"Paper {paper} has a slope of 1.{paper}.\n\nIts dust, number {number}, reddens light {paper} times.",
            answer=f"It is the dust of paper {paper}, way {number}.",
            short_answer=YES if number % 2 else CHOICE,
            **{"id": f"trace-{paper}-{number}", **given},
        )
        for paper in range(papers)
        for number in range(per_paper)
    ]


def examples(papers: int = 6, per_paper: int = 2) -> list[Example]:
    return [example_of(one) for one in traces(papers, per_paper)]


def document(folder: Path, papers: int = 6, per_paper: int = 2) -> Path:
    return write_run(folder, traces(papers, per_paper))


def student_folder(folder: Path) -> Path:
    """Writes a Llama with two layers and random weights, and a tokenizer trained on the traces."""
    torch = pytest.importorskip("torch", reason="the extra prove is not installed")
    for module in ("trl", "peft", "accelerate"):
        pytest.importorskip(module, reason="the extra prove is not installed")
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    words = Tokenizer(models.BPE(unk_token="<unk>"))
    words.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(vocab_size=400, special_tokens=["<unk>", "<eos>"])
    words.train_from_iterator([one.thought + one.answer + one.passage for one in examples()], trainer)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, unk_token="<unk>", eos_token="<eos>", pad_token="<eos>")
    torch.manual_seed(0)
    sizes = {"vocab_size": len(tokenizer), "hidden_size": 32, "intermediate_size": 64, "max_position_embeddings": 1024}
    tokens = dict.fromkeys(("eos_token_id", "bos_token_id", "pad_token_id"), 1)
    config = LlamaConfig(num_hidden_layers=2, num_attention_heads=2, **sizes, **tokens)
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
