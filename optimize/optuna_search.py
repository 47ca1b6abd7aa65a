"""`optuna`: a search over instructions, demonstrations and temperatures of every stage at once.

The first trial is the unchanged program. Then each choice is tried alone, in every stage that has it, kinds of choices in
turn: small budgets find what is worth combining. The rest Optuna draws. Nothing is kept of a search: the same seed makes
the same trials, and the journal of calls answers those that were made.
"""

import json
from itertools import chain, zip_longest
from math import prod
from typing import Any

import dspy
import optuna

from optimize.optimizers import MOST_DEMOS, Job
from optimize.program import Tuned, changed_copy, plain, tuned_part
from programs.asking.schema import form_of, outputs_of, schema_of
from signatures.prompt import ImproveInstruction

ORIGINAL = "original"
"""The choice that leaves a part of a predictor as it is."""

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

Choices = dict[tuple[str, str], dict[str, Any]]
"""By predictor and part (a field of `Tuned`): what it may become, by name, `ORIGINAL` first."""


def searched(job: Job) -> dspy.Module:
    """The best program of the trials; an eighth of the runs each, and the validation examples that allows."""
    choices = choices_of(job)
    examples = job.validation(job.runs / 8)
    evaluate = dspy.Evaluate(devset=examples, metric=job.metric, num_threads=job.concurrency, display_progress=False)
    sampler = optuna.samplers.TPESampler(seed=job.seed, n_startup_trials=_FIRST_RANDOM)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    trials = min(max(1, job.runs // len(examples)), prod(map(len, choices.values())))
    for first in first_trials(choices, trials):
        study.enqueue_trial({_name(place): choice for place, choice in first.items()})
    tried: dict[str, float] = {}
    best, best_score = job.student, -1.0
    for _ in range(_DRAWS * trials):
        trial = study.ask()
        drawn = {place: trial.suggest_categorical(_name(place), [*some]) for place, some in choices.items()}
        key = json.dumps([*drawn.values()])
        if key not in tried:
            program = _program(job, choices, drawn)
            tried[key] = float(evaluate(program).score)
            if tried[key] > best_score:
                best, best_score = program, tried[key]
        study.tell(trial, tried[key])
        if len(tried) == trials:
            break
    return best


def first_trials(choices: Choices, trials: int) -> list[dict[tuple[str, str], str]]:
    """The unchanged program, then programs in which one thing differs, in every predictor that has that choice: kinds of
    changes in turn, for at most two thirds of the trials."""
    kinds = [
        [
            (part, name)
            for name in dict.fromkeys(n for (_, p), some in choices.items() if p == part for n in [*some][1:])
        ]
        for part in ("temperature", "demos", "instructions")
    ]
    turns = [change for change in chain.from_iterable(zip_longest(*kinds)) if change is not None]
    singles = [
        {place: name if place[1] == part and name in some else ORIGINAL for place, some in choices.items()}
        for part, name in turns
    ]
    return [dict.fromkeys(choices, ORIGINAL), *singles[: max(0, trials * 2 // 3 - 1)]]


def choices_of(job: Job) -> Choices:
    """Asks the proposer for instructions, and takes demonstrations from the good runs: the best ones each by itself, then
    the best together."""
    choices: Choices = {}
    heat = job.temperatures and "temperature" in dspy.settings.lm.supported_params
    for name, predictor in job.student.named_predictors():
        part = tuned_part(predictor)
        demos = list({json.dumps(demo, sort_keys=True): demo for demo in _demonstrations(job, name)}.values())
        sets = [*([demo] for demo in demos), *([demos] if len(demos) > 1 else [])]
        choices[name, "instructions"] = {ORIGINAL: part.instructions, **_numbered("proposal", _proposals(job, name))}
        choices[name, "demos"] = {ORIGINAL: part.demos, **_numbered("set", sets)}
        choices[name, "temperature"] = {ORIGINAL: part.temperature, **{str(t): t for t in TEMPERATURES if heat}}
    return choices


def _numbered(what: str, values: list[Any]) -> dict[str, Any]:
    return {f"{what} {number}": value for number, value in enumerate(values, 1)}


def _name(place: tuple[str, str]) -> str:
    return " ".join(place)


def _program(job: Job, choices: Choices, drawn: dict[tuple[str, str], str]) -> dspy.Module:
    names = [name for name, _ in job.student.named_predictors()]
    parts = {name: {part: choices[name, part][drawn[name, part]] for part in Tuned.model_fields} for name in names}
    return changed_copy(job.student, {name: Tuned(**part) for name, part in parts.items()})


def _steps(job: Job, example: dspy.Example) -> tuple[dspy.Prediction, dict[str, Any]]:
    """What the unchanged student made of an example, and the step of each predictor, by name."""
    names = {id(predictor): name for name, predictor in job.student.named_predictors()}
    with dspy.context(trace=[]):
        prediction = job.student(**example.inputs())
        return prediction, {names[id(step[0])]: step for step in dspy.settings.trace}


def _demonstrations(job: Job, name: str) -> list[dict[str, Any]]:
    found = [_steps(job, example)[1].get(name) for example in job.good[:MOST_DEMOS]]
    return [plain({**step[1], **step[2]}) for step in found if step is not None]


def _proposals(job: Job, name: str) -> list[str]:
    """Different instructions for a predictor, none of them its present one."""
    signature = dict(job.student.named_predictors())[name].signature
    known = [signature.instructions]
    given = [f"input {field}: {info.json_schema_extra['desc']}" for field, info in signature.input_fields.items()]
    step = "\n".join([*given, f"output: {form_of(schema_of(outputs_of(signature)))}"])
    examples = "\n\n".join(filter(None, (_shown(job, name, example) for example in _worst(job))))
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


def _worst(job: Job) -> list[dspy.Example]:
    good = {id(example) for example in job.good}
    return sorted(job.train, key=lambda example: id(example) in good)[:_WORST]


def _shown(job: Job, name: str, example: dspy.Example) -> str:
    prediction, steps = _steps(job, example)
    if name not in steps:
        return ""
    said = job.metric(example, prediction, pred_name=name)
    given, replied = (json.dumps(plain(dict(part)), ensure_ascii=False)[:SHOWN_CHARACTERS] for part in steps[name][1:])
    return f"given: {given}\nreplied: {replied}\nscore {said.score:.2f}: {said.feedback}"
