"""`openai`: the files that OpenAI's fine-tuning takes: `messages` and no other key."""

from collections.abc import Iterator, Sequence

from programs.exports.columns import Columns
from programs.exports.format import Candidate, Format, Row
from programs.exports.view import MESSAGES, View


def _columns(_: View) -> Columns:
    return {"messages": MESSAGES}


def _rows(traces: Sequence[Candidate], view: View) -> Iterator[Row]:
    record = traces[0].record
    for prompt in view.prompts(record):
        yield {"messages": [*prompt.messages, view.message(record)]}


OPENAI = Format(
    name="openai",
    about="a conversation as OpenAI's fine-tuning takes it: `messages` and no other key",
    columns=_columns,
    rows=_rows,
    jsonl_only=True,
)
