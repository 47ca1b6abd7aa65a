"""The stages that can be tuned."""

from signatures.stages import STAGES

TUNABLE = {name: stage for name, stage in STAGES.items() if stage.predictor and stage.stage_model}

JUDGE, ALL = "judge", "all"


def tunable_of(part: str) -> tuple[str, ...]:
    """The predictors that are tuned with a part of the program: a stage, or `ALL`."""
    return tuple(stage.predictor for name, stage in TUNABLE.items() if part in (ALL, name))
