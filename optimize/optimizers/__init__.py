"""The optimizers by name. A new one is a file beside these, a line in the table, and its name in `optimize.settings`."""

from optimize.job import Optimizer
from optimize.optimizers.bootstrap import Bootstrap
from optimize.optimizers.copro import Copro
from optimize.optimizers.gepa import Gepa
from optimize.optimizers.mipro import Mipro
from optimize.optimizers.optuna_search import OptunaSearch
from optimize.optimizers.random_search import RandomSearch
from optimize.optimizers.simba import Simba

OPTIMIZERS: dict[str, Optimizer] = {
    optimizer.name: optimizer
    for optimizer in (Bootstrap(), RandomSearch(), OptunaSearch(), Mipro(), Copro(), Simba(), Gepa())
}
