from typing import Any

import polars as pl
from feature_rows import WEB, audience, known, used
from frames import assert_rows, collected, day, frame
from plan_rows import plan_row

from schemas.feature_days import FeatureDays
from schemas.feature_segments import FeatureSegments
from schemas.feature_usage import FeatureUsage
from schemas.lifecycle import Lifecycle
from schemas.plan_months import PlanMonths
from transforms.feature_usage import feature_usage


def usage(
    rows: list[Any],
    features: list[Any],
    lifecycle: list[Any],
    through: str,
    *,
    plans: list[Any] | None = None,
    **options: Any,
) -> pl.LazyFrame:
    usual: dict[str, Any] = {"dimensions": ["platform"], "week_start": "monday"}
    return feature_usage(
        frame(FeatureDays, rows),
        frame(FeatureSegments, features),
        frame(Lifecycle, lifecycle),
        frame(PlanMonths, plans or [], country="unknown"),
        **{**usual, **options},
        data_through=day(through),
    )


def of(table: pl.LazyFrame, *names: str, **where: str) -> list[tuple[Any, ...]]:
    """The start of each period, and the named columns."""
    rows = collected(table, FeatureUsage).filter(**where)
    return rows.select(pl.col("period_start").cast(pl.String), *names).rows()


def test_adoption_is_the_share_of_the_active_who_used_the_feature() -> None:
    # 7 of 25 active people: 0.28; one of them used it three times: 9 events.
    rows = [used("2024-01-01", who) for who in "abcdef"] + [used("2024-01-01", "g", events=3)]
    table = usage(rows, [known("2024-01-01")], audience("2024-01-01", 25), "2024-01-01")
    assert_rows(
        table,
        FeatureUsage,
        [
            {
                "grain": "day",
                "period_start": day("2024-01-01"),
                "feature": "export",
                "dimension": "all",
                "segment": "all",
                "events": 9,
                "feature_users": 7,
                "active_users": 25,
                "adoption_rate": 0.28,
                "first_seen_date": day("2024-01-01"),
                "is_complete": True,
            }
        ],
    )


def test_people_are_distinct_in_the_week_and_in_the_month() -> None:
    # ada on Wednesday 31 January and Thursday 1 February, bob on Friday 2 February.
    rows = [used("2024-01-31"), used("2024-02-01"), used("2024-02-02", "bob")]
    lifecycle = [
        *audience("2024-01-29", 4, grain="week"),
        *audience("2024-01-01", 3, grain="month"),
        *audience("2024-02-01", 5, grain="month", is_complete=False),
    ]
    table = usage(rows, [known("2024-01-31")], lifecycle, "2024-02-20")
    columns = ["events", "feature_users", "adoption_rate", "is_complete"]
    assert of(table, *columns, grain="week") == [("2024-01-29", 3, 2, 0.5, True)]
    assert of(table, *columns, grain="month") == [
        ("2024-01-01", 1, 1, 1 / 3, True),
        ("2024-02-01", 2, 2, 0.4, False),
    ]


def test_weeks_begin_on_the_day_that_the_setting_says() -> None:
    # Saturday 3 and Sunday 4 February 2024 lie in two weeks that begin on Sundays.
    rows = [used("2024-02-03"), used("2024-02-04")]
    lifecycle = audience("2024-01-28", 1, 1, grain="week")
    table = usage(rows, [known("2024-02-03")], lifecycle, "2024-02-10", week_start="sunday")
    assert of(table, "events") == [("2024-01-28", 1), ("2024-02-04", 1)]


def test_a_feature_that_nobody_used_has_its_row_from_its_first_day_on() -> None:
    # Active: 2, 2, 0, 3. Used on the second only; on the third nobody was active at all.
    lifecycle = audience("2024-01-01", 2, 2, 0, 3)
    table = usage([used("2024-01-02")], [known("2024-01-02")], lifecycle, "2024-01-04")
    assert of(table, "events", "feature_users", "active_users", "adoption_rate") == [
        ("2024-01-02", 1, 1, 2, 0.5),
        ("2024-01-03", 0, 0, 0, None),
        ("2024-01-04", 0, 0, 3, 0.0),
    ]


