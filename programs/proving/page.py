"""The results as a page: Markdown, with a picture of the intervals beside it (SVG)."""

from collections.abc import Iterator, Mapping, Sequence
from html import escape

from programs.proving.distributions import Distributions
from programs.proving.lift import Lift
from programs.proving.results import Results
from programs.proving.verdict import Comparison, Training
from programs.statistics.interval import Interval

PICTURE = "intervals.svg"
_MOST = 8
_WIDTH, _LEFT, _ROW = 720, 300, 28


def page(results: Results) -> str:
    """The whole page."""
    lines = [f"# Does {results.document} train?", ""]
    lines += [f"Made {results.made} by {results.program}, seed {results.seed}.", ""]
    if results.training is not None:
        lines += [f"**{_first_up(results.training.verdict)}.**", ""]
    lines += [*_distributions(results.distributions)]
    if results.lift is not None and results.student is not None:
        lines += _lift(results.lift, results.student)
    if results.training is not None and results.student is not None:
        lines += _training(results.training, results.student)
    return "\n".join(lines).rstrip() + "\n"


def _distributions(found: Distributions) -> Iterator[str]:
    yield from (
        "## How the traces are distributed",
        "",
        f"{found.traces} traces of {found.papers} papers or texts.",
        "",
    )
    yield from (f"- {line}" for line in found.cautions)
    yield from ("", "| | |", "|---|---|")
    yield f"| needs its passage | {found.needs_passage:.0%} of the traces |"
    yield f"| copied from the passage | {_share(found.copied)} of a thought's words, mean |"
    yield f"| Vendi score | {found.vendi:.1f} of {found.sampled} sampled thoughts |"
    yield f"| distinct n-grams | {', '.join(f'{n}: {share:.2f}' for n, share in found.distinct.items())} |"
    for name, words in found.words.items():
        yield f"| words: {name} | {', '.join(f'{share}: {number}' for share, number in words.items())} |"
    for name, counts in (
        ("question types", found.types),
        ("levels", found.levels),
        ("shapes", found.shapes),
        ("kinds of paragraphs", found.kinds),
        ("openings", found.openings),
    ):
        yield f"| {name} | {_counts(counts)} |"
    yield ""
    if found.contaminated is None:
        yield from ("No file was given to compare with (`--against`).", "")
        return
    yield from (f"{len(found.contaminated)} texts give a question of the given files away.", "")
    yield from (f"- {hit.part} of {hit.id}: {_cell(hit.file)}:{hit.line}" for hit in found.contaminated[:20])
    yield ""


def _lift(found: Lift, student: str) -> Iterator[str]:
    yield from ("## What thoughts tell a student of their answers", "", f"![intervals]({PICTURE})", "")
    yield f"{found.traces} traces of {found.papers} papers, {found.left_out} too long. Student: {student}. In nats a token:"
    yield from ("", "| by how much the answer's loss falls | | 95% interval over papers |", "|---|---|---|")
    yield _interval_row("after its own thought (lift)", found.own)
    yield _interval_row("after another paper's thought", found.other)
    yield _interval_row("by its own more than by another's", found.more)
    yield from ("", f"{found.copied:.0%} of an answer's words stand in its thought, twelve in a row.", "")
    places = ", ".join(f"{value:.1f}" for value in found.perplexity)
    yield from (f"Perplexity of thoughts, by the tenth: {places}.", "")


