"""`python -m programs.export DOCUMENT --to FORMAT --output FOLDER`: training data as trainers load it.

The folder holds data files by split, a card (README.md) and `export.json`; it can be pushed to the Hugging Face Hub as it
is. It is made beside its place and put there in one step.
"""

from collections.abc import Iterator

from programs.cli.options import parse, run_cli
from programs.exports.card import Exported
from programs.exports.exporter import export
from programs.exports.hub import check, push
from programs.exports.options import ExportOptions


def main(arguments: list[str] | None = None) -> int:
    """Exports, pushes if asked to, and says what there is."""
    options = parse(
        ExportOptions,
        "python -m programs.export",
        "Write the traces of a document as training data.",
        arguments,
    )
    options.require_extras()
    if options.push_to_hub is not None:
        check(options.push_to_hub)
    for line in told(export(options)):
        print(line)
    if options.push_to_hub is not None:
        print(push(options.output, options.push_to_hub, public=options.public, overwrite=options.overwrite))
    return 0


def told(done: Exported) -> Iterator[str]:
    """What an export made, in lines for a person."""
    tally = done.tally
    splits = ", ".join(f"{split} {size.rows}" for split, size in done.sizes.items())
    yield f"{done.options.output}: {tally.rows} rows ({splits}) of {sum(tally.read.values())} traces"
    for reason, count in tally.skipped.most_common():
        yield f"not exported: {count} x {reason}"
    if done.origin.note:
        yield done.origin.note
    if not done.options.format.whole:
        yield f"with the passage in the prompt: {tally.with_passage} rows"
    if tally.without_needed:
        yield f"without the passage that the thought rests on: {tally.without_needed} rows (--context auto shows it)"
    if len(tally.labels) == 1:
        yield f"every label is {str(next(iter(tally.labels))).lower()}: a trainer learns from the contrast of both"
    empty = [name for name, share in done.options.shares.named() if share and name not in done.sizes]
    if empty:
        yield f"no paper fell into {' or '.join(empty)}: there are too few"


if __name__ == "__main__":
    run_cli(main)
