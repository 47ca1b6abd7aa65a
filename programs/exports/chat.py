"""The formats of single conversations, for supervised fine-tuning: a row is one trace with one prompt."""

from collections.abc import Callable, Iterator, Sequence

from programs.exports.columns import Columns
from programs.exports.format import Candidate, Format, Row
from programs.exports.view import FACTS, MESSAGES, Prompt, View
from programs.records import Record


def _rows(row: Callable[[Record, Prompt, View], Row]) -> Callable[[Sequence[Candidate], View], Iterator[Row]]:
    def rows(traces: Sequence[Candidate], view: View) -> Iterator[Row]:
        record = traces[0].record
        return view.rows(record, lambda prompt: row(record, prompt, view))

    return rows


def _conversation(record: Record, prompt: Prompt, view: View) -> Row:
    return {"messages": [*prompt.messages, view.message(record)]}


def _cut(record: Record, prompt: Prompt, view: View) -> Row:
    """Cut where the model's part begins, so that the loss is on that alone."""
    return {"prompt": prompt.messages, "completion": [view.message(record)]}


def _turns(record: Record, prompt: Prompt, view: View) -> Row:
    turns = {"system": prompt.system, "human": prompt.user, "gpt": view.reply(record)}
    return {"conversations": [{"from": who, "value": text} for who, text in turns.items()]}


def _instruction(record: Record, prompt: Prompt, view: View) -> Row:
    reply = view.reply(record)
    return {"instruction": prompt.question, "input": prompt.passage or "", "output": reply, "system": prompt.system}


_INSTRUCTION: Columns = dict.fromkeys(("instruction", "input", "output", "system"), "string")

SFT = Format(
    name="sft",
    about="a conversation: system prompt, question, and the thought with its answer (`messages`)",
    columns=lambda view: {"messages": view.replies, **FACTS},
    rows=_rows(_conversation),
    takes_field=True,
    has_thought=True,
)
PROMPT_COMPLETION = Format(
    name="prompt-completion",
    about="a question (`prompt`), and the thought with its answer (`completion`)",
    columns=lambda view: {"prompt": MESSAGES, "completion": view.replies, **FACTS},
    rows=_rows(_cut),
    takes_field=True,
    has_thought=True,
)
SHAREGPT = Format(
    name="sharegpt",
    about="a conversation of system, human and gpt (`conversations`)",
    columns=lambda _: {"conversations": [{"from": "string", "value": "string"}], **FACTS},
    rows=_rows(_turns),
    has_thought=True,
)
ALPACA = Format(
    name="alpaca",
    about="a question (`instruction`), the passage or nothing (`input`), and the thought with its answer (`output`)",
    columns=lambda _: {**_INSTRUCTION, **FACTS},
    rows=_rows(_instruction),
    has_thought=True,
)
OPENAI = Format(
    name="openai",
    about="a conversation as OpenAI's fine-tuning takes it: `messages` and no other key",
    columns=lambda _: {"messages": MESSAGES},
    rows=_rows(_conversation),
    has_thought=True,
    jsonl_only=True,
)
