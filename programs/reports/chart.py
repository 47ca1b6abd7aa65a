"""A chart as data, and as SVG drawn by Vega-Lite (through vl-convert, which needs no browser).

Colours are variables of the page's style sheet, so that a chart follows its light and dark theme. What a screen reader
gets is the chart's title and description, and the table of its numbers beside it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import vl_convert
from markupsafe import Markup

Form = Literal["columns", "bars", "stack", "grid"]
"""columns: upright, for what has an order; bars: lying, for names; stack: lying, the series one after another; grid: a
field for each category and series, the darker the more."""

WIDTH = 372
"""Of a whole chart: narrow enough for a phone, and three in a row on a wide screen."""
ROW = 22
LABEL = 122
"""Of the longest name beside a bar; longer ones are cut, and stand whole in the table."""
COLOURS = tuple(f"var(--chart-{number})" for number in range(1, 9))


@dataclass(frozen=True)
class Series:
    """One value for each category, None where it is not known."""

    name: str
    values: Sequence[float | None]


@dataclass(frozen=True)
class Panel:
    """One drawing. `name` is the run that it is of, where a chart has one for each."""

    series: Sequence[Series]
    name: str | None = None


@dataclass(frozen=True)
class Chart:
    """A chart: `about` says what is counted and what was left out. Values are shown by `digits` behind the point; with
    `percent` they are shares of 100."""

    title: str
    about: str
    category: str
    value: str
    categories: Sequence[str]
    panels: Sequence[Panel]
    form: Form = "columns"
    percent: bool = False
    digits: int = 0
    colours: Sequence[str] = COLOURS

    @property
    def name(self) -> str:
        """A name for links."""
        return "chart-" + re.sub(r"[^a-z0-9]+", "-", self.title.lower()).strip("-")

    def drawings(self) -> list[tuple[Panel, Markup]]:
        """Each panel with its SVG."""
        return [(panel, self._svg(panel)) for panel in self.panels]

    def shown(self, value: float | None) -> str:
        """A value for a person."""
        if value is None:
            return "not known"
        return f"{value:,.{self.digits}f}" + (" %" if self.percent else "")

    def _svg(self, panel: Panel) -> Markup:
        drawn = vl_convert.vegalite_to_svg(spec(self, panel))
        where = f" ({panel.name})" if panel.name else ""
        label = Markup('<svg role="img" aria-label="{}" ').format(f"{self.title}{where}. {self.about}")
        # Vega-Lite escapes what it writes; the numbers behind it stand in a table as well.
        return Markup(drawn.replace("<svg ", label, 1))


def spec(chart: Chart, panel: Panel) -> dict[str, Any]:
    """The chart in Vega-Lite's language."""
    names = [series.name for series in panel.series]
    values = [
        {"category": category, "series": series.name, "value": value, "shown": _shown(chart, value)}
        for series in panel.series
        for category, value in zip(chart.categories, series.values, strict=True)
        if value is not None
    ]
    lying = chart.form in ("bars", "stack")
    rows = len(chart.categories) * (len(names) if chart.form == "bars" else 1)
    height = {"grid": ROW * max(len(names), 2), "columns": 150}.get(chart.form, ROW * max(rows, 2))
    body = _grid(chart, names) if chart.form == "grid" else _bars(chart, names, lying)
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "data": {"values": values},
        "width": WIDTH,
        "height": height + (28 if chart.form != "columns" else 50) + (24 if len(names) > 1 and lying else 0),
        "autosize": {"type": "fit", "contains": "padding"},
        "config": _CONFIG,
        **body,
    }


def _shown(chart: Chart, value: float) -> str:
    """A value in the drawing: a grid has room for a few digits, and is clearer where it is empty."""
    return chart.shown(value) if chart.form != "grid" else f"{value:,.0f}" if round(value) else ""


