"""DSPy's own optimizers, each with its share of the runs that a job allows: to find demonstrations, to try programs, and to
compare the best with the unchanged one.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import product
from typing import Any

import dspy
from dspy.teleprompt.gepa import InstructionProposer
from dspy.teleprompt.simba_utils import append_a_demo, append_a_rule

from optimize.job import within
from optimize.optimizers.bench import plain
from optimize.optimizers.proposing import LONGEST
from optimize.optimizers.session import MOST_DEMOS, Session

SHOWN = 8
"""Training examples that MIPRO's proposer is told of."""

_LABELLED = -2
"""DSPy's number of the program with raw training examples as demonstrations: texts, which no stage can use."""

_ENOUGH = 6
"""Examples on which COPRO should try an instruction, where the runs allow it."""

_MERGE_SAMPLE = 5
"""Validation examples on which GEPA tries a merge of two programs before it tries the rest."""

_LONGEST_INPUT = 100_000
"""Characters at which SIMBA would cut a demonstration's input; ours are shorter."""


def bootstrap(session: Session) -> dspy.Module:
    """BootstrapFewShot: a demonstration for each predictor from a run that scored well. Half of the runs find it."""
    job = session.job
    train = within(job.runs / 2, 1, len(job.train))
    good = session.harvest(train, wanted=4).good
    if not good:
        return job.student
    # All of these pass: what is run again is remembered, and the metric with it.
    optimizer = dspy.BootstrapFewShot(
        metric=session.metric,
        metric_threshold=job.threshold or None,
        max_bootstrapped_demos=1,
        max_labeled_demos=0,
    )
    return session.better(optimizer.compile(session.bench, trainset=good), session.validation((job.runs - train) / 2))


def random_search(session: Session) -> dspy.Module:
    """BootstrapFewShotWithRandomSearch: the best of about eight random sets of demonstrations or more. A quarter of the
    runs find them."""
    job = session.job
    train = within(job.runs / 4, 1, len(job.train))
    good = session.harvest(train, wanted=4 * MOST_DEMOS).good
    if not good:
        return job.student
    val = session.validation((job.runs - train) / 9)
    programs = within((job.runs - train) / len(val) - 1, 2, 24)
    optimizer = dspy.BootstrapFewShotWithRandomSearch(
        metric=session.metric,
        metric_threshold=job.threshold or None,
        max_bootstrapped_demos=MOST_DEMOS,
        max_labeled_demos=0,
        num_candidate_programs=programs - 2,
        num_threads=job.concurrency,
        stop_at_score=100.0,
    )
    numbers = [number for number in range(-3, programs - 2) if number != _LABELLED]
    return session.better(optimizer.compile(session.bench, trainset=good, valset=val, restrict=numbers), val)


def mipro(session: Session) -> dspy.Module:
    """MIPROv2: instructions and demonstrations chosen together by Bayesian optimization, in about ten trials or more. A
    fifth of the runs find demonstrations."""
    job = session.job
    train = within(job.runs / 5, 1, len(job.train))
    val = session.validation((job.runs - train) / 11)
    trials = within((job.runs - train) / len(val) - 1, 2, 60)
    found = session.harvest(train, wanted=SHOWN)
    optimizer = dspy.MIPROv2(
        metric=session.metric,
        prompt_model=job.proposer,
        task_model=dspy.settings.lm,
        max_bootstrapped_demos=MOST_DEMOS if found.good else 0,
        max_labeled_demos=0,
        auto=None,
        num_candidates=within(trials / 3, 2, 8),
        num_threads=job.concurrency,
        # MIPRO takes a seed of 0 for none.
        seed=job.seed + 1,
        track_stats=False,
        metric_threshold=job.threshold or None,
    )
    made = optimizer.compile(
        session.bench,
        trainset=found.good or found.tried[:SHOWN],
        valset=val,
        num_trials=trials,
        minibatch=False,
        # It would read the source of our bench.
        program_aware_proposer=False,
        view_data_batch_size=4,
    )
    return session.better(made, val)


def copro(session: Session) -> dspy.Module:
    """COPRO: instructions by coordinate ascent, one predictor after another, round after round: the widest and deepest
    search that leaves enough examples for each instruction."""
    job = session.job
    predictors, enough = len(job.tunable), min(_ENOUGH, len(job.val))
    sizes = [
        size for size in product(range(2, 9), range(1, 4)) if copro_programs(predictors, *size) * enough <= job.runs
    ]
    breadth, depth = max(sizes, key=lambda size: (size[0] * size[1], size[1]), default=(2, 1))
    val = session.validation(job.runs / copro_programs(predictors, breadth, depth))
    optimizer = dspy.COPRO(
        prompt_model=job.proposer, metric=session.metric, breadth=breadth, depth=depth, init_temperature=1.0
    )
    threads = {"num_threads": job.concurrency, "display_progress": False, "display_table": 0}
    # What COPRO calls its training set is what it chooses by.
    return session.better(optimizer.compile(session.bench, trainset=val, eval_kwargs=threads), val)


