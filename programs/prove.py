"""`python -m programs.prove DOCUMENT`: does the data train?

    python -m programs.prove cosmology.json                      how the traces are distributed; needs no model
    python -m programs.prove cosmology.json --tier 1             what the thoughts tell a student of their answers
    python -m programs.prove cosmology.json --tier 2 --dry-run   how long the training would take here

The folder holds README.md (a page), results.json, and the arms of the training as they are done.
"""

import sys
from functools import partial

from programs.cli.options import parse, run_cli
from programs.cli.terminal import put
from programs.proving.options import ProveOptions


def main(arguments: list[str] | None = None) -> int:
    """Runs the tiers, and says what they found and where it is."""
    options = parse(ProveOptions, arguments)
    # Only now: --help needs none of it, and tier 0 no student.
    from programs.proving.student import check_extra
    from programs.proving.tiers import estimate, prove

    if options.tier != "0":
        check_extra()
    say = partial(print, file=sys.stderr, flush=True)
    for line in estimate(options, say) if options.dry_run else prove(options, say).summary_lines():
        put(line)
    if not options.dry_run:
        put(str(options.folder / "README.md"))
    return 0


if __name__ == "__main__":
    run_cli(main)
