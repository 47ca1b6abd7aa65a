"""The charts of a report, in their order."""

from collections.abc import Sequence

from programs.reports import distributions, tallies
from programs.reports.chart import Chart
from programs.reports.reading import Reading


def charts_of(readings: Sequence[Reading]) -> list[Chart]:
    """All charts that have something to show."""
    charts = [
        tallies.funnel(readings),
        tallies.kinds(readings),
        tallies.steps(readings),
        distributions.scores(readings),
        distributions.ratings(readings),
        distributions.differences(readings),
        distributions.grades(readings),
        tallies.needs(readings),
        distributions.difficulty(readings),
        *distributions.lengths(readings),
        tallies.tokens(readings),
        tallies.seconds(readings),
        tallies.lost_traces(readings),
        tallies.lost_questions(readings),
    ]
    return [chart for chart in charts if chart is not None]
