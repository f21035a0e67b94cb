"""A row of the scorecard in words."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pipelines.pages.words import NONE, duration, month, number, percent
from pipelines.report.bullets import Bullet
from pipelines.report.sections import Cell, Headline

_LABELS = {
    "active_users": "Active people in the month",
    "stickiness": "Stickiness: mean day to month",
    "active_to_paying": "Daily active people to paying ones",
    "month_1_retention": "Came back the month after",
    "mean_session_seconds": "Mean session",
    "mean_time_on_page_seconds": "Mean time on page",
    "user_conversion_rate": "Visitors who convert",
    "session_conversion_rate": "Sessions that convert",
    "churn_rate": "Customer churn",
    "churn_rate_by_inactivity": "Customer churn by inactivity",
    "mrr": "Monthly recurring revenue",
    "clv_to_cac_bg_nbd": "Lifetime value to cost, by orders",
    "clv_to_cac_sbg": "Lifetime value to cost, by contracts",
    "mean_first_reply_seconds": "Mean time to first reply",
    "mean_resolution_seconds": "Mean time to resolution",
}
_SURVEYS = ("nps", "csat", "ces")
_BETTER, _WITHIN, _WORSE = "\u25b2", "\u25cf", "\u25bc"
# "under 0.40" says again what its threshold says.
_OWN_NUMBER = re.compile(r" [\d.,]+$")
_ZERO_DECIMALS = re.compile(r"\.0+(?!\d)")
_SPACE = "\u00a0"
_FEW = 100


@dataclass(frozen=True)
class Metric:
    """A metric in one month."""

    row: dict[str, Any]
    currency: str

    @property
    def label(self) -> str:
        """What people call it; of a survey with its name."""
        metric, segment = self.row["metric"], self.row["segment"].replace("_", " ")
        if metric.partition("_")[0] in _SURVEYS:
            return f"{_survey(metric)}: {segment}"
        named = _LABELS.get(metric) or metric.replace("_", " ").capitalize()
        return named if self.row["dimension"] == "all" else f"{named}: {segment}"

    def is_of(self, name: str) -> bool:
        """Whether it is the metric of that name; those of surveys have their scale at the end."""
        metric: str = self.row["metric"]
        return name in (metric, metric.partition("_")[0])

    @property
    def headline(self) -> Headline:
        """Its value with what it did since the month before."""
        change = self.cell("change", is_change=True)
        said = f"{month(self.row['month'])}" + (
            "" if change.is_none else f", {change.text} since the month before"
        )
        return Headline(self.label, self.cell("value"), said)

    @cached_property
    def written(self) -> Callable[[float], str]:
        """How its values are written."""
        unit = self.row["unit"]
        if unit == "reporting currency":
            return lambda value: f"{number(value)}{_SPACE}{self.currency}"
        ways: dict[str, Callable[[float], str]] = {
            "fraction": percent,
            "seconds": duration,
            "people": number,
            "points": _one_decimal,
        }
        return ways.get(unit, _sized)

    def cell(self, name: str, *, is_change: bool = False) -> Cell:
        """A column of its row; changes have a sign, those of fractions are percentage points."""
        value = self.row[name]
        if value is None:
            return Cell(NONE)
        if not is_change:
            return Cell(self.written(value), str(value))
        is_share = self.row["unit"] == "fraction"
        text = f"{number(value * 100, 1)}{_SPACE}pp" if is_share else self.written(value)
        is_seen = any(digit in text for digit in "123456789")
        return Cell(f"+{text}" if value > 0 and is_seen else text, str(value))

    @property
    def has_benchmark(self) -> bool:
        """Whether it has a value and something to hold it against."""
        names = ("benchmark_low", "benchmark_high", "benchmark_levels")
        return self.row["value"] is not None and any(self.row[name] is not None for name in names)

    @property
    def levels(self) -> list[tuple[str, float]]:
        """Named thresholds, of what reads "good 0; great 20"."""
        said = self.row["benchmark_levels"]
        parts = [each.rsplit(" ", 1) for each in said.split("; ")] if said else []
        return [(_OWN_NUMBER.sub("", name), float(threshold)) for name, threshold in parts]

    @property
    def usual(self) -> str:
        """The benchmark in the unit of the value."""
        low, high = self.row["benchmark_low"], self.row["benchmark_high"]
        parts = [f"{name} {self._round(threshold)}" for name, threshold in self.levels]
        if low is not None and high is not None:
            parts.insert(0, f"usual {self._round(low)} to {self._round(high)}")
        elif low is not None:
            parts.insert(0, f"usual from {self._round(low)}")
        elif high is not None:
            parts.insert(0, f"usual up to {self._round(high)}")
        way = self.row["benchmark_direction"]
        return f"{'; '.join(parts)} ({way} is better)" if parts else NONE

    def _round(self, threshold: float) -> str:
        """A threshold without digits that say nothing."""
        return _ZERO_DECIMALS.sub("", self.written(threshold))

    @property
    def verdict(self) -> str:
        """The verdict in words, with a sign that needs no colour."""
        said, is_lower = self.row["verdict"], self.row["benchmark_direction"] == "lower"
        if not self.row["is_comparable"]:
            return "not comparable: history begins in this month"
        if said is None:
            return NONE if self.row["value"] is not None else "no value in this month"
        if said == "within":
            return f"{_WITHIN} within the usual range"
        if said not in ("below", "above"):
            return f"{_BETTER} beyond \u201c{said}\u201d"
        has_range = self.row["benchmark_low"] is not None or self.row["benchmark_high"] is not None
        what = "the usual range" if has_range else "every threshold"
        if (said == "below") == is_lower and has_range:
            return f"{_BETTER} {said} {what}, which is better"
        return f"{_WORSE} {said} {what}"

    @property
    def bullet(self) -> Bullet:
        """What is drawn of it."""
        row = self.row
        return Bullet(
            metric=row["metric"],
            label=self.label,
            value=row["value"],
            shown=self.written(row["value"]),
            usual=self.usual,
            verdict=self.verdict,
            low=row["benchmark_low"],
            high=row["benchmark_high"],
            levels=tuple(threshold for _, threshold in self.levels),
            is_higher_better=row["benchmark_direction"] != "lower",
        )


def _survey(metric: str) -> str:
    """``ces_effort_1_7`` as CES from 1 to 7, where high is hard."""
    kind, *rest = metric.split("_")
    ways = {"effort": ", high is hard", "ease": ", high is easy"}
    way = "".join(ways.get(each, "") for each in rest)
    scale = [each for each in rest if each not in ways]
    return f"{kind.upper()} from {' to '.join(scale)}{way}" if scale else kind.upper()


def _one_decimal(value: float) -> str:
    return number(value, 1)


def _sized(value: float) -> str:
    return number(value, 0 if abs(value) >= _FEW or value == int(value) else 2)
