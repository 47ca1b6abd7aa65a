"""The stand-in in a separate process: `python -m tests.standin.process PORT FILE`. Appends the seed of each answered
request, which identifies a stage and a try, to the file as a line."""

import argparse
import os
import signal
from pathlib import Path

from tests.standin.scientist import Scientist
from tests.standin.server import StandIn


def main() -> int:
    """Serves until it is killed. Requires the key `VLLM_API_KEY`, if that is set."""
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("seeds", type=Path)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--latency", type=float, default=0.0)
    parser.add_argument("--model", help="the only one that it knows")
    options = parser.parse_args()
    scientist = Scientist()

    def brain(body: dict[str, object]) -> str:
        with options.seeds.open("a") as file:
            file.write(f"{body['seed']}\n")
        return scientist(body)

    models = [(options.model, options.model)] if options.model else None
    key = os.environ.get("VLLM_API_KEY")
    with StandIn(brain, latency=options.latency, models=models, api_key=key, host=options.host, port=options.port):
        while True:
            signal.pause()


if __name__ == "__main__":
    main()
