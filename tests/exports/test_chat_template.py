"""Invariants of `--chat-template`, with the templates that TRL ships, as models come with them.

1. Whether a template keeps the thought is what its rendered text says; the table of the card and the docs is that.
2. Where the thought is lost or the row refused, the line says so and names options that keep it, if there are any; rows
   made with these do keep it.
3. What is no template, or names none, is one line, before any work; no path of the user's gets into the folder.
"""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest

from programs.exports.chat_template import FAMILIES, ChatTemplate, messages_of
from programs.exports.format import Candidate
from programs.exports.options import FORMATS
from programs.exports.view import View
from tests.exports.building import THOUGHT, export_to, made, record, refused, rows
from tests.lab import ROOT

TAKING = [name for name, format in FORMATS.items() if format.has_thought and format.takes_field]
WITH_FIELD = {"reasoning_field": "reasoning_content"}

# TRL has none of Mistral's.
MISTRAL = """{{ bos_token }}{% for message in messages %}
{%- if message.role == 'system' %}{% set first = message.content %}
{%- elif message.role == 'user' %}[INST] {{ message.content }}[/INST]
{%- else %} {{ message.content | trim }}{{ eos_token }}{% endif %}{% endfor %}"""
SOURCES = {
    "Qwen3": "qwen3",
    "DeepSeek-R1-Distill": "deepseek_r1_distill",
    "Llama 3.1": "llama3_1",
    "Qwen2.5": "qwen2_5",
    "Gemma 3": "gemma3",
}


def trl_file(name: str) -> Path:
    """The file of a template; TRL itself is not imported, since that needs much else."""
    found = importlib.util.find_spec("trl")
    assert found is not None, "make test installs it"
    assert found.submodule_search_locations
    return Path(found.submodule_search_locations[0]) / "chat_templates" / f"{name}.jinja"


def template_of(family: str) -> ChatTemplate:
    return (
        ChatTemplate("mistral", MISTRAL) if family not in SOURCES else ChatTemplate.load(str(trl_file(SOURCES[family])))
    )


@pytest.mark.parametrize("family", FAMILIES)
def test_1_the_table_is_what_the_templates_do(family: str) -> None:
    template = template_of(family)
    for kept, view in zip(FAMILIES[family], (View(), View.model_validate(WITH_FIELD)), strict=True):
        for to in TAKING:
            traces = [record(1, score=8.0), record(1, score=3.0, variation=1)]
            (row,) = made(to, [*map(Candidate, traces)] if to == "dpo" else traces[0], **view.model_dump())
            assert template.keeps(row, view) is kept
            text = template.render(messages_of(row))
            assert all(paragraph in text for paragraph in THOUGHT) is kept


def test_1_the_docs_have_the_table() -> None:
    page = (ROOT / "docs" / "export.md").read_text(encoding="utf-8")
    words = {True: "kept", False: "lost"}
    for family, (tags, field) in FAMILIES.items():
        assert f"| {family} | {words[tags]} | {words[field]} |" in page


@pytest.mark.parametrize(
    ("name", "words", "said"),
    [
        ("qwen3", [], "keeps the thought"),
        (
            "llama3_1",
            ["--reasoning-field", "reasoning_content"],
            "LOSES THE THOUGHT: with no --reasoning-field it keeps it",
        ),
        ("deepseek_r1_distill", [], "LOSES THE THOUGHT: train with another template, one made for training"),
        ("deepseek_r1_distill_training", [], "keeps the thought"),
        ("deepseekv3", [], "LOSES THE THOUGHT: train with another template, one made for training"),
        (
            "qwen3_5_nothink",
            [],
            "keeps the thought; but it gives a model that is to answer another beginning than rows have",
        ),
        ("gemma", [], "refuses the row (System role not supported): with --system-prompt user it keeps it"),
        ("gemma", ["--system-prompt", "user"], "keeps the thought"),
    ],
)
def test_2_it_is_said_with_what_helps(judged: Path, name: str, words: list[str], said: str) -> None:
    folder = export_to(judged, "sft", "--chat-template", str(trl_file(name)), *words)
    line = f"the chat template of {name}.jinja {said}"
    assert json.loads((folder / "export.json").read_text())["chat_template"] == line
    assert (
        f"Tried on one row: {line.partition(' the row')[0][:60]}".replace("_", r"\_")
        in (folder / "README.md").read_text()
    )


