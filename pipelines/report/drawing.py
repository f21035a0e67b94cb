"""Altair charts, drawn as SVG that stands in a page by itself."""

import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any, TypeAlias

import altair as alt
import vl_convert

# What Altair makes of marks, alone or in layers.
Drawing: TypeAlias = alt.Chart | alt.LayerChart | alt.FacetChart
# Okabe and Ito's colours: told apart by people who see colours otherwise.
BLUE, ORANGE, GREEN, RED = "#0072B2", "#E69F00", "#009E73", "#D55E00"
SKY, PURPLE, GREY = "#56B4E9", "#CC79A7", "#7f8790"
INK, SOFT, LINE = "#1b1f24", "#59636e", "#d0d7de"
SO_FAR = 0.45
# As wide as a phone, so that its letters stay legible there; a desktop shows two side by side.
WIDTH, HEIGHT = 400, 240
# The first is the font that vl-convert brings along and measures with.
_FONT = "Liberation Sans, Arial, Helvetica, sans-serif"
_VERSION = alt.SCHEMA_VERSION.removeprefix("v").rsplit(".", 1)[0]
_CONFIG: dict[str, Any] = {
    "aria": False,
    "background": None,
    "font": _FONT,
    "view": {"stroke": None},
    "axis": {
        "labelColor": INK,
        "titleColor": INK,
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "gridColor": LINE,
        "domainColor": GREY,
        "tickColor": GREY,
    },
    "legend": {
        "orient": "top",
        "title": None,
        "labelFontSize": 12,
        "labelColor": INK,
        "labelLimit": 200,
        "columnPadding": 12,
        "symbolSize": 90,
        "offset": 6,
    },
}
# 15,000 in full, 1.2M short.
SHORT = "abs(datum.value) < 100000 ? format(datum.value, ',') : format(datum.value, '.3~s')"
_SPOKEN = re.compile(r' (?:role|aria-[a-z]+)="[^"]*"')
_SPACES = re.compile(r' xmlns(?::xlink)?="[^"]*"')
_NAMES = re.compile(r'\bid="([^"]+)"')
_REFERENCES = re.compile(r'(\bid="|url\(#|href="#)([^")]+)([")])')


def values(rows: Iterable[Mapping[str, Any]]) -> alt.Data:
    """Rows as data of a chart; days as text."""
    return alt.Data(values=[dict(row) for row in rows])  # type: ignore[no-untyped-call]


def drawn(chart: Drawing, name: str, alternative: str, height: int = HEIGHT) -> str:
    """The chart as an ``svg`` element, with its text for those who do not see it."""
    fitted = chart.properties(
        width=WIDTH, height=height, autosize=alt.AutoSizeParams(type="fit", contains="padding")
    )
    spec = fitted.to_dict(validate=False)
    spec["config"] = _CONFIG
    return _standalone(vl_convert.vegalite_to_svg(spec, vl_version=_VERSION), name, alternative)


def _standalone(svg: str, name: str, alternative: str) -> str:
    """Fit for a page with others: ids of its own, nothing said of single marks.

    The renderer numbers ids through its life, so that they are numbered anew.
    """
    bare = _SPOKEN.sub("", _SPACES.sub("", svg))
    ids = {old: f"{name}-{place}" for place, old in enumerate(_NAMES.findall(bare), 1)}
    own = _REFERENCES.sub(lambda found: f"{found[1]}{ids[found[2]]}{found[3]}", bare)
    opening, rest = own.split(">", 1)
    return (
        f'{opening} role="img" aria-labelledby="{name}-text"><title id="{name}-text">'
        f"{escape(alternative)}</title>{rest}"
    )


def palette(colours: Mapping[str, str]) -> alt.Scale:
    """Which name has which colour."""
    return alt.Scale(domain=list(colours), range=list(colours.values()))


def day_axis(field: str = "date") -> alt.X:
    """Days, read as UTC so that no time zone of the machine moves them."""
    return alt.X(
        f"{field}:T",
        title=None,
        scale=alt.Scale(type="utc"),
        axis=alt.Axis(format="%-d %b %y", tickCount=5, grid=False, labelOverlap=True),
    )


def period_axis(labels: Sequence[str]) -> alt.X:
    """Weeks or months in their order."""
    return alt.X(
        "period:O",
        title=None,
        sort=list(labels),
        scale=alt.Scale(domain=list(labels)),
        axis=alt.Axis(labelAngle=0, labelOverlap=True, labelSeparation=6),
    )


def amount_axis(field: str, title: str, **options: Any) -> alt.Y:
    """Amounts upwards."""
    axis = alt.Axis(tickCount=5, labelExpr=SHORT, titlePadding=8)
    return alt.Y(f"{field}:Q", title=title, axis=axis, **options)


def lighter_so_far() -> alt.Opacity:
    """Periods that are not over are drawn lighter."""
    return alt.Opacity(
        "is_complete:N",
        scale=alt.Scale(domain=[True, False], range=[1.0, SO_FAR]),
        legend=None,
    )


def hollow_so_far(colour: str) -> Any:
    """Points of periods that are not over are hollow."""
    return alt.condition("datum.is_complete", alt.value(colour), alt.value("white"))
