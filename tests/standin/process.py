"""The stand-in as a process of its own: `python -m tests.standin.process PORT FILE`. Each answer's seed, which names a
stage and a try, is added to the file as a line."""

import argparse
import os
import signal
from pathlib import Path

from tests.standin.scientist import Scientist
from tests.standin.server import StandIn


def main() -> int:
    """Serves until it is killed, with `VLLM_API_KEY` as its key."""
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("seeds", type=Path)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--latency", type=float, default=0.0)
    parser.add_argument("--model", help="the only one that it knows")
    given = parser.parse_args()
    scientist = Scientist()

    def brain(body: dict[str, object]) -> str:
        with given.seeds.open("a") as file:
            file.write(f"{body['seed']}\n")
        return scientist(body)

    models = [(given.model, given.model)] if given.model else None
    key = os.environ.get("VLLM_API_KEY")
    with StandIn(brain, latency=given.latency, models=models, api_key=key, host=given.host, port=given.port):
        while True:
            signal.pause()


if __name__ == "__main__":
    main()