def _training(found: Training, student: str) -> Iterator[str]:
    yield from ("## Training", "", f"{_first_up(found.verdict)}.", "")
    yield f"Student: {student}. Trained on {found.trained_on} papers and {found.tokens} tokens an arm, measured on "
    yield from (f"{found.held_out} papers that no arm saw.", "")
    yield "| arm | loss of the answer | without a thought | right, of ours | right, of others' | rates chosen |"
    yield "|---|---|---|---|---|---|"
    for arm in found.arms:
        rates = ", ".join(f"{rate:g}" for rate in arm.rates if rate) or "-"
        shares = f"{_share(arm.right)} | {_share(arm.right_outside)}"
        yield f"| {arm.arm} | {arm.loss:.4f} | {arm.direct:.4f} | {shares} | {rates} |"
    yield from (
        "",
        "| the thought arm against | loss lower by | 95% interval over papers | papers needed |",
        "|---|---|---|---|",
    )
    yield from map(_comparison_row, found.comparisons)
    if found.accuracy:
        yield from (
            "",
            "| the thought arm against | share right higher by | 95% interval | papers needed |",
            "|---|---|---|---|",
        )
        yield from map(_comparison_row, found.accuracy)
    yield ""


def _interval_row(name: str, found: Interval | None) -> str:
    if found is None:
        return f"| {name} | - | too few papers |"
    return f"| {name} | {found.difference:+.4f} | {found.low:+.4f} to {found.high:+.4f} |"


def _comparison_row(one: Comparison) -> str:
    return f"{_interval_row(one.against, one.interval)} {one.papers_needed or '-'} |"


def _counts(counts: Mapping[str, int]) -> str:
    shown = ", ".join(f"{_cell(name)} {count}" for name, count in [*counts.items()][:_MOST])
    return shown + (f" and {len(counts) - _MOST} more" if len(counts) > _MOST else "") or "-"


def _cell(text: str) -> str:
    """Text of a model or a file, which begins no cell, tag or link of the page."""
    return escape(" ".join(text.split())).replace("|", "\\|").replace("[", "\\[").replace("`", "\\`")


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.0%}"


def _first_up(text: str) -> str:
    return text[:1].upper() + text[1:]


def picture(results: Results) -> str | None:
    """The intervals of the differences in loss, one under the other, with a line at 0; None without one."""
    found: list[tuple[str, Interval | None]] = []
    if results.lift is not None:
        found += [("lift of its own thought", results.lift.own), ("lift of another's thought", results.lift.other)]
        found += [("own above another's", results.lift.more)]
    for one in results.training.comparisons if results.training is not None else ():
        found.append((f"trained: thoughts against {one.against}", one.interval))
    rows = [(name, interval) for name, interval in found if interval is not None]
    return _drawn(rows) if rows else None


def _drawn(rows: Sequence[tuple[str, Interval]]) -> str:
    low = min(0.0, *(one.low for _, one in rows))
    high = max(0.0, *(one.high for _, one in rows))
    scale = (_WIDTH - _LEFT - 40) / ((high - low) or 1.0)

    def x(value: float) -> str:
        return f"{_LEFT + 20 + (value - low) * scale:.1f}"

    height = _ROW * (len(rows) + 2)
    parts = [f'<line x1="{x(0)}" x2="{x(0)}" y1="8" y2="{height - _ROW}" stroke="#888" stroke-dasharray="4 3"/>']
    for place, (name, one) in enumerate(rows):
        y = _ROW * (place + 1)
        colour = "#888" if one.low <= 0 <= one.high else "#1f6f43" if one.low > 0 else "#a33"
        parts += [
            f'<text x="{_LEFT}" y="{y + 4}" text-anchor="end">{escape(name)}</text>',
            f'<line x1="{x(one.low)}" x2="{x(one.high)}" y1="{y}" y2="{y}" stroke="{colour}" stroke-width="3"/>',
            f'<circle cx="{x(one.difference)}" cy="{y}" r="5" fill="{colour}"/>',
        ]
    for value in sorted({low, 0.0, high}):
        parts.append(f'<text x="{x(value)}" y="{height - 8}" text-anchor="middle">{value:+.2f}</text>')
    about = "Loss lower by, in nats a token, with 95% intervals over papers; right of the line is better"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img" font-family="sans-serif" '
        f'font-size="13"><title>{about}</title><rect width="100%" height="100%" fill="#fff"/>{"".join(parts)}</svg>\n'
    )
