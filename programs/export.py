"""`python -m programs.export DOCUMENT --to FORMAT --output FOLDER`: training data as trainers load it.

The folder holds data files by split, a card (README.md) and `export.json`; it can be pushed to the Hugging Face Hub as it
is. It is made beside its place and put there in one step.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from programs.cli.options import parse, run_cli
from programs.errors import UserError
from programs.exports.options import ExportOptions, shares_of

if TYPE_CHECKING:
    from programs.exports.card import Exported

_REFUSED = "the Hub refuses the token, which must be allowed to write"
_REFUSALS = {401: _REFUSED, 403: _REFUSED, 409: "is there already; name another, or --overwrite"}


def main(arguments: list[str] | None = None) -> int:
    """Exports, pushes if asked to, and says what there is."""
    about = "Write the traces of a document as training data."
    options = parse(ExportOptions, "python -m programs.export", about, arguments)
    options.require_extras()
    if options.push_to_hub is not None:
        _check_hub(options.push_to_hub)
    # Only now: --help needs none of it.
    from programs.exports.exporter import export

    print(*told(export(options)), sep="\n")
    if options.push_to_hub is not None:
        print(push(options, options.push_to_hub))
    return 0


def told(done: "Exported") -> Iterator[str]:
    """What an export made, in lines for a person."""
    tally, counts, options = done.tally, done.tally.counts, done.options
    splits = ", ".join(f"{name} {split.rows}" for name, split in done.splits.items())
    yield f"{options.output}: {tally.rows} rows ({splits}) of {counts['read'].total()} traces"
    yield from (f"not exported: {count} x {reason}" for reason, count in counts["skipped"].most_common())
    if done.note:
        yield done.note
    if not options.format.whole:
        yield f"with the passage in the prompt: {tally.with_passage} rows"
    if tally.without_needed:
        yield f"without the passage that the thought rests on: {tally.without_needed} rows (--context auto shows it)"
    if len(counts["labels"]) == 1:
        yield f"every label is {next(iter(counts['labels']))}: a trainer learns from the contrast of both"
    empty = [name for name, share in shares_of(options.splits).items() if share and name not in done.splits]
    if empty:
        yield f"no paper fell into {' or '.join(empty)}: there are too few"


def _check_hub(repository: str) -> None:
    """Raises `UserError`, before any work, for a name that the Hub cannot have and for missing credentials."""
    from huggingface_hub import get_token, hf_hub_url

    try:
        hf_hub_url(repository, "README.md", repo_type="dataset")
    except ValueError as error:
        raise UserError(f"--push-to-hub: {_line(error)}") from None
    if get_token() is None:
        raise UserError("--push-to-hub: not logged in; run hf auth login or set HF_TOKEN")


def push(options: ExportOptions, repository: str) -> str:
    """Puts the folder into the repository, in one commit: a new one, private unless `--public`, or with `--overwrite` one
    that is there, whose `data/` is replaced. Returns its address. Raises `UserError` for whatever the Hub refuses."""
    import httpx
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError

    api, folder = HfApi(library_name="synthreasoner"), options.output
    try:
        made = api.create_repo(repository, repo_type="dataset", private=not options.public, exist_ok=options.overwrite)
        api.upload_folder(repo_id=made.repo_id, repo_type="dataset", folder_path=folder, delete_patterns="data/*")
    except (HfHubHTTPError, httpx.HTTPError, OSError) as error:
        status = error.response.status_code if isinstance(error, HfHubHTTPError) else None
        said = f"{_REFUSALS[status]} ({status})" if status in _REFUSALS else _line(error)
        raise UserError(f"--push-to-hub: {repository}: {said}. The export is in {folder}") from None
    return str(made)


def _line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


if __name__ == "__main__":
    run_cli(main)
