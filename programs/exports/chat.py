"""The formats for supervised fine-tuning. Each row is one trace with one prompt."""

from collections.abc import Callable, Iterator, Sequence

from programs.exports.view import FACTS, MESSAGES, Format, Prompt, Row, RowOptions
from programs.records import Record
from programs.run.attempts import ReadTrace


def _row_per_prompt(
    row: Callable[[RowOptions, Record, Prompt], Row],
) -> Callable[[Sequence[ReadTrace], RowOptions], Iterator[Row]]:
    return lambda traces, view: view.rows(traces[0].record, lambda prompt: row(view, traces[0].record, prompt))


SFT = Format(
    "sft",
    "a conversation: system prompt, question, and the thought with its answer (`messages`)",
    lambda view: {"messages": view.replies, **FACTS},
    _row_per_prompt(lambda view, record, prompt: {"messages": [*prompt.messages, view.message(record)]}),
    thought_in="message",
)
PROMPT_COMPLETION = Format(
    "prompt-completion",
    "a question (`prompt`), and the thought with its answer (`completion`)",
    lambda view: {"prompt": MESSAGES, "completion": view.replies, **FACTS},
    # Prompt and completion are separate, so that the loss is on the completion only.
    _row_per_prompt(lambda view, record, prompt: {"prompt": prompt.messages, "completion": [view.message(record)]}),
    thought_in="message",
)
SHAREGPT = Format(
    "sharegpt",
    "a conversation of system, human and gpt (`conversations`)",
    lambda _: {"conversations": [{"from": "string", "value": "string"}], **FACTS},
    _row_per_prompt(
        lambda view, record, prompt: {
            "conversations": [
                {"from": "system", "value": prompt.system},
                {"from": "human", "value": prompt.user},
                {"from": "gpt", "value": view.reply(record)},
            ]
        }
    ),
    thought_in="text",
)
ALPACA = Format(
    "alpaca",
    "a question (`instruction`), the passage or nothing (`input`), and the thought with its answer (`output`)",
    lambda _: {**dict.fromkeys(("instruction", "input", "output", "system"), "string"), **FACTS},
    _row_per_prompt(
        lambda view, record, prompt: {
            "instruction": prompt.question,
            "input": prompt.passage or "",
            "output": view.reply(record),
            "system": prompt.system,
        }
    ),
    thought_in="text",
)
OPENAI = Format(
    "openai",
    "a conversation as OpenAI's fine-tuning takes it: `messages` and no other key",
    lambda _: {"messages": MESSAGES},
    _row_per_prompt(lambda view, record, prompt: {"messages": [*prompt.messages, view.message(record)]}),
    thought_in="text",
)
