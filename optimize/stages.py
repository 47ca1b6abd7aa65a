"""The stages that can be tuned."""

from signatures.stages import STAGES

TUNABLE = {name: stage for name, stage in STAGES.items() if stage.predictor and stage.stage_model}

JUDGE, ALL = "judge", "all"


def tunable_of(stage: str) -> tuple[str, ...]:
    return tuple(part.predictor for name, part in TUNABLE.items() if stage in (ALL, name))
