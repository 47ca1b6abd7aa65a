"""Invariants of `--chat-template`, with the templates that TRL ships, as models come with them.

1. Whether a template keeps the thought is what its rendered text says.
2. Where the thought is lost or the row refused, the line says so and names options that keep it, if there are any; rows
   made with these do keep it.
3. What is no template, or names none, is one line, before any work; no path of the user's gets into the folder.
"""

import importlib.util
import json
from pathlib import Path

import pytest

from programs.export import main
from programs.exports.chat_template import KEEPS, ChatTemplate, messages_of
from programs.exports.options import FORMATS
from programs.exports.view import View
from programs.run.attempts import ReadTrace
from tests.exports.building import THOUGHT, export_to, made, record, refused, rows
from tests.lab import called

TAKING = [name for name, format in FORMATS.items() if format.has_thought and format.takes_field]


def trl_file(name: str) -> Path:
    """The file of a template; TRL itself is not imported, since that needs much else."""
    found = importlib.util.find_spec("trl")
    assert found is not None, "make test installs it"
    assert found.submodule_search_locations
    return Path(found.submodule_search_locations[0]) / "chat_templates" / f"{name}.jinja"


@pytest.mark.parametrize(
    ("name", "tagged", "in_field"),
    [("qwen3", True, True), ("deepseek_r1_distill", False, False), ("llama3_1", True, False), ("gemma3", True, False)],
)
def test_1_kept_is_what_the_rendered_text_has(name: str, tagged: bool, in_field: bool) -> None:
    template = ChatTemplate.load(trl_file(name))
    for kept, view in ((tagged, View()), (in_field, View(reasoning_field="reasoning_content"))):
        for to in TAKING:
            traces = [record(1, score=8.0), record(1, score=3.0, variation=1)]
            (row,) = made(to, [*map(ReadTrace, traces)] if to == "dpo" else traces[0], **view.model_dump())
            assert template.said_of(row, view).startswith(KEEPS) is kept
            text = template.render(messages_of(row))
            assert all(paragraph in text for paragraph in THOUGHT) is kept


SAID = [
    ("qwen3", "", KEEPS),
    ("llama3_1", "--reasoning-field thinking", "LOSES THE THOUGHT: with no --reasoning-field it keeps it"),
    ("deepseek_r1_distill", "", "LOSES THE THOUGHT: train with another template, one made for training"),
    ("deepseek_r1_distill_training", "", KEEPS),
    ("qwen3_5_nothink", "", f"{KEEPS}; but it gives a model that is to answer another beginning than rows have"),
    ("gemma", "", "refuses the row (System role not supported): with --system-prompt user it keeps it"),
    ("gemma", "--system-prompt user", KEEPS),
]


@pytest.mark.parametrize(("name", "words", "said"), SAID)
def test_2_it_is_said_with_what_helps(judged: Path, name: str, words: str, said: str) -> None:
    folder = export_to(judged, "sft", "--chat-template", str(trl_file(name)), *words.split())
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


def test_2_the_row_is_shown_as_rendered(judged: Path) -> None:
    words = ["--to", "kto", "--output", str(judged.with_name("kto")), "--chat-template", str(trl_file("qwen2_5"))]
    shown = called(str(judged), *words, main=main).stdout
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
        assert ChatTemplate.load(named).render([]) == "<s>a</s>"
    (tmp_path / "chat_template.jinja").write_text("{{ bos_token }}b")
    assert ChatTemplate.load(tmp_path).render([]) == "<s>b", "the newer place counts"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{% if %}", "is no chat template"),
        ("\xff", "cannot read"),
        ("", "holds no chat template"),
        (None, "cannot read"),
    ],
)
def test_3_what_is_no_template_is_one_line(judged: Path, content: str | None, said: str) -> None:
    path = judged.with_name("wrong.jinja")
    if content is not None:
        path.write_bytes(content.encode("latin-1"))
    line = refused(judged, "sft", "--chat-template", str(path))
    assert said in line
    assert "wrong.jinja" in line


def test_3_what_a_template_raises_or_loops_over_ends_nothing(judged: Path) -> None:
    path, endless = judged.with_name("odd.jinja"), "{% for n in range(10**9) %}{% endfor %}"
    for source in ("{{ 1 // 0 }}", "{{ messages[9].content }}", "{{ messages + 1 }}", endless):
        path.write_text(source)
        folder = export_to(judged, "sft", "--chat-template", str(path), "--overwrite")
        assert "odd.jinja refuses the row" in json.loads((folder / "export.json").read_text())["chat_template"]
