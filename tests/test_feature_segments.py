from typing import Any

import polars as pl
from feature_rows import known, used
from frames import collected, day, frame
from plan_rows import plan_row

from schemas.feature_days import FeatureDays
from schemas.feature_segments import FeatureSegments
from schemas.plan_months import PlanMonths
from transforms.feature_segments import feature_segments


def firsts(
    rows: list[Any],
    *,
    earlier: list[Any] | None = None,
    plans: list[Any] | None = None,
    dimensions: tuple[str, ...] = ("platform",),
) -> list[tuple[Any, ...]]:
    """Feature, dimension, segment and first day of each row."""
    table: pl.LazyFrame = feature_segments(
        frame(FeatureDays, rows),
        frame(PlanMonths, plans or [], country="unknown"),
        frame(FeatureSegments, earlier or []),
        dimensions=dimensions,
    )
    found = collected(table, FeatureSegments)
    assert (found["first_month"] == found["first_date"].dt.month_start()).all()
    return found.drop("first_month").with_columns(pl.col("first_date").cast(pl.String)).rows()


def test_the_first_day_of_a_feature_is_kept_for_everybody_and_for_each_segment() -> None:
    rows = [
        used("2024-01-03"),
        used("2024-01-02", "bob", segments="ios"),
        used("2024-01-09", "bob"),
        used("2024-02-01", feature="import"),
    ]
    assert firsts(rows) == [
        ("export", "all", "all", "2024-01-02"),
        ("export", "platform", "ios", "2024-01-02"),
        ("export", "platform", "web", "2024-01-03"),
        ("import", "all", "all", "2024-02-01"),
        ("import", "platform", "web", "2024-02-01"),
    ]


def test_what_was_known_in_an_earlier_month_is_not_found_again() -> None:
    earlier = [known("2024-01-09"), known("2024-01-09", dimension="platform", segment="ios")]
    found = firsts([used("2024-02-02"), used("2024-02-03", segments="ios")], earlier=earlier)
    assert found == [("export", "platform", "web", "2024-02-02")]


def test_plans_are_those_of_the_day_s_end_once_there_are_any() -> None:
    # On plan pro until the second; before February nobody had a subscription.
    rows = [used("2024-01-31"), used("2024-02-02"), used("2024-02-03")]
    plans = [plan_row(day("2024-02-01"), "ada", "pro", until=2)]
    assert firsts(rows, plans=plans, dimensions=("plan",)) == [
        ("export", "all", "all", "2024-01-31"),
        ("export", "plan", "none", "2024-02-03"),
        ("export", "plan", "pro", "2024-02-02"),
    ]


def test_nothing_in_gives_nothing_out() -> None:
    assert firsts([]) == []
