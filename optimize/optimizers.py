"""The optimizers by name: each a short constructor over one of DSPy's, with its share of the runs that a job allows. A new
one is a function with `@optimizer` here, and nothing else.

Every optimizer gives back a changed copy of the student of its `Job`. Whether that is better is not its to say:
`optimize.compilation` compares the two on validation texts, of which the search has seen a part.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import dspy

    from optimize.measure import OptimizerMetric
    from optimize.program import Tunable

MOST_DEMOS = 2
"""Demonstrations a predictor may get: small models have short contexts."""
TEMPERATURES = (0.2, 0.6, 1.0)
"""What `optuna` may set a temperature to, beside what it is."""
SHOWN = 8
"""Training examples that MIPRO's proposer is told of."""


@dataclass(frozen=True)
class Job:
    """What an optimizer is given. `runs`: about so many times the student may be run on an example that it was not run on
    unchanged. `train`, and of these `good`, on which the unchanged student scored `threshold` or more, the best
    first: they become demonstrations. Any prefix of `train` and `val` is as mixed as the whole. `proposer` writes
    instructions, asked through DSPy's adapter. `temperatures`: whether these may be tuned too."""

    student: "Tunable"
    train: "list[dspy.Example]"
    good: "list[dspy.Example]"
    val: "list[dspy.Example]"
    metric: "OptimizerMetric"
    proposer: "dspy.LM"
    runs: int
    threshold: float
    seed: int
    concurrency: int
    temperatures: bool = True

    def validation(self, count: float) -> "list[dspy.Example]":
        """About so many of the validation examples, one at least."""
        return self.val[: within(count, 1, len(self.val))]

    @property
    def demonstrating(self) -> dict[str, Any]:
        """Which runs become demonstrations, in DSPy's words. No threshold of 0: DSPy takes that for none."""
        return {
            "metric": self.metric,
            "metric_threshold": self.threshold or None,
            "max_bootstrapped_demos": MOST_DEMOS,
            "max_labeled_demos": 0,
        }


def within(number: float, least: int, most: int) -> int:
    """The whole number nearest below `number` that is at least `least` and at most `most` (`most` wins)."""
    return min(max(int(number), least), most)


Optimizer = Callable[[Job], "dspy.Module"]

OPTIMIZERS: dict[str, Optimizer] = {}


def optimizer(function: Optimizer) -> Optimizer:
    """Puts an optimizer into the table, under its function's name with hyphens."""
    OPTIMIZERS[function.__name__.replace("_", "-")] = function
    return function


@optimizer
def bootstrap(job: Job) -> "dspy.Module":
    """BootstrapFewShot: demonstrations from runs that went well."""
    import dspy

    if not job.good:
        return job.student
    return dspy.BootstrapFewShot(**job.demonstrating).compile(job.student, trainset=job.good)


@optimizer
def random_search(job: Job) -> "dspy.Module":
    """BootstrapFewShotWithRandomSearch: the best of about eight random sets of demonstrations or more."""
    import dspy

    if not job.good:
        return job.student
    val = job.validation(job.runs / 9)
    programs = within(job.runs / len(val), 3, 24)
    search = dspy.BootstrapFewShotWithRandomSearch(
        **job.demonstrating, num_candidate_programs=programs - 2, num_threads=job.concurrency, stop_at_score=100.0
    )
    # Number -2 has raw training examples as demonstrations: texts, which no stage can use.
    numbers = [number for number in range(-3, programs - 2) if number != -2]
    return search.compile(job.student, trainset=job.good, valset=val, restrict=numbers)


@optimizer
def optuna(job: Job) -> "dspy.Module":
    """Demonstrations (none, one, two) and temperatures of all predictors together, drawn by Optuna in about ten trials or
    more; the first is the program as it is. The only one that tunes temperatures."""
    import dspy
    import optuna as library

    from optimize.program import changed_copy, tuned_parts

    val, parts, shown = job.validation(job.runs / 10), tuned_parts(job.student), tuned_parts(bootstrap(job))
    warm = job.temperatures and "temperature" in dspy.settings.lm.supported_params

    def program(trial: library.trial.BaseTrial) -> dspy.Module:
        drawn = {}
        for name, part in parts.items():
            count = trial.suggest_categorical(f"demonstrations of {name}", [*range(len(shown[name].demos) + 1)])
            heats = list(dict.fromkeys([part.temperature, *(TEMPERATURES if warm else ())]))
            demos = shown[name].demos[:count] if count else part.demos
            heat = trial.suggest_categorical(f"temperature of {name}", heats)
            drawn[name] = part.model_copy(update={"demos": demos, "temperature": heat})
        return changed_copy(job.student, drawn)

    evaluate = dspy.Evaluate(devset=val, metric=job.metric, num_threads=job.concurrency, display_progress=False)
    study = library.create_study(direction="maximize", sampler=library.samplers.TPESampler(seed=job.seed))
    unchanged = {f"temperature of {name}": part.temperature for name, part in parts.items()}
    study.enqueue_trial({**unchanged, **{f"demonstrations of {name}": 0 for name in parts}})
    study.optimize(lambda trial: float(evaluate(program(trial)).score), n_trials=within(job.runs / len(val), 2, 60))
    return program(library.trial.FixedTrial(study.best_params))


