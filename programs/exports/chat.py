"""The formats of single conversations, for supervised fine-tuning: a row is one trace with one prompt."""

from collections.abc import Callable, Iterator, Sequence
from typing import Literal

from programs.exports.view import FACTS, MESSAGES, Columns, Format, Prompt, Row, View
from programs.records import Record
from programs.run.attempts import ReadTrace


def _chat(
    name: str,
    about: str,
    thought: Literal["message", "text"],
    columns: Callable[[View], Columns],
    row: Callable[[View, Record, Prompt], Row],
) -> Format:
    """A format that makes a row of each prompt of a trace."""

    def rows(traces: Sequence[ReadTrace], view: View) -> Iterator[Row]:
        record = traces[0].record
        return view.rows(record, lambda prompt: row(view, record, prompt))

    return Format(name, about, columns, rows, thought=thought)


SFT = _chat(
    "sft",
    "a conversation: system prompt, question, and the thought with its answer (`messages`)",
    "message",
    lambda view: {"messages": view.replies, **FACTS},
    lambda view, record, prompt: {"messages": [*prompt.messages, view.message(record)]},
)
PROMPT_COMPLETION = _chat(
    "prompt-completion",
    "a question (`prompt`), and the thought with its answer (`completion`)",
    "message",
    lambda view: {"prompt": MESSAGES, "completion": view.replies, **FACTS},
    # Cut where the model's part begins, so that the loss is on that alone.
    lambda view, record, prompt: {"prompt": prompt.messages, "completion": [view.message(record)]},
)
SHAREGPT = _chat(
    "sharegpt",
    "a conversation of system, human and gpt (`conversations`)",
    "text",
    lambda _: {"conversations": [{"from": "string", "value": "string"}], **FACTS},
    lambda view, record, prompt: {
        "conversations": [
            {"from": "system", "value": prompt.system},
            {"from": "human", "value": prompt.user},
            {"from": "gpt", "value": view.reply(record)},
        ]
    },
)
ALPACA = _chat(
    "alpaca",
    "a question (`instruction`), the passage or nothing (`input`), and the thought with its answer (`output`)",
    "text",
    lambda _: {**dict.fromkeys(("instruction", "input", "output", "system"), "string"), **FACTS},
    lambda view, record, prompt: {
        "instruction": prompt.question,
        "input": prompt.passage or "",
        "output": view.reply(record),
        "system": prompt.system,
    },
)
OPENAI = _chat(
    "openai",
    "a conversation as OpenAI's fine-tuning takes it: `messages` and no other key",
    "text",
    lambda _: {"messages": MESSAGES},
    lambda view, record, prompt: {"messages": [*prompt.messages, view.message(record)]},
)
