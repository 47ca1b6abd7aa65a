"""Documents of several papers, and a student of random weights, for the tests of the proof."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from programs.proving.examples import Example, example_of
from programs.records import Record
from tests.exports.building import laid, record

YES = {"kind": "yes_no", "text": "yes"}
CHOICE = {"kind": "choice", "text": "dust", "options": ["gas", "dust", "stars"]}


def traces(papers: int = 6, each: int = 2, **given: Any) -> list[Record]:
    """`each` traces of each paper, with thoughts of their own."""
    return [
        record(
            paper,
            id=f"trace-{paper}-{number}",
            kind=("mechanism", "critical", "limitation")[number % 3],
            thought=f"Paper {paper} has a slope of 1.{paper}.\n\nIts dust, number {number}, reddens light {paper} times.",
            answer=f"It is the dust of paper {paper}, way {number}.",
            short_answer=YES if number % 2 else CHOICE,
            **given,
        )
        for paper in range(papers)
        for number in range(each)
    ]


def examples(papers: int = 6, each: int = 2) -> list[Example]:
    return [example_of(one) for one in traces(papers, each)]


def document(folder: Path, papers: int = 6, each: int = 2) -> Path:
    return laid(folder, traces(papers, each))


def student_folder(folder: Path) -> Path:
    """A folder with a Llama of two layers and random weights, and a tokenizer of words trained on the traces."""
    torch = pytest.importorskip("torch", reason="the extra prove is not installed")
    for needed in ("trl", "peft", "accelerate"):
        pytest.importorskip(needed, reason="the extra prove is not installed")
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    words = Tokenizer(models.BPE(unk_token="<unk>"))
    words.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(vocab_size=400, special_tokens=["<unk>", "<eos>"])
    words.train_from_iterator([one.thought + one.answer + one.passage for one in examples()], trainer)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, unk_token="<unk>", eos_token="<eos>", pad_token="<eos>")
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=1024,
        eos_token_id=1,
        bos_token_id=1,
        pad_token_id=1,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def gguf_of(folder: Path, path: Path) -> Path:
    """The weights of a student's folder as a GGUF file, with the tokenizer's words."""
    gguf = pytest.importorskip("gguf", reason="the extra prove is not installed")
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model, tokenizer = AutoModelForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    writer, config = gguf.GGUFWriter(path, "llama"), model.config
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_vocab_size(config.vocab_size)
    words = json.loads(tokenizer.backend_tokenizer.to_str())["model"]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(sorted(words["vocab"], key=words["vocab"].__getitem__))
    writer.add_token_types([3 if number < 2 else 1 for number in range(len(words["vocab"]))])
    writer.add_token_merges([one if isinstance(one, str) else " ".join(one) for one in words["merges"]])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(1)
    writer.add_unk_token_id(0)
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, config.num_hidden_layers)
    for name, value in model.state_dict().items():
        writer.add_tensor(names.get_name(name, try_suffixes=(".weight",)), value.float().numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
