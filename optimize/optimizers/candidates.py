"""What the Optuna search may choose from: instructions asked of a proposer, sets of demonstrations, temperatures."""

import json
from typing import Any, TypeVar

import dspy
from pydantic import BaseModel

from optimize.optimizers.bench import Demo, State, Tuned, plain, plain_demo, state_of, unique
from optimize.optimizers.session import MOST_DEMOS, Harvest, Session
from programs.asking.schema import form_of, outputs_of, schema_of
from signatures.prompt import ImproveInstruction

Value = TypeVar("Value")

ORIGINAL = "original"
"""The choice that leaves a part of a predictor as it is."""

TEMPERATURES = (0.2, 0.6, 1.0)
"""What a stage's temperature may be, besides left as it is."""

_SINGLES = 3
"""Sets of a single demonstration for each predictor."""


class Choices(BaseModel):
    """What one predictor may become, by name. `ORIGINAL` is always among the instructions and
    sets of demonstrations."""

    instructions: dict[str, str]
    demos: dict[str, list[Demo]]
    temperatures: list[float]


Choice = float | str
Params = dict[str, Choice]
"""What is chosen, by parameter: a predictor's name and one of `PARTS`."""

PARTS = ("temperature", "demonstrations", "instruction")
"""What may be chosen of a predictor."""


class SearchSpace(BaseModel):
    """What may be chosen, by predictor."""

    choices: dict[str, Choices]

    @property
    def parameters(self) -> dict[str, list[Choice]]:
        """What there is to choose from, by parameter, `ORIGINAL` first; without what leaves no choice but the temperature
        of a model that takes none."""
        found: dict[str, list[Choice]] = {}
        for name, choices in self.choices.items():
            found[f"{name} instruction"] = [*choices.instructions]
            found[f"{name} demonstrations"] = [*choices.demos]
            if choices.temperatures:
                found[f"{name} temperature"] = [ORIGINAL, *choices.temperatures]
        return found

    @property
    def unchanged(self) -> Params:
        """The parameters of the program as it is."""
        return dict.fromkeys(self.parameters, ORIGINAL)

    def state(self, originals: State, params: Params) -> State:
        """The tuned parts that these parameters make of a program whose parts are `originals`."""
        return {name: self._tuned(name, original, params) for name, original in originals.items()}

    def _tuned(self, name: str, original: Tuned, params: Params) -> Tuned:
        temperature = params.get(f"{name} temperature", ORIGINAL)
        return Tuned(
            instructions=self.choices[name].instructions[str(params[f"{name} instruction"])],
            demos=self.choices[name].demos[str(params[f"{name} demonstrations"])],
            temperature=original.temperature if isinstance(temperature, str) else temperature,
        )


def search_space(session: Session, found: Harvest, proposals: int) -> SearchSpace:
    """Asks the proposer for instructions, `proposals` for each predictor, and makes sets of demonstrations."""
    job = session.job
    proposed = session.each(lambda name: instructions_for(session, name, found, proposals), job.tunable)
    originals = state_of(job.student, job.tunable)
    choices = {
        name: Choices(
            instructions={ORIGINAL: originals[name].instructions, **_numbered("proposal", texts)},
            demos={ORIGINAL: originals[name].demos, **_numbered("set", _sets(session, name, found))},
            temperatures=list(TEMPERATURES) if job.temperatures and _takes_temperature(dspy.settings.lm) else [],
        )
        for name, texts in zip(job.tunable, proposed, strict=True)
    }
    return SearchSpace(choices=choices)


def _sets(session: Session, name: str, found: Harvest) -> list[list[Demo]]:
    """Each of the best runs' demonstrations by itself, then the best together; what is shown alike only once."""
    shown = [
        plain_demo({**step.inputs, **step.outputs})
        for example in found.good
        for step in session.steps(example)
        if step.predictor == name
    ]
    demos = unique(shown)
    singles = [[demo] for demo in demos[:_SINGLES]]
    return [*singles, demos[:MOST_DEMOS]] if len(demos) >= MOST_DEMOS else singles


def _numbered(what: str, values: list[Value]) -> dict[str, Value]:
    return {f"{what} {number}": value for number, value in enumerate(values, 1)}


def _takes_temperature(lm: object) -> bool:
    return "temperature" in getattr(lm, "supported_params", ())


SHOWN_CHARACTERS = 1500
"""Of an input or output, so many are shown."""

_WORST = 3
"""How many of the examples that did worst are shown."""


def instructions_for(session: Session, name: str, found: Harvest, count: int) -> list[str]:
    """Up to `count` different instructions for a predictor, none of them its present one, by as many calls."""
    predictor = dict(session.bench.named_predictors())[name]
    signature = predictor.signature
    known = [signature.instructions]
    ask = dspy.Predict(ImproveInstruction)
    examples = _examples(session, name, found)
    for number in range(count):
        proposed = ask(
            step=_fields(signature),
            current_instruction=signature.instructions,
            examples=examples,
            earlier_proposals=known[1:],
            lm=session.job.proposer,
            config={"temperature": 1.0, "rollout_id": number},
        )
        text = proposed.instruction.strip()
        known += [] if text in known else [text]
    return known[1:]


def _fields(signature: Any) -> str:
    """The inputs with their descriptions, and the form of the output with those of all that stands in it."""
    inputs = [f"input {name}: {info.json_schema_extra['desc']}" for name, info in signature.input_fields.items()]
    return "\n".join([*inputs, f"output: {form_of(schema_of(outputs_of(signature)))}"])


def _examples(session: Session, name: str, found: Harvest) -> str:
    """The tried examples that did worst, with what was said of them."""
    scored = sorted(found.tried, key=lambda example: session.score(session.bench, example))
    return "\n\n".join(text for example in scored[:_WORST] if (text := _example(session, name, example)))


def _example(session: Session, name: str, example: dspy.Example) -> str:
    step = next((step for step in session.steps(example) if step.predictor == name), None)
    if step is None:
        return ""
    said = session.words(example, step)
    given, replied = _short(step.inputs), _short(dict(step.outputs))
    return f"given: {given}\nreplied: {replied}\nscore {said.score:.2f}: {said.feedback}"


def _short(value: Any) -> str:
    text = json.dumps(plain(value), ensure_ascii=False)
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]} ..."
