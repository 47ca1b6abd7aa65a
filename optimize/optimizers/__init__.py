"""The optimizers by name. A new one is a function of a session, a line here, and its name in `optimize.settings`."""

from collections.abc import Callable
from dataclasses import dataclass

import dspy

from optimize.job import Job, Optimizer
from optimize.optimizers import stock
from optimize.optimizers.optuna_search import optuna_search
from optimize.optimizers.session import Session, compiling


@dataclass(frozen=True)
class Search:
    """An optimizer made of a search in a session."""

    name: str
    search: Callable[[Session], dspy.Module]

    def compile(self, job: Job) -> dspy.Module:
        with compiling(job) as session:
            return self.search(session)
        raise AssertionError("a session that swallowed an error must raise it")


_SEARCHES = {
    "bootstrap": stock.bootstrap,
    "random-search": stock.random_search,
    "optuna": optuna_search,
    "mipro": stock.mipro,
    "copro": stock.copro,
    "simba": stock.simba,
    "gepa": stock.gepa,
}

OPTIMIZERS: dict[str, Optimizer] = {name: Search(name, search) for name, search in _SEARCHES.items()}
