"""`prompt-completion`: the same as `sft`, cut where the model's part begins, so that the loss is on that alone."""

from collections.abc import Iterator, Sequence

from programs.exports.columns import Columns
from programs.exports.format import Candidate, Format, Row
from programs.exports.view import FACTS, MESSAGES, View


def _columns(view: View) -> Columns:
    return {"prompt": MESSAGES, "completion": view.replies, **FACTS}


def _rows(traces: Sequence[Candidate], view: View) -> Iterator[Row]:
    record = traces[0].record
    for prompt in view.prompts(record):
        yield {"prompt": prompt.messages, "completion": [view.message(record)], **view.facts(record, prompt)}


PROMPT_COMPLETION = Format(
    name="prompt-completion",
    about="a question (`prompt`), and the thought with its answer (`completion`)",
    columns=_columns,
    rows=_rows,
    takes_field=True,
)
