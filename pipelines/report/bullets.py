"""The scorecard as bullets: each value on a track of its own, beside what is usual."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt

from pipelines.report.drawing import INK, SOFT, WIDTH, Drawing, drawn, values
from pipelines.report.sections import Cell, Column, Figure, Numbers, text_column

_ROW, _ON_ONE = 58, 6
_TRACK, _BAND = "#e9edf2", "#9fc3e0"
# Scales that end where they end, whatever the values are.
_ENDS = {"nps": (-100.0, 100.0), "csat": (0.0, 100.0)}
_ROOM = 1.15


@dataclass(frozen=True)
class Bullet:
    """A metric's value and benchmark, and how they are written."""

    metric: str
    label: str
    value: float
    shown: str
    usual: str
    verdict: str
    low: float | None
    high: float | None
    levels: tuple[float, ...]
    is_higher_better: bool

    @property
    def ends(self) -> tuple[float, float]:
        """Where the track begins and ends, in the unit of the value."""
        fixed = _ENDS.get(self.metric.partition("_")[0])
        if fixed:
            return fixed
        known = [self.value, *self.levels, *(x for x in (self.low, self.high) if x is not None)]
        return min(0.0, *known) * _ROOM, max(*known, 0.0) * _ROOM or 1.0

    @property
    def band(self) -> tuple[float, float]:
        """The usual range; of thresholds alone, what lies beyond the first that is passed."""
        start, end = self.ends
        if self.low is not None or self.high is not None:
            return _or(self.low, start), _or(self.high, end)
        if self.is_higher_better:
            return min(self.levels), end
        return start, max(self.levels)

    def place(self, value: float) -> float:
        """Where a value lies on the track, from 0 to 1."""
        start, end = self.ends
        return min(1.0, max(0.0, (value - start) / (end - start)))


def bullet_figures(bullets: Sequence[Bullet]) -> list[Figure]:
    """The bullets in two charts that stand side by side where there is room."""
    half = (len(bullets) + 1) // 2 if len(bullets) > _ON_ONE else len(bullets)
    return [
        _figure(place, part)
        for place, part in enumerate((bullets[:half], bullets[half:]), 1)
        if part
    ]


def _figure(place: int, bullets: Sequence[Bullet]) -> Figure:
    name = f"benchmarks-{place}"
    inside = sum(b.band[0] <= b.value <= b.band[1] for b in bullets)
    alternative = (
        f"Bullet chart of {len(bullets)} metrics beside their benchmarks; {inside} of them "
        "lie in the band. "
        "The table below says the same in words."
    )
    columns = [
        text_column("label", "Metric"),
        Column("value", "Value"),
        text_column("usual", "Benchmark"),
        text_column("verdict", "Verdict"),
    ]
    rows = [
        {
            "label": b.label,
            "value": Cell(b.shown, str(b.value)),
            "usual": b.usual,
            "verdict": b.verdict,
        }
        for b in bullets
    ]
    return Figure(
        name,
        "Beside what is usual" if place == 1 else "Beside what is usual, continued",
        "Every metric on a track of its own, with its benchmark below. The blue band is the usual "
        "range, or what lies beyond the first threshold; ticks are thresholds; the diamond is the "
        "value.",
        drawn(_chart(bullets), name, alternative, 10 + _ROW * len(bullets)),
        Numbers(columns, rows),
        "kpi_scorecard",
    )


def _chart(bullets: Sequence[Bullet]) -> Drawing:
    tracks = [
        {
            "row": row,
            "label": b.label,
            "shown": b.shown,
            "usual": b.usual,
            "at": b.place(b.value),
            "from": b.place(b.band[0]),
            "to": b.place(b.band[1]),
            "start": 0,
            "end": 1,
        }
        for row, b in enumerate(bullets)
    ]
    ticks = [
        {"row": row, "at": b.place(level)} for row, b in enumerate(bullets) for level in b.levels
    ]
    rows = alt.Y("row:O", axis=None, scale=alt.Scale(domain=list(range(len(bullets)))))
    base = alt.Chart(values(tracks)).encode(y=rows)
    layers: list[Any] = [
        base.mark_bar(color=_TRACK, height=12).encode(x=_along("start"), x2="end:Q"),
        base.mark_bar(color=_BAND, height=12).encode(x=_along("from"), x2="to:Q"),
        alt.Chart(values(ticks))
        .mark_tick(color=INK, thickness=1, size=16)
        .encode(x=_along("at"), y=rows),
        base.mark_point(shape="diamond", size=90, color=INK, filled=True, opacity=1).encode(
            x=_along("at")
        ),
        base.mark_text(align="left", dy=-14, fontSize=12, color=INK).encode(
            x=_along("start"), text="label:N"
        ),
        base.mark_text(align="right", dy=-14, fontSize=12, fontWeight="bold", color=INK).encode(
            x=_along("end"), text="shown:N"
        ),
        base.mark_text(align="left", dy=15, fontSize=12, color=SOFT, limit=WIDTH - 12).encode(
            x=_along("start"), text="usual:N"
        ),
    ]
    return alt.layer(*layers)


def _along(field: str) -> alt.X:
    return alt.X(f"{field}:Q", axis=None, scale=alt.Scale(domain=[0, 1], nice=False))


def _or(value: float | None, other: float) -> float:
    return other if value is None else value
