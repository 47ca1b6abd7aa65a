"""`optuna`: a search over instructions, demonstrations and temperatures of every stage at once.

The first trial is the unchanged program. Then each choice is tried alone, in every stage that has it, kinds of choices in
turn: small budgets find what is worth combining. The rest Optuna draws. Nothing is kept of a search: the same seed makes
the same trials, and the journal of calls answers those that were made.
"""

import json
from math import prod
from typing import Any

import dspy
import optuna

from optimize.optimizers import MOST_DEMOS, Job
from optimize.program import Tuned, changed_copy, plain, tuned_parts
from programs.asking.schema import form_of, outputs_of, schema_of
from signatures.prompt import ImproveInstruction

KINDS = ("temperature", "demos", "instructions")
"""The fields of `Tuned` that are chosen, in the order in which they are tried alone."""

TEMPERATURES = (0.2, 0.6, 1.0)
PROPOSALS = 3
"""Instructions asked of the proposer for each predictor."""

SHOWN_CHARACTERS = 1500
_WORST = 3
"""How many of the examples that did worst a proposer is shown, and how much of each input and output."""

_FIRST_RANDOM = 6
"""Trials before the sampler draws on what it has seen."""

_DRAWS = 3
"""Times as many trials are drawn, at most, as are made: the sampler likes what it knows, which counts for nothing."""

Choices = dict[tuple[str, str], list[Any]]
"""By predictor and kind: what it may become; what it is stands first."""


def searched(job: Job) -> dspy.Module:
    """The best program of the trials; an eighth of the runs each, and the validation examples that allows."""
    choices, examples = choices_of(job), job.validation(job.runs / 8)
    evaluate = dspy.Evaluate(devset=examples, metric=job.metric, num_threads=job.concurrency, display_progress=False)
    sampler = optuna.samplers.TPESampler(seed=job.seed, n_startup_trials=_FIRST_RANDOM)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    trials = min(max(1, job.runs // len(examples)), prod(map(len, choices.values())))
    for first in first_trials(choices, trials):
        study.enqueue_trial({" ".join(place): number for place, number in first.items()})
    tried: dict[tuple[int, ...], float] = {}
    best, best_score = job.student, -1.0
    for _ in range(_DRAWS * trials):
        trial = study.ask()
        drawn = {
            place: trial.suggest_categorical(" ".join(place), [*range(len(some))]) for place, some in choices.items()
        }
        key = tuple(drawn.values())
        if key not in tried:
            program = _program(job, {place: choices[place][number] for place, number in drawn.items()})
            tried[key] = float(evaluate(program).score)
            if tried[key] > best_score:
                best, best_score = program, tried[key]
        study.tell(trial, tried[key])
        if len(tried) == trials:
            break
    return best


def first_trials(choices: Choices, trials: int) -> list[dict[tuple[str, str], int]]:
    """The unchanged program, then programs in which one thing differs, in every predictor that has that choice: kinds of
    changes in turn, for at most two thirds of the trials."""
    singles = [
        {place: number if place[1] == kind and number < len(some) else 0 for place, some in choices.items()}
        for number in range(1, max(map(len, choices.values())))
        for kind in KINDS
    ]
    changes = [single for single in singles if any(single.values())]
    return [dict.fromkeys(choices, 0), *changes[: max(0, trials * 2 // 3 - 1)]]


def choices_of(job: Job) -> Choices:
    """Asks the proposer for instructions, and takes demonstrations from the good runs: the best ones each by itself, then
    the best together."""
    choices: Choices = {}
    heats = TEMPERATURES if job.temperatures and "temperature" in dspy.settings.lm.supported_params else ()
    good = [_steps(job, example)[1] for example in job.good[:MOST_DEMOS]]
    for name, part in tuned_parts(job.student).items():
        made = [plain({**steps[name][1], **steps[name][2]}) for steps in good if name in steps]
        demos = [demo for number, demo in enumerate(made) if demo not in made[:number]]
        choices[name, "instructions"] = [part.instructions, *_proposals(job, name)]
        choices[name, "demos"] = [part.demos, *([demo] for demo in demos), *([demos] if len(demos) > 1 else [])]
        choices[name, "temperature"] = [part.temperature, *heats]
    return choices


def _program(job: Job, drawn: dict[tuple[str, str], Any]) -> dspy.Module:
    names = {name for name, _ in drawn}
    return changed_copy(job.student, {name: Tuned(**{kind: drawn[name, kind] for kind in KINDS}) for name in names})


def _steps(job: Job, example: dspy.Example) -> tuple[dspy.Prediction, dict[str, Any]]:
    """What the unchanged student made of an example, and the step of each predictor, by name."""
    names = {id(predictor): name for name, predictor in job.student.named_predictors()}
    with dspy.context(trace=[]):
        prediction = job.student(**example.inputs())
        return prediction, {names[id(step[0])]: step for step in dspy.settings.trace}


def _proposals(job: Job, name: str) -> list[str]:
    """Different instructions for a predictor, none of them its present one."""
    signature = dict(job.student.named_predictors())[name].signature
    known = [signature.instructions]
    given = [f"input {field}: {info.json_schema_extra['desc']}" for field, info in signature.input_fields.items()]
    step = "\n".join([*given, f"output: {form_of(schema_of(outputs_of(signature)))}"])
    good = {id(example) for example in job.good}
    worst = sorted(job.train, key=lambda example: id(example) in good)[:_WORST]
    examples = "\n\n".join(filter(None, (_shown(job, name, example) for example in worst)))
    ask = dspy.Predict(ImproveInstruction)
    for number in range(PROPOSALS):
        proposed = ask(
            step=step,
            current_instruction=signature.instructions,
            examples=examples,
            earlier_proposals=known[1:],
            lm=job.proposer,
            config={"temperature": 1.0, "rollout_id": number},
        )
        text = proposed.instruction.strip()
        known += [] if text in known else [text]
    return known[1:]


def _shown(job: Job, name: str, example: dspy.Example) -> str:
    prediction, steps = _steps(job, example)
    if name not in steps:
        return ""
    said = job.metric(example, prediction, pred_name=name)
    given, replied = (json.dumps(plain(dict(part)), ensure_ascii=False)[:SHOWN_CHARACTERS] for part in steps[name][1:])
    return f"given: {given}\nreplied: {replied}\nscore {said.score:.2f}: {said.feedback}"
