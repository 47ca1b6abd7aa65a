"""The optimizers by name. Each sets up one of DSPy's (or Optuna) for the number of runs that its job allows. To add one,
write a function with `@optimizer` here.

Every optimizer returns a changed copy of its job's student, or the student itself. `optimize.compilation` decides whether
that is better, on validation examples that the job does not have (unless there is only one). DSPy and Optuna are imported
in the functions, since options are read without them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import dspy

    from optimize.program import Tunable

MAX_DEMOS = 2
"""The most demonstrations a predictor may get: small models have short contexts."""
TEMPERATURES = (0.2, 0.6, 1.0)
"""The temperatures that `optuna` tries, besides the current one."""
MIPRO_EXAMPLES = 8
"""How many training examples MIPRO takes demonstrations from and shows to its proposer."""


@dataclass(frozen=True)
class Job:
    """What an optimizer is given. Any prefix of `train` and `val` is as mixed as the whole. `good` are the training
    examples on which the unchanged student scored `threshold` or more, best first; they become demonstrations. `runs`:
    about how often the search may run the student on an example, not counting repeats of recorded runs. `proposer` writes
    instructions, called through DSPy's adapter."""

    student: "Tunable"
    train: "list[dspy.Example]"
    good: "list[dspy.Example]"
    val: "list[dspy.Example]"
    metric: "Callable[..., dspy.Prediction]"
    proposer: "dspy.LM"
    runs: int
    threshold: float
    seed: int
    concurrency: int

    def validation(self, count: float) -> "list[dspy.Example]":
        """About `count` of the validation examples, at least one."""
        return self.val[: clamp(count, 1, len(self.val))]

    @property
    def bootstrap_arguments(self) -> dict[str, Any]:
        """DSPy's arguments for which runs become demonstrations. DSPy reads a threshold of 0 as none."""
        return {
            "metric": self.metric,
            "metric_threshold": self.threshold or None,
            "max_bootstrapped_demos": MAX_DEMOS,
            "max_labeled_demos": 0,
        }


def clamp(number: float, minimum: int, maximum: int) -> int:
    """`number` as an integer, rounded down and clamped to `minimum`..`maximum` (if they conflict, `maximum` wins)."""
    return min(max(int(number), minimum), maximum)


Optimizer = Callable[[Job], "dspy.Module"]

OPTIMIZERS: dict[str, Optimizer] = {}


def optimizer(function: Optimizer) -> Optimizer:
    """Registers an optimizer under its function's name, with hyphens."""
    OPTIMIZERS[function.__name__.replace("_", "-")] = function
    return function


@optimizer
def bootstrap(job: Job) -> "dspy.Module":
    """BootstrapFewShot: demonstrations from good runs."""
    import dspy

    if not job.good:
        return job.student
    return dspy.BootstrapFewShot(**job.bootstrap_arguments).compile(job.student, trainset=job.good)


@optimizer
def random_search(job: Job) -> "dspy.Module":
    """BootstrapFewShotWithRandomSearch: the best of about eight or more random sets of demonstrations."""
    import dspy

    if not job.good:
        return job.student
    val = job.validation(job.runs / 9)
    programs = clamp(job.runs / len(val), 3, 24)
    search = dspy.BootstrapFewShotWithRandomSearch(
        **job.bootstrap_arguments, num_candidate_programs=programs - 2, num_threads=job.concurrency, stop_at_score=100.0
    )
    # Candidate -2 takes raw training examples as demonstrations: texts, which no stage can use.
    candidates = [number for number in range(-3, programs - 2) if number != -2]
    return search.compile(job.student, trainset=job.good, valset=val, restrict=candidates)


@optimizer
def optuna(job: Job) -> "dspy.Module":
    """Draws demonstrations (none new, one or two) and temperatures for all predictors together with Optuna, in about ten
    or more trials; the first is the unchanged program. The only optimizer that tunes temperatures."""
    import dspy
    import optuna as library

    from optimize.program import changed_copy, tuned_parts

    val, parts, good = job.validation(job.runs / 10), tuned_parts(job.student), tuned_parts(bootstrap(job))
    tries_temperatures = job.student.tunes_temperatures and "temperature" in dspy.settings.lm.supported_params

    def program(trial: library.trial.BaseTrial) -> dspy.Module:
        drawn = {}
        for name, part in parts.items():
            count = trial.suggest_categorical(f"demonstrations of {name}", [*range(len(good[name].demos) + 1)])
            temperatures = dict.fromkeys([part.temperature, *(TEMPERATURES if tries_temperatures else ())])
            demos = good[name].demos[:count] if count else part.demos
            temperature = trial.suggest_categorical(f"temperature of {name}", list(temperatures))
            drawn[name] = part.model_copy(update={"demos": demos, "temperature": temperature})
        return changed_copy(job.student, drawn)

    evaluate = dspy.Evaluate(devset=val, metric=job.metric, num_threads=job.concurrency, display_progress=False)
    study = library.create_study(direction="maximize", sampler=library.samplers.TPESampler(seed=job.seed))
    unchanged = {f"temperature of {name}": part.temperature for name, part in parts.items()}
    study.enqueue_trial({**unchanged, **{f"demonstrations of {name}": 0 for name in parts}})
    study.optimize(lambda trial: float(evaluate(program(trial)).score), n_trials=clamp(job.runs / len(val), 2, 60))
    return program(library.trial.FixedTrial(study.best_params))


@optimizer
def mipro(job: Job) -> "dspy.Module":
    """MIPROv2: instructions and demonstrations chosen together by Bayesian optimization, in about ten or more trials."""
    import dspy

    val = job.validation(job.runs / 11)
    trials = clamp(job.runs / len(val) - 1, 2, 60)
    search = dspy.MIPROv2(
        **{**job.bootstrap_arguments, "max_bootstrapped_demos": MAX_DEMOS if job.good else 0},
        prompt_model=job.proposer,
        task_model=dspy.settings.lm,
        auto=None,
        num_candidates=clamp(trials / 3, 2, 8),
        num_threads=job.concurrency,
        seed=job.seed + 1,  # MIPRO reads a seed of 0 as none
        track_stats=False,
    )
    return search.compile(
        job.student,
        trainset=(job.good or job.train)[:MIPRO_EXAMPLES],
        valset=val,
        num_trials=trials,
        minibatch=False,
        program_aware_proposer=False,
        view_data_batch_size=4,
    )


@optimizer
def gepa(job: Job) -> "dspy.Module":
    """GEPA: instructions evolved by reflecting on feedback in words. A full validation takes up to a fifth of the runs."""
    import dspy
    from dspy.teleprompt.gepa import InstructionProposer

    val = job.validation(job.runs / 5)
    # GEPA starts a step (at most six runs and a validation) whenever it has used fewer runs than its limit.
    limit = max(job.runs - 5 - len(val), len(val) + 1)
    # No cache_evaluation: GEPA 0.1.4 uses an example's index as the key, so that the score of training example 0 would
    # be used for validation example 0.
    search = dspy.GEPA(
        metric=job.metric,
        max_metric_calls=limit,
        reflection_minibatch_size=min(3, len(job.train)),
        reflection_lm=job.proposer,
        instruction_proposer=InstructionProposer(adapter=dspy.settings.adapter),
        num_threads=job.concurrency,
        warn_on_score_mismatch=False,
        seed=job.seed,
    )
    return search.compile(job.student, trainset=job.train, valset=val)