def _bars(chart: Chart, names: list[str], lying: bool) -> dict[str, Any]:
    band: dict[str, Any] = {
        "field": "category",
        "type": "nominal",
        "sort": list(chart.categories),
        "title": None if lying else chart.category,
        "axis": _axis(chart.categories) | {"domain": not lying},
    }
    length: dict[str, Any] = {
        "field": "value",
        "type": "quantitative",
        "title": chart.value,
        # Small numbers have ticks between the whole ones.
        "axis": {"tickCount": 4, "format": ",.0f", "labelExpr": "datum.value % 1 ? '' : datum.label"},
        "stack": "zero" if chart.form == "stack" else None,
    }
    encoding: dict[str, Any] = {"y": band, "x": length} if lying else {"x": band, "y": length}
    if len(names) > 1:
        encoding["color"] = _colour(chart, names)
        if chart.form == "stack":
            encoding["order"] = {"field": "place", "type": "quantitative"}
        else:
            encoding["yOffset" if lying else "xOffset"] = {"field": "series", "type": "nominal", "sort": names}
    mark: dict[str, Any] = {"type": "bar", "stroke": "var(--surface)", "strokeWidth": 1} | (
        {} if len(names) > 1 else {"color": COLOURS[0]}
    )
    if chart.form != "bars":
        placed = [{"calculate": f"indexof({names!r}, datum.series)", "as": "place"}] if chart.form == "stack" else []
        return {"transform": placed, "mark": mark, "encoding": encoding}
    said = {"mark": {"type": "text", "align": "left", "dx": 4}, "encoding": {"text": {"field": "shown"}}}
    return {"encoding": encoding, "layer": [{"mark": mark}, _plain(said)]}


def _axis(categories: Sequence[str]) -> dict[str, Any]:
    """Names along an axis; of a range (`0.5–0.6`) where it begins, and of many every second."""
    shown = list(categories)[:: 2 if len(categories) > 12 and "–" in categories[0] else 1]
    label = "split(datum.label, '–')[0]" if "–" in categories[0] else "datum.label"
    return {"labelAngle": 0, "labelLimit": LABEL, "labelExpr": label, "values": shown, "ticks": False, "domain": False}


def _plain(layer: dict[str, Any]) -> dict[str, Any]:
    """A layer of text in the colour of text, not of its series."""
    layer["encoding"]["color"] = {"value": "var(--muted)"}
    return layer


def _colour(chart: Chart, names: list[str]) -> dict[str, Any]:
    colours = [chart.colours[number % len(chart.colours)] for number in range(len(names))]
    legend = {"orient": "top", "title": None, "columns": 3, "labelLimit": 110, "offset": 6, "symbolType": "square"}
    return {"field": "series", "type": "nominal", "scale": {"domain": names, "range": colours}, "legend": legend}


def _grid(chart: Chart, names: list[str]) -> dict[str, Any]:
    across = {
        "field": "category",
        "type": "nominal",
        "sort": list(chart.categories),
        "title": chart.category,
        "axis": _axis(chart.categories),
    }
    down = across | {
        "field": "series",
        "sort": names,
        "title": None,
        "axis": {"ticks": False, "domain": False, "labelLimit": LABEL},
    }
    return {
        "encoding": {"x": across, "y": down},
        "layer": [
            {
                "mark": {"type": "rect", "color": COLOURS[0], "stroke": "var(--surface)", "strokeWidth": 2},
                "encoding": {
                    "opacity": {
                        "field": "value",
                        "type": "quantitative",
                        "scale": {"domainMin": 0, "range": [0.0, 0.45]},
                        "legend": None,
                    }
                },
            },
            {"mark": {"type": "text"}, "encoding": {"text": {"field": "shown"}}},
        ],
    }


# Of the same widths on all systems, so that names fit where they were measured to fit.
_FONT = "Arial, Liberation Sans, Helvetica, sans-serif"
_CONFIG: dict[str, Any] = {
    "aria": False,
    "mark": {"aria": False},
    "background": None,
    "font": _FONT,
    "padding": {"left": 12, "top": 2, "right": 4, "bottom": 2},
    "view": {"stroke": None},
    "axis": {
        "labelColor": "var(--muted)",
        "labelFontSize": 12,
        "titleColor": "var(--muted)",
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "gridColor": "var(--line)",
        "domainColor": "var(--line)",
        "tickColor": "var(--line)",
    },
    "legend": {"labelColor": "var(--ink)", "labelFontSize": 12},
    "text": {"color": "var(--ink)", "fontSize": 11},
}