def test_a_feature_launched_within_a_period_is_marked_by_its_date() -> None:
    # Launched on the 20th: the month of the launch has its row, the ones before have none.
    lifecycle = [
        *audience("2023-12-01", 9, grain="month"),
        *audience("2024-01-01", 8, grain="month"),
    ]
    table = usage([used("2024-01-20")], [known("2024-01-20")], lifecycle, "2024-01-31")
    assert of(table, "active_users", "first_seen_date") == [("2024-01-01", 8, day("2024-01-20"))]


def test_segments_have_their_own_audience_and_begin_with_their_own_first_use() -> None:
    # ada uses it on the web on both days, bob on ios on the second: of everybody 1 of 3, 2 of 3.
    rows = [
        used("2024-01-01"),
        used("2024-01-02"),
        used("2024-01-02", segments="ios"),
        used("2024-01-02", "bob", segments="ios"),
    ]
    ios = {"dimension": "platform", "segment": "ios"}
    features = [known("2024-01-01"), known("2024-01-01", **WEB), known("2024-01-02", **ios)]
    lifecycle = [
        *audience("2024-01-01", 3, 3),
        *audience("2024-01-01", 2, 2, **WEB),
        *audience("2024-01-01", 4, 4, **ios),
    ]
    table = usage(rows, features, lifecycle, "2024-01-02")
    columns = ["segment", "events", "feature_users", "active_users", "first_seen_date"]
    launched = day("2024-01-01")
    assert of(table, *columns) == [
        ("2024-01-01", "all", 1, 1, 3, launched),
        ("2024-01-01", "web", 1, 1, 2, launched),
        ("2024-01-02", "all", 3, 2, 3, launched),
        ("2024-01-02", "ios", 2, 2, 4, launched),
        ("2024-01-02", "web", 1, 1, 2, launched),
    ]


def test_features_do_not_mix() -> None:
    rows = [used("2024-01-01"), used("2024-01-01", feature="import"), used("2024-01-01", "bob")]
    features = [known("2024-01-01"), known("2024-01-01", "import")]
    table = usage(rows, features, audience("2024-01-01", 2), "2024-01-01")
    assert of(table, "feature", "feature_users") == [
        ("2024-01-01", "export", 2),
        ("2024-01-01", "import", 1),
    ]


def test_a_plan_is_that_of_the_day_s_end() -> None:
    # ada is on plan pro until the first and has none afterwards: in the week she is in both.
    rows = [used("2024-01-01"), used("2024-01-02")]
    pro, none = ({"dimension": "plan", "segment": name} for name in ("pro", "none"))
    features = [known("2024-01-01"), known("2024-01-01", **pro), known("2024-01-02", **none)]
    lifecycle = [
        row for where in ({}, pro, none) for row in audience("2024-01-01", 1, grain="week", **where)
    ]
    plans = [plan_row(day("2024-01-01"), "ada", "pro", until=1)]
    table = usage(
        rows, features, lifecycle, "2024-01-07", plans=plans, dimensions=["platform", "plan"]
    )
    assert of(table, "segment", "events", "feature_users") == [
        ("2024-01-01", "all", 2, 1),
        ("2024-01-01", "none", 1, 1),
        ("2024-01-01", "pro", 1, 1),
    ]


def test_a_segment_named_by_an_empty_text_is_a_segment() -> None:
    empty = {"dimension": "platform", "segment": ""}
    lifecycle = [*audience("2024-01-01", 1), *audience("2024-01-01", 1, **empty)]
    features = [known("2024-01-01"), known("2024-01-01", **empty)]
    table = usage([used("2024-01-01", segments="")], features, lifecycle, "2024-01-01")
    assert of(table, "segment", "feature_users") == [
        ("2024-01-01", "all", 1),
        ("2024-01-01", "", 1),
    ]


def test_what_lies_after_the_horizon_is_not_seen() -> None:
    # The week goes on to the seventh, the horizon is the second; import comes on the third.
    rows = [used("2024-01-01"), used("2024-01-03", "bob"), used("2024-01-03", feature="import")]
    features = [known("2024-01-01"), known("2024-01-03", "import")]
    lifecycle = audience("2024-01-01", 2, grain="week", is_complete=False)
    table = usage(rows, features, lifecycle, "2024-01-02")
    assert of(table, "feature", "events", "feature_users") == [("2024-01-01", "export", 1, 1)]


def test_nothing_in_gives_nothing_out() -> None:
    assert of(usage([], [], [], "2024-01-01")) == []
