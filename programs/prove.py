"""`python -m programs.prove DOCUMENT`: does the data train?

    python -m programs.prove cosmology.json                      how the traces are distributed; needs no model
    python -m programs.prove cosmology.json --tier 1             what the thoughts tell a student of their answers
    python -m programs.prove cosmology.json --tier 2 --dry-run   how long the training would take here

The folder holds README.md (a page), its picture, results.json, and the arms of the training as they are done.
"""

import sys

from programs.cli.options import parse, run_cli
from programs.cli.terminal import put
from programs.proving.options import ProveOptions


def main(arguments: list[str] | None = None) -> int:
    """Runs the tiers, and says what they found and where it is."""
    options = parse(ProveOptions, "python -m programs.prove", "Find out whether the data trains.", arguments)
    options.check()
    # Only now: --help needs none of it, and tier 0 no student.
    from programs.proving.student import check_extra
    from programs.proving.tiers import estimate, prove

    if options.tier != "0":
        check_extra()
    if options.dry_run:
        for line in estimate(options, _progress):
            put(line)
        return 0
    results = prove(options, _progress)
    found = results.distributions
    put(f"{found.traces} traces of {found.papers} papers; Vendi score {found.vendi:.1f} of {found.sampled} thoughts")
    for caution in found.cautions:
        put(caution)
    if found.contaminated is not None:
        put(f"{len(found.contaminated)} texts give a question of the given files away")
    if results.lift is not None and (own := results.lift.own) is not None:
        put(
            f"lift of the thoughts: {own.difference:+.3f} nats a token of the answer ({own.low:+.3f} to {own.high:+.3f})"
        )
    if results.training is not None:
        put(results.training.verdict)
    put(str(options.folder / "README.md"))
    return 0


def _progress(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    run_cli(main)
