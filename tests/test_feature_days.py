from typing import Any

import polars as pl
from frames import assert_rows, at, collected, day, frame

from schemas.events import Events
from schemas.feature_days import FeatureDays
from schemas.stitches import Stitches
from transforms.feature_days import feature_days

DAY = day("2024-01-01")


def event(feature: str | None, **rest: Any) -> dict[str, Any]:
    row = {"event_name": "feature_used", "event_ts": at("2024-01-01 09:00"), "event_date": DAY}
    return {**row, "user_id": "ada", "feature": feature, **rest}


def days(rows: list[Any], *, stitches: list[Any] | None = None, **options: Any) -> pl.LazyFrame:
    usual: dict[str, Any] = {"active_events": [], "dimensions": ["platform", "plan"]}
    return feature_days(
        frame(Events, rows), frame(Stitches, stitches or []), **{**usual, **options}
    )


def test_events_are_counted_by_day_feature_person_and_combination() -> None:
    rows = [
        event("export", platform="web"),
        event("export", platform="web"),
        event("export", platform="ios"),
        event("import", platform="web"),
        event("export", platform="web", user_id="bob"),
        event("export", platform="web", event_date=day("2024-01-02")),
    ]
    expected = [
        (DAY, "export", "ada", "web", 2),
        (DAY, "export", "ada", "ios", 1),
        (DAY, "import", "ada", "web", 1),
        (DAY, "export", "bob", "web", 1),
        (day("2024-01-02"), "export", "ada", "web", 1),
    ]
    names = ["event_date", "feature", "user_id", "segments", "events"]
    assert_rows(days(rows), FeatureDays, [dict(zip(names, e, strict=True)) for e in expected])


def test_any_active_event_that_names_a_feature_uses_it() -> None:
    rows = [event("export", event_name="click"), event(None)]
    assert_rows(days(rows), FeatureDays, [{"feature": "export", "events": 1}])


def test_events_that_make_nobody_active_use_no_feature() -> None:
    rows = [event("export", event_name="email_opened"), event("export", event_name="click")]
    assert_rows(days(rows), FeatureDays, [{"events": 1}])
    only_clicks = days([event("export"), *rows], active_events=["click"])
    assert_rows(only_clicks, FeatureDays, [{"events": 1}])


def test_a_missing_value_is_unknown_and_the_separator_splits_nothing() -> None:
    rows = [event("export"), event("export", platform="a\x1fb"), event("export", platform="a b")]
    expected = [{"segments": "unknown", "events": 1}, {"segments": "a b", "events": 2}]
    assert_rows(days(rows), FeatureDays, expected)


def test_without_dimensions_a_person_has_one_row() -> None:
    rows = [event("export", platform="web"), event("export", platform="ios")]
    assert_rows(days(rows, dimensions=[]), FeatureDays, [{"segments": "", "events": 2}])


def test_an_anonymous_id_counts_as_the_user_it_is_stitched_to() -> None:
    stitch = {
        "event_date": DAY,
        "anonymous_id": "x",
        "from_ts": at("2024-01-01 09:00"),
        "user_id": "ada",
    }
    rows = [event("export"), event("export", user_id=None, anonymous_id="x")]
    assert_rows(days(rows, stitches=[stitch]), FeatureDays, [{"user_id": "ada", "events": 2}])


def test_nothing_in_gives_nothing_out() -> None:
    assert collected(days([]), FeatureDays).is_empty()
