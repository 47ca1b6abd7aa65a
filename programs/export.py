"""`python -m programs.export DOCUMENT --to FORMAT --output FOLDER`: writes training data in a trainer's format.

The folder holds a data file per split, a card (README.md) and `export.json`, and can be uploaded to the Hugging Face Hub
unchanged. It is built beside its place and moved there in one step.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from programs.cli.options import parse, run_cli
from programs.exports.options import ExportOptions, parse_shares

if TYPE_CHECKING:
    from programs.exports.card import Exported


def main(arguments: list[str] | None = None) -> int:
    """Runs the export and prints its counts."""
    options = parse(ExportOptions, arguments)
    # Imported here, since --help does not need it.
    from programs.exports.exporter import export

    print(*summary_lines(export(options)), sep="\n")
    return 0


def summary_lines(done: "Exported") -> Iterator[str]:
    """The counts of an export as lines for the terminal."""
    counts, options = done.counts, done.options
    splits = ", ".join(f"{name} {rows}" for name, rows in done.rows.items())
    yield f"{options.output}: {done.rows.total()} rows ({splits}) from {counts['read'].total()} traces"
    for reason, count in counts["skipped"].most_common():
        example = done.examples.get(reason)
        yield f"not exported: {count} x {reason}{f', for example: {example}' if example else ''}"
    if done.note:
        yield done.note
    if not options.format.raw_record:
        yield f"with the passage in the prompt: {done.with_passage} rows"
    if done.without_needed:
        yield f"without the passage that the thought rests on: {done.without_needed} rows (--context auto shows it)"
    if len(counts["labels"]) == 1:
        yield f"every label is {next(iter(counts['labels']))}: a trainer needs both true and false"
    empty = [name for name, share in parse_shares(options.splits).items() if share and name not in done.rows]
    if empty:
        yield f"no paper is in {' or '.join(empty)}: there are too few papers"


if __name__ == "__main__":
    run_cli(main)
