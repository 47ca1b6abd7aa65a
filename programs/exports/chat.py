"""The formats of single conversations, for supervised fine-tuning: a row is one trace with one prompt."""

from programs.exports.files import Row
from programs.exports.format import Format, one_by_one
from programs.exports.view import FACTS, MESSAGES, Prompt, View
from programs.records import Record


def _conversation(view: View, record: Record, prompt: Prompt) -> Row:
    return {"messages": [*prompt.messages, view.message(record)]}


def _cut(view: View, record: Record, prompt: Prompt) -> Row:
    """Cut where the model's part begins, so that the loss is on that alone."""
    return {"prompt": prompt.messages, "completion": [view.message(record)]}


def _turns(view: View, record: Record, prompt: Prompt) -> Row:
    turns = {"system": prompt.system, "human": prompt.user, "gpt": view.reply(record)}
    return {"conversations": [{"from": who, "value": text} for who, text in turns.items()]}


def _instruction(view: View, record: Record, prompt: Prompt) -> Row:
    reply = view.reply(record)
    return {"instruction": prompt.question, "input": prompt.passage or "", "output": reply, "system": prompt.system}


SFT = Format(
    name="sft",
    about="a conversation: system prompt, question, and the thought with its answer (`messages`)",
    columns=lambda view: {"messages": view.replies, **FACTS},
    rows=one_by_one(_conversation),
    takes_field=True,
    has_thought=True,
)
PROMPT_COMPLETION = Format(
    name="prompt-completion",
    about="a question (`prompt`), and the thought with its answer (`completion`)",
    columns=lambda view: {"prompt": MESSAGES, "completion": view.replies, **FACTS},
    rows=one_by_one(_cut),
    takes_field=True,
    has_thought=True,
)
SHAREGPT = Format(
    name="sharegpt",
    about="a conversation of system, human and gpt (`conversations`)",
    columns=lambda _: {"conversations": [{"from": "string", "value": "string"}], **FACTS},
    rows=one_by_one(_turns),
    has_thought=True,
)
ALPACA = Format(
    name="alpaca",
    about="a question (`instruction`), the passage or nothing (`input`), and the thought with its answer (`output`)",
    columns=lambda _: {**dict.fromkeys(("instruction", "input", "output", "system"), "string"), **FACTS},
    rows=one_by_one(_instruction),
    has_thought=True,
)
OPENAI = Format(
    name="openai",
    about="a conversation as OpenAI's fine-tuning takes it: `messages` and no other key",
    columns=lambda _: {"messages": MESSAGES},
    rows=one_by_one(_conversation),
    has_thought=True,
)
