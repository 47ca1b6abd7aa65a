"""The report of a tuned judge: how far it agrees with people, and judges with each other."""

from optimize.judges.judge_proof import BetweenCompared, JudgeCompared, JudgeProof
from optimize.report import HOLDS_TEXTS, Outcome, how_it_was_made, shown, shown_interval, warned


class JudgeReport(Outcome):
    """Everything about the tuning of the judges' prompt but the program itself."""

    judges: list[str]
    report_judges: list[str]
    proof: JudgeProof


def judge_verdict(report: JudgeReport) -> str:
    """The outcome in one sentence."""
    found = report.proof.balanced_accuracy
    if not report.changed:
        return "Nothing better was found: the judges' prompt is as it was."
    if found.before is None or found.after is None or found.interval is None:
        return "Too few answers could be judged to compare the prompts."
    change = (
        f"balanced accuracy {found.before:.3f} before, {found.after:.3f} after; the difference {shown_interval(found)}"
    )
    if report.improved:
        return f"The tuned judges agree better with people: {change}."
    if found.interval.low > 0:
        return f"Too few questions prove to say that the tuned judges agree better with people: {change}."
    return f"The tuned judges are not shown to agree better with people: {change}."


def judge_markdown(report: JudgeReport) -> str:
    """The report for a person."""
    proof = report.proof
    parts = [
        f"# {report.optimizer} on the judges' prompt, for {', '.join(report.judges)}",
        judge_verdict(report),
        *warned(report),
        HOLDS_TEXTS,
        f"## With people, on {proof.answers} answers to {proof.questions} questions that no optimizer saw",
        f"People found a share of {shown(proof.people_say_correct)} right; a judge says so from {proof.correct_from} of "
        "10 on. Always saying the same gives a balanced accuracy of 0.500 and a kappa of 0.",
        _accuracies(proof),
        "Over the answers that a judge rated both times:",
        _agreements(proof),
        *(["## Between the judges", _between(proof)] if proof.between else []),
        *how_it_was_made(report),
    ]
    return "\n\n".join(parts) + "\n"


def _accuracies(proof: JudgeProof) -> str:
    rows = [(name, judge.balanced_accuracy) for name, judge in proof.judges.items()]
    rows += [("mean of the judges", proof.balanced_accuracy)] if len(rows) > 1 else []
    lines = [f"| {name} | {shown(c.before)} | {shown(c.after)} | {shown_interval(c)} | {c.pairs} |" for name, c in rows]
    head = "| balanced accuracy | before | after | difference (95% interval over questions) | answers |"
    return "\n".join([head, "|---|---|---|---|---|", *lines])


def _agreements(proof: JudgeProof) -> str:
    lines = [line for name, judge in proof.judges.items() for line in _agreement(name, judge)]
    return "\n".join(["| judge | figure | before | after |", "|---|---|---|---|", *lines])


def _agreement(name: str, judge: JudgeCompared) -> list[str]:
    before, after = judge.before, judge.after
    people = f"says correct (people: {shown(judge.people_say_correct)})"
    rows = [
        ("Cohen's kappa with people", shown(before.kappa), shown(after.kappa)),
        ("weighted kappa with people's ratings", shown(before.rating_kappa), shown(after.rating_kappa)),
        (people, shown(before.says_correct), shown(after.says_correct)),
        ("answers without a verdict", str(before.unscored), str(after.unscored)),
    ]
    return [f"| {name} | {what} | {old} | {new} |" for what, old, new in rows if (old, new) != ("-", "-")]


def _between(proof: JudgeProof) -> str:
    lines = [line for name, pair in proof.between.items() for line in _pair(name, pair)]
    alpha = f"| all | Krippendorff's alpha, overall | {shown(proof.alpha_before)} | {shown(proof.alpha_after)} |"
    return "\n".join(["| judges | figure | before | after |", "|---|---|---|---|", *lines, alpha])


def _pair(name: str, pair: BetweenCompared) -> list[str]:
    before, after = pair.before, pair.after
    return [
        f"| {name} | Cohen's kappa, right or wrong | {shown(before.kappa)} | {shown(after.kappa)} |",
        f"| {name} | weighted kappa, overall | {shown(before.rating_kappa)} | {shown(after.rating_kappa)} |",
        f"| {name} | answers that both rated | {before.answers} | {after.answers} |",
    ]
