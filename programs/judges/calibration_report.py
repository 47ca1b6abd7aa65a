"""The report of a calibration: each judge against people, and the judges with each other."""

from collections.abc import Mapping, Sequence

from pydantic import BaseModel

from programs.document_metadata import JudgeAgreement
from programs.judges.calibrate_settings import CalibrateSettings
from programs.judges.judge_agreement import AgreementCount, agreement_in_words
from programs.judges.judge_figures import Estimate, JudgeFigures, figures_of
from programs.judges.labels import Labelled
from programs.records import Verdict


class CalibrationReport(BaseModel):
    """Everything that was measured. `correct_from` is the overall rating from which on a verdict says "correct"; `rated`
    of the answers have people's ratings, `bare` came without a thought, whose judgement is then not measured."""

    labels: list[str]
    correct_from: int
    answers: int
    questions: int
    rated: int
    bare: int
    judges: dict[str, JudgeFigures]
    between: JudgeAgreement | None


def report_of(
    settings: CalibrateSettings, answers: Sequence[Labelled], verdicts: Mapping[str, Sequence[Verdict]]
) -> CalibrationReport:
    """The report, from every judge's verdicts on the answers, in their order."""
    count = AgreementCount()
    for one in zip(*verdicts.values(), strict=True):
        count.add([verdict.model_dump() for verdict in one])
    correct_from = settings.judged_correct_from
    return CalibrationReport(
        labels=settings.labels,
        correct_from=correct_from,
        answers=len(answers),
        questions=len({answer.question_key for answer in answers}),
        rated=sum(answer.overall is not None for answer in answers),
        bare=sum(answer.thought is None for answer in answers),
        judges={
            name: figures_of(
                answers, [verdict.overall for verdict in said], correct_from=correct_from, seed=settings.seed
            )
            for name, said in verdicts.items()
        },
        between=count.result(),
    )


def in_words(report: CalibrationReport) -> list[str]:
    """The report for a person, a line for each figure. Intervals are of 95%, over questions."""
    lines = [
        f"people judged {report.answers} answers to {report.questions} questions; a judge says correct from "
        f"{report.correct_from} of 10 on"
    ]
    for name, judge in report.judges.items():
        lines += [f"{name}: {judge.scored} verdicts, {judge.unscored} answers without one", *_about(judge)]
    between = agreement_in_words(report.between) if report.between else ""
    lines += [between] if between else []
    if report.bare:
        lines.append(
            f"{report.bare} answers came without a thought: how the judges rate thoughts was not measured on them"
        )
    return lines


def _about(judge: JudgeFigures) -> list[str]:
    lines = [
        f"  balanced accuracy {_shown(judge.balanced_accuracy)}, kappa {_number(judge.kappa)} (always saying the same: "
        "0.500 and 0)",
        f"  leniency {_shown(judge.leniency, sign='+')}: calls {_number(judge.says_correct)} correct, people "
        f"{_number(judge.people_say_correct)}",
    ]
    if judge.rated:
        lines.append(
            f"  bias {_shown(judge.bias, sign='+')}: its ratings less people's, over {judge.rated}; weighted kappa "
            f"{_number(judge.rating_kappa)}"
        )
    return lines


def _shown(estimate: Estimate, sign: str = "") -> str:
    if estimate.value is None:
        return "unknown"
    if estimate.low is None or estimate.high is None:
        return f"{estimate.value:{sign}.3f}"
    return f"{estimate.value:{sign}.3f} ({estimate.low:{sign}.3f} to {estimate.high:{sign}.3f})"


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.3f}"
