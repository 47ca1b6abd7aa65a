"""The outcomes of questions, variations and texts: decided by rules, written to the journal and looked up there. Rules are
data with a hash; what other rules decided is decided again, from stored replies."""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from programs.inputs.sample import Sample, content_id
from programs.record_parts import FLOORS
from programs.run.journal import Journal
from programs.run.ledger import Ledger
from programs.settings import Settings, TracerOptions
from programs.stages.questions import QuestionPool
from programs.tracer import SampleOutcome, Store
from programs.traces.line import IMPORTED, LEFT_OUT, line_of, unused_records
from programs.traces.variation import EarlierOutcome, Variation, VariationKey

log = logging.getLogger("synthreasoner")


class Rules:
    """`text`: the rules about a text, including those about a variation, as the journal's `run` line holds them. `basis`
    and `text_basis`: the hashes of the rules about a variation and about a text, held in the lines that they decided."""

    def __init__(self, settings: Settings) -> None:
        questions, variations = settings.traces_per_sample, settings.traces_per_question
        variation = _variation_rules(settings)
        self.text = {"questions": questions, "variations": variations, "variation": variation}
        # Only if in use, as in `_variation_rules`.
        if settings.prefilter:
            self.text["prefiltered"] = True
        self.basis, self.text_basis = _hash(variation), _hash(self.text)


def _variation_rules(options: TracerOptions) -> dict[str, Any]:
    """The rules about a variation. Only options in use are included, so that a new option leaves older decisions valid."""
    rules: dict[str, Any] = {}
    if options.quality_check:
        rules["judged"] = {
            "judges": list(options.judges),
            "threshold": options.min_quality_score,
            "floors": FLOORS,
            "attempts": options.max_attempts,
            # Always empty now, but part of the hash since versions that corrected ratings.
            "biases": {},
        }
    if options.grader:
        rules["graded"] = {"model": options.grader}
    if options.thought != "written":
        rules["thought"] = {"of": options.thought, "tries": options.tries, "compared_by": options.comparer}
    if options.blind_solve:
        who = {"solver": options.solver, "compared_by": options.comparer}
        if options.student_model:
            who["student"] = options.student_model
        rules["solved"] = {"tries": options.blind_solve, **who, "kept": sorted(options.keep)}
    if options.checker:
        rules["steps"] = {"model": options.checker}
    return rules


def _hash(rules: dict[str, Any]) -> str:
    return content_id(json.dumps(rules, sort_keys=True, separators=(",", ":"), ensure_ascii=False))


@dataclass
class JournalStore(Store):
    """The store of a run that decides by `rules`. `provenance` goes into each record. All methods raise `StorageError` if
    the journal cannot be read or written."""

    journal: Journal
    rules: Rules
    ledger: Ledger
    provenance: Mapping[str, str | int | None]

    def done(self, sample: Sample) -> bool:
        """Whether a text was processed to the end under the same rules. Counts it if an earlier run did so."""
        index = self.journal.index
        done = index.sample(sample.id) == (self.rules.text_basis, True)
        position = index.position("sample", sample.id) if done else None
        self.ledger.already_done += position is not None and position[0] < self.ledger.since
        return done

    def earlier_outcome(self, key: VariationKey) -> EarlierOutcome | None:
        facts = self.journal.index.variation(str(key))
        if facts is None:
            return None
        status, basis, settled, digest = facts
        # Imported traces are final, whatever the present rules, and what an older version left out stays out.
        fixed = (settled and basis == IMPORTED) or status in LEFT_OUT
        decided = fixed or (settled and basis == self.rules.basis)
        return EarlierOutcome(accepted=status == "accepted", decided=decided, digest=digest, fixed=fixed)

    def filter_questions(self, sample: str, pool: QuestionPool) -> QuestionPool:
        """Writes a text's questions if the journal lacks some. What an older version left out (`dropped`) stays out."""
        line = self.journal.latest("pool", sample)
        left_out = line["dropped"] if line else []
        dropped = {(question["type"], question["text"]) for question in left_out}
        kept = [question for question in pool.questions if (question.type, question.text) not in dropped]
        pool = pool.model_copy(update={"questions": kept})
        fields = pool.model_dump(mode="json")
        if line is None or not _drafts_in(line).issuperset(_drafts_in(fields)):
            self.journal.append("pool", sample, **fields, dropped=left_out)
        return pool

    def keep(self, variation: Variation) -> None:
        key, line = str(variation.key), line_of(variation, self.rules.basis, self.provenance)
        if (earlier := self.journal.latest("unit", key)) is not None:
            line["unused"] = unused_records(earlier, line)
            if contaminated := earlier.get("contaminated"):
                line["contaminated"] = contaminated
            self.ledger.traces[earlier["status"]] -= 1
        self.journal.append("unit", key, **line)
        self.ledger.traces[variation.status] += 1
        if not variation.accepted:
            log.info("a trace is %s: %s", variation.status, variation.rejection, extra={"key": key})

    def end(self, sample: Sample, outcome: SampleOutcome) -> None:
        """Writes that a text was processed to the end."""
        place = sample.place.model_dump()
        if outcome.failure is not None:
            log.info("a text failed: %s", outcome.failure, extra={"sample": sample.id, "place": place})
        unsettled = outcome.failed or outcome.limited or not all(variation.settled for variation in outcome.variations)
        self.journal.append(
            "sample",
            sample.id,
            basis=self.rules.text_basis,
            settled=not unsettled,
            line=sample.line_id,
            place=place,
            failure=outcome.bug or (str(outcome.failure) if outcome.failure else None),
        )
        self.ledger.texts_done += 1
        self.ledger.texts_in_progress -= 1


def _drafts_in(pool: Mapping[str, Any]) -> set[tuple[str, str]]:
    """Type and text of each question of a pool, accepted or rejected."""
    return {(draft["type"], draft["text"]) for name in ("questions", "rejected") for draft in pool[name]}