def test_2_another_tag_may_help(judged: Path) -> None:
    path = judged.with_name("deleting.jinja")
    path.write_text("{% for message in messages %}{{ message.content.split('</think>')[-1] }}\n{% endfor %}")
    folder = export_to(judged, "sft", "--chat-template", str(path))
    said = json.loads((folder / "export.json").read_text())["chat_template"]
    assert said.endswith("LOSES THE THOUGHT: with --think-tag '<thinking>' it keeps it")


def test_2_the_row_is_shown_as_rendered(judged: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from programs.export import main

    words = ["--to", "kto", "--output", str(judged.with_name("kto")), "--chat-template", str(trl_file("qwen2_5"))]
    assert main([str(judged), *words]) == 0
    shown = capsys.readouterr().out
    first = rows(judged.with_name("kto"))[0]
    assert shown.startswith(f"<|im_start|>system\n{first['prompt'][0]['content']}<|im_end|>\n")
    assert f"<|im_start|>assistant\n<think>\n{THOUGHT[0]}" in shown
    assert shown.endswith("the chat template of qwen2_5.jinja keeps the thought\n")


def test_3_a_tokenizers_files_say_template_and_tokens(tmp_path: Path) -> None:
    config = {
        "bos_token": {"content": "<s>"},
        "eos_token": "</s>",
        "chat_template": [
            {"name": "rag", "template": "no"},
            {"name": "default", "template": "{{ bos_token }}a{{ eos_token }}"},
        ],
    }
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))
    for named in (tmp_path, tmp_path / "tokenizer_config.json"):
        assert ChatTemplate.load(str(named)).render([]) == "<s>a</s>"
    (tmp_path / "chat_template.jinja").write_text("{{ bos_token }}b")
    assert ChatTemplate.load(str(tmp_path)).render([]) == "<s>b", "the newer place counts"


def test_3_a_model_of_the_hub_has_its_files(judged: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = pytest.importorskip("huggingface_hub")
    errors = pytest.importorskip("huggingface_hub.errors")
    (tmp_path / "tokenizer_config.json").write_text('{"eos_token": "</s>", "chat_template": "{{ eos_token }}"}')

    def download(model: str, name: str) -> str:
        assert model == "lab/model"
        if not (tmp_path / name).exists():
            raise errors.EntryNotFoundError(f"no {name}")
        return str(tmp_path / name)

    monkeypatch.setattr(hub, "hf_hub_download", download)
    found = ChatTemplate.load("lab/model")
    assert (found.name, found.render([])) == ("lab/model", "</s>")

    def unreachable(*_: str) -> str:
        raise errors.LocalEntryNotFoundError("the Hub cannot be reached")

    monkeypatch.setattr(hub, "hf_hub_download", unreachable)
    assert "the Hub cannot be reached" in refused(judged, "sft", "--chat-template", "lab/model")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{% if %}", "wrong.jinja is no chat template"),
        ("\xff", "cannot read"),
        ("", "holds no chat template"),
        (None, "there is no file no model: at all"),
    ],
)
def test_3_what_is_no_template_is_one_line(judged: Path, content: str | None, said: str) -> None:
    path = judged.with_name("wrong.jinja")
    if content is not None:
        path.write_bytes(content.encode("latin-1"))
    assert said in refused(judged, "sft", "--chat-template", str(path) if content is not None else "no model: at all")


def test_3_what_a_template_raises_or_loops_over_ends_nothing(judged: Path) -> None:
    path = judged.with_name("odd.jinja")
    for source in (
        "{{ 1 // 0 }}",
        "{{ messages[9].content }}",
        "{{ messages + 1 }}",
        "{% for n in range(10**9) %}{% endfor %}",
    ):
        path.write_text(source)
        folder = export_to(judged, "sft", "--chat-template", str(path), "--overwrite")
        assert "odd.jinja refuses the row" in json.loads((folder / "export.json").read_text())["chat_template"]
