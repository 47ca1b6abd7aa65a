"""`python -m programs.prove DOCUMENT`: find out whether the data trains a student model.

    python -m programs.prove cosmology.json                      how the traces are distributed; needs no model
    python -m programs.prove cosmology.json --tier 1             how much the thoughts help a student predict the answers
    python -m programs.prove cosmology.json --tier 2 --dry-run   how long the training would take on this machine

The result folder holds README.md (a page), results.json, and the results of each training arm as it finishes.
"""

import sys
from functools import partial

from programs.cli.options import parse, run_cli
from programs.cli.terminal import print_result
from programs.proving.options import ProveOptions


def main(arguments: list[str] | None = None) -> int:
    """Runs the tiers, and prints what they found and the path of the page."""
    options = parse(ProveOptions, arguments)
    # Imported here, since --help does not need them.
    from programs.proving.student import check_extra
    from programs.proving.tiers import estimate, prove

    if options.tier != "0":
        check_extra()
    say = partial(print, file=sys.stderr, flush=True)
    for line in estimate(options, say) if options.dry_run else prove(options, say).summary_lines():
        print_result(line)
    if not options.dry_run:
        print_result(str(options.folder / "README.md"))
    return 0


if __name__ == "__main__":
    run_cli(main)