def copro_programs(predictors: int, breadth: int, depth: int) -> int:
    """How many different programs COPRO tries at most.

    The first round has the original among its `breadth`. With one predictor every later round tries the new ones alone;
    with several, all instructions so far again, one of which is the program as it stands.
    """
    if predictors == 1:
        return breadth * depth
    return 1 + sum(predictors * (breadth * number - 1) for number in range(1, depth + 1))


def simba(session: Session) -> dspy.Module:
    """SIMBA: rules and demonstrations taken from examples on which runs differ most. A quarter of the runs are for the last
    trial on training examples, an eighth for validation, the rest for four steps or more, or fewer where a batch would have
    less than four examples."""
    job = session.job
    candidates = 4 if job.runs >= 200 else 3
    train = within(job.runs / 4 / (candidates + 1), 4, len(job.train))
    val = session.validation(job.runs / 16)
    # A step samples the candidates on its batch, makes up to one program more of them, and tries these on the batch.
    widest = (job.runs - (candidates + 1) * train - 2 * len(val)) / (2 * candidates + 1)
    batch = within(max(widest / 4, min(widest, 4)), 2, train)
    optimizer = dspy.SIMBA(
        metric=session.feedback,
        bsize=batch,
        num_candidates=candidates,
        max_steps=within(widest / batch, 1, 8),
        max_demos=MOST_DEMOS,
        prompt_model=job.proposer,
        num_threads=job.concurrency,
    )
    optimizer.strategies = [_good_demo(job.threshold), _readable_rule]
    made = optimizer.compile(session.bench, trainset=session.sample(job.train, train, "train"), seed=job.seed)
    return session.better(made, val)


def _good_demo(threshold: float) -> Callable[..., bool]:
    """SIMBA's strategy of adding a demonstration, for runs at or above the threshold only."""
    append = append_a_demo(_LONGEST_INPUT)

    def good_demo(bucket: list[dict[str, Any]], system: dspy.Module, **more: Any) -> bool:
        return bool(bucket[0]["score"] >= threshold and append(bucket, system, **more))

    return good_demo


def _readable_rule(bucket: list[dict[str, Any]], system: dspy.Module, **more: Any) -> bool:
    """SIMBA's strategy of adding a rule. It shows the proposer nothing but JSON, and writes that any other value is not
    serializable; so our values are made JSON before. An instruction that would grow too long stays as it was."""
    before = {name: predictor.signature for name, predictor in system.named_predictors()}
    made = append_a_rule([_readable(output) for output in bucket], system, **more)
    for name, predictor in system.named_predictors():
        if len(predictor.signature.instructions) > LONGEST:
            predictor.signature = before[name]
    return bool(made)


def _readable(output: dict[str, Any]) -> dict[str, Any]:
    trace = [(predictor, plain(given), plain(dict(made))) for predictor, given, made in output["trace"] or []]
    # The steps tell what the program put out; a whole prediction would repeat them, with the passage.
    return {**output, "trace": trace, "prediction": {}}


def gepa(session: Session) -> dspy.Module:
    """GEPA: instructions evolved by reflecting on what was wrong, in words; a fifth of the runs each full validation."""
    job = session.job
    val = session.validation(job.runs / 5)
    batch = min(3, len(job.train))
    # It begins a step, of so many runs at most, while it has used fewer than its limit.
    step = max(2 * batch, _MERGE_SAMPLE) + len(val)
    # No cache_evaluation: GEPA 0.1.4 keys it by an example's place in its list, so that a score on training example 0
    # counts as the one on validation example 0. The session remembers runs anyway.
    optimizer = dspy.GEPA(
        metric=session.feedback,
        max_metric_calls=max(job.runs - step + 1, len(val) + 1),
        reflection_minibatch_size=batch,
        reflection_lm=job.proposer,
        instruction_proposer=_NewProposals(session),
        num_threads=job.concurrency,
        warn_on_score_mismatch=False,
        seed=job.seed,
    )
    return session.better(optimizer.compile(session.bench, trainset=job.train, valset=val), val)


class _NewProposals(InstructionProposer):
    """GEPA's own proposer, of whose proposals only new ones come back: GEPA spends runs on whatever does."""

    def __init__(self, session: Session) -> None:
        super().__init__(adapter=session.adapter())

    def __call__(
        self,
        candidate: dict[str, str],
        reflective_dataset: Mapping[str, Sequence[Mapping[str, Any]]],
        components_to_update: list[str],
    ) -> dict[str, str]:
        proposed = super().__call__(candidate, reflective_dataset, components_to_update)
        return {name: text for name, text in proposed.items() if text != candidate[name].strip()}
