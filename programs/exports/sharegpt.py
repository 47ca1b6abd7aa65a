"""`sharegpt`: conversations in `from` and `value`, as LLaMA-Factory and Axolotl read them."""

from collections.abc import Iterator, Sequence

from programs.exports.columns import Columns
from programs.exports.format import Candidate, Format, Row
from programs.exports.view import FACTS, View


def _columns(_: View) -> Columns:
    return {"conversations": [{"from": "string", "value": "string"}], **FACTS}


def _rows(traces: Sequence[Candidate], view: View) -> Iterator[Row]:
    record = traces[0].record
    for prompt in view.prompts(record):
        turns = {"system": prompt.system, "human": prompt.user, "gpt": view.reply(record)}
        conversation = [{"from": who, "value": text} for who, text in turns.items()]
        yield {"conversations": conversation, **view.facts(record, prompt)}


SHAREGPT = Format(
    name="sharegpt",
    about="a conversation of system, human and gpt (`conversations`)",
    columns=_columns,
    rows=_rows,
)
