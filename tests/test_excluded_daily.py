"""Left out by day and rule, with zeros."""

from frames import assert_rows, day, frame

from schemas.excluded_daily import ExcludedDaily
from schemas.excluded_days import ExcludedDays
from transforms.excluded_daily import excluded_daily


def left_out(date: str, rule: str, events: int, users: int) -> dict[str, object]:
    return {"event_date": day(date), "rule": rule, "events": events, "users": users}


def test_a_rule_has_every_day_from_its_first_to_the_horizon() -> None:
    rows = [
        left_out("2025-03-01", "flag", 3, 2),
        left_out("2025-03-03", "flag", 1, 1),
        left_out("2025-03-02", "staff", 5, 1),
    ]
    expected = [
        ("2025-03-01", "flag", 3, 2),
        ("2025-03-02", "flag", 0, 0),
        ("2025-03-03", "flag", 1, 1),
        ("2025-03-04", "flag", 0, 0),
        ("2025-03-02", "staff", 5, 1),
        ("2025-03-03", "staff", 0, 0),
        ("2025-03-04", "staff", 0, 0),
    ]
    assert_rows(
        excluded_daily(frame(ExcludedDays, rows), data_through=day("2025-03-04")),
        ExcludedDaily,
        [
            {"date": day(date), "rule": rule, "events": events, "users": users, "is_complete": True}
            for date, rule, events, users in expected
        ],
    )


def test_days_after_the_horizon_are_not_told_and_rules_that_begin_there_neither() -> None:
    rows = [left_out("2025-03-01", "flag", 3, 2), left_out("2025-03-02", "staff", 3, 2)]
    assert_rows(
        excluded_daily(frame(ExcludedDays, rows), data_through=day("2025-03-01")),
        ExcludedDaily,
        [{"date": day("2025-03-01"), "rule": "flag", "events": 3}],
    )


def test_where_nothing_is_left_out_there_is_no_row() -> None:
    table = excluded_daily(frame(ExcludedDays), data_through=day("2025-03-01"))
    assert_rows(table, ExcludedDaily, [])
