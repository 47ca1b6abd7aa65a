"""`alpaca`: instruction, input and output; the passage, where there is one, is the input."""

from collections.abc import Iterator, Sequence

from programs.exports.columns import Columns
from programs.exports.format import Candidate, Format, Row
from programs.exports.view import FACTS, View


def _columns(_: View) -> Columns:
    return {**dict.fromkeys(("instruction", "input", "output", "system"), "string"), **FACTS}


def _rows(traces: Sequence[Candidate], view: View) -> Iterator[Row]:
    record = traces[0].record
    for prompt in view.prompts(record):
        yield {
            "instruction": prompt.question,
            "input": prompt.passage or "",
            "output": view.reply(record),
            "system": prompt.system,
            **view.facts(record, prompt),
        }


ALPACA = Format(
    name="alpaca",
    about="a question (`instruction`), the passage or nothing (`input`), and the thought with its answer (`output`)",
    columns=_columns,
    rows=_rows,
)