@optimizer
def mipro(job: Job) -> "dspy.Module":
    """MIPROv2: instructions and demonstrations chosen together by Bayesian optimization, in about ten trials or more."""
    import dspy

    val = job.validation(job.runs / 11)
    trials = within(job.runs / len(val) - 1, 2, 60)
    search = dspy.MIPROv2(
        **{**job.demonstrating, "max_bootstrapped_demos": MOST_DEMOS if job.good else 0},
        prompt_model=job.proposer,
        task_model=dspy.settings.lm,
        auto=None,
        num_candidates=within(trials / 3, 2, 8),
        num_threads=job.concurrency,
        seed=job.seed + 1,  # MIPRO takes a seed of 0 for none
        track_stats=False,
    )
    return search.compile(
        job.student,
        trainset=(job.good or job.train)[:SHOWN],
        valset=val,
        num_trials=trials,
        minibatch=False,
        program_aware_proposer=False,
        view_data_batch_size=4,
    )


@optimizer
def copro(job: Job) -> "dspy.Module":
    """COPRO: instructions by coordinate ascent, as broad a search as leaves each enough examples; of one predictor in two
    rounds, since with several a second one tries all instructions so far again."""
    import dspy

    predictors = len(job.student.predictors())
    rounds, enough = 2 if predictors == 1 else 1, min(6, len(job.val))
    breadth = within(job.runs / (enough * rounds * predictors), 2, 8)
    search = dspy.COPRO(job.proposer, metric=job.metric, breadth=breadth, depth=rounds, init_temperature=1.0)
    threads = {"num_threads": job.concurrency, "display_progress": False, "display_table": 0}
    # What COPRO calls its training set is what it chooses by.
    val = job.validation(job.runs / (breadth * rounds * predictors))
    return search.compile(job.student.deepcopy(), trainset=val, eval_kwargs=threads)


@optimizer
def simba(job: Job) -> "dspy.Module":
    """SIMBA: rules and demonstrations taken from examples on which runs differ most; in four steps or more, or fewer where
    a batch would have less than four examples. A third of the runs are for its last trial."""
    import dspy
    from dspy.teleprompt.simba_utils import append_a_demo, append_a_rule

    train = within(job.runs / 12, 4, len(job.train))
    # A step samples three candidates on its batch, makes up to four programs of them, and tries these on the batch.
    widest = (job.runs - 4 * train) / 7
    batch = within(max(widest / 4, min(widest, 4)), 2, train)
    search = dspy.SIMBA(
        metric=job.metric,
        bsize=batch,
        num_candidates=3,
        max_steps=within(widest / batch, 1, 8),
        max_demos=MOST_DEMOS,
        prompt_model=job.proposer,
        num_threads=job.concurrency,
    )
    append = append_a_demo(100_000)

    def good_demo(bucket: list[dict[str, Any]], system: Any, **more: Any) -> bool:
        return bool(bucket[0]["score"] >= job.threshold and append(bucket, system, **more))

    search.strategies = [good_demo, append_a_rule]
    return search.compile(job.student, trainset=job.train[:train], seed=job.seed)


@optimizer
def gepa(job: Job) -> "dspy.Module":
    """GEPA: instructions evolved by reflecting on what was wrong, in words; a fifth of the runs each full validation."""
    import dspy
    from dspy.teleprompt.gepa import InstructionProposer

    val = job.validation(job.runs / 5)
    # It begins a step, of six runs and a validation at most, while it has used fewer than its limit.
    most = max(job.runs - 5 - len(val), len(val) + 1)
    # No cache_evaluation: GEPA 0.1.4 keys it by an example's place in its list, so that a score on training example 0
    # counts as the one on validation example 0.
    search = dspy.GEPA(
        metric=job.metric,
        max_metric_calls=most,
        reflection_minibatch_size=min(3, len(job.train)),
        reflection_lm=job.proposer,
        instruction_proposer=InstructionProposer(adapter=dspy.settings.adapter),
        num_threads=job.concurrency,
        warn_on_score_mismatch=False,
        seed=job.seed,
    )
    return search.compile(job.student, trainset=job.train, valset=val)
