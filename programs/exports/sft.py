"""`sft`: whole conversations in `messages`, for supervised fine-tuning."""

from collections.abc import Iterator, Sequence

from programs.exports.columns import Columns
from programs.exports.format import Candidate, Format, Row
from programs.exports.view import FACTS, View


def _columns(view: View) -> Columns:
    return {"messages": view.replies, **FACTS}


def _rows(traces: Sequence[Candidate], view: View) -> Iterator[Row]:
    record = traces[0].record
    for prompt in view.prompts(record):
        yield {"messages": [*prompt.messages, view.message(record)], **view.facts(record, prompt)}


SFT = Format(
    name="sft",
    about="a conversation: system prompt, question, and the thought with its answer (`messages`)",
    columns=_columns,
    rows=_rows,
    takes_field=True,
)
