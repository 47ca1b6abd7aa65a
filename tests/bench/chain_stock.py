"""The chain over many rows as DSPy comes: `dspy.Parallel` with threads, `dspy.LM`, the chat adapter, no cache.

Run as `python -m tests.bench.chain_stock BASE ROWS THREADS`.
"""

import os
import sys

import dspy

from tests.bench.chain import Chain, passage_of
from tests.bench.stopwatch import stopwatch

RETRIES = 3


def main(base: str, rows: int, threads: int) -> None:
    # Otherwise the first call fetches a price list from the network.
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "true"
    with stopwatch():
        dspy.configure(lm=dspy.LM("openai/bench", api_base=base, api_key="none", num_retries=RETRIES, cache=False))
        chain = Chain()
        parallel = dspy.Parallel(num_threads=threads, disable_progress_bar=True)
        found = parallel([(chain, {"passage": passage_of(row)}) for row in range(rows)])
        if len(set(found) - {None}) != rows:
            raise SystemExit("some rows got no conclusion of their own")


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:4]))
