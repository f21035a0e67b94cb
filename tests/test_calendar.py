from collections.abc import Callable

import polars as pl
from frames import day

from transforms.calendar import (
    DAY,
    MONTH,
    QUARTER,
    WEEK,
    every_period,
    first_instant,
    nth_period,
    period_end,
    period_start,
    periods_between,
)


def on(*texts: str, make: Callable[[pl.Expr], pl.Expr]) -> list[str]:
    days = pl.LazyFrame({"day": [day(text) for text in texts]}, schema={"day": pl.Date})
    return [str(value) for value in days.select(make(pl.col("day"))).collect().to_series()]


def test_a_quarter_begins_with_january_april_july_and_october() -> None:
    def start(day: pl.Expr) -> pl.Expr:
        return period_start(day, QUARTER, "monday")

    assert on("2023-12-31", "2024-01-01", "2024-02-29", "2024-06-30", "2024-07-01", make=start) == [
        "2023-10-01",
        "2024-01-01",
        "2024-01-01",
        "2024-04-01",
        "2024-07-01",
    ]


def test_a_quarter_ends_with_its_third_month() -> None:
    assert on(
        "2023-10-01", "2024-01-01", "2024-04-01", make=lambda start: period_end(start, QUARTER)
    ) == ["2023-12-31", "2024-03-31", "2024-06-30"]


def test_quarters_are_counted_on_and_back() -> None:
    # Five quarters after October 2023 is January 2025; one before January 2024 is October 2023.
    assert on("2023-10-01", make=lambda start: nth_period(start, pl.lit(5), QUARTER)) == [
        "2025-01-01"
    ]
    assert on("2024-01-01", make=lambda start: nth_period(start, pl.lit(-1), QUARTER)) == [
        "2023-10-01"
    ]
    october = pl.lit(day("2023-10-01"))
    assert on(
        "2023-10-01",
        "2025-01-01",
        "2023-07-01",
        make=lambda later: periods_between(october, later, QUARTER),
    ) == ["0", "5", "-1"]


def test_every_period_runs_from_the_one_of_the_first_day_to_the_one_of_the_horizon() -> None:
    firsts = pl.LazyFrame({"who": ["a", "b"], "first_date": [day("2024-01-31"), day("2024-04-02")]})

    def periods(grain: str, through: str) -> list[tuple[str, str]]:
        rows = every_period(firsts, grain, week_start="monday", data_through=day(through))
        return [
            (who, str(start)) for who, start in rows.collect().sort("who", "period_start").rows()
        ]

    assert periods(QUARTER, "2024-04-02") == [
        ("a", "2024-01-01"),
        ("a", "2024-04-01"),
        ("b", "2024-04-01"),
    ]
    assert periods(MONTH, "2024-03-01") == [
        ("a", "2024-01-01"),
        ("a", "2024-02-01"),
        ("a", "2024-03-01"),
    ]
    assert periods(WEEK, "2024-02-05") == [("a", "2024-01-29"), ("a", "2024-02-05")]
    assert periods(DAY, "2024-02-01") == [("a", "2024-01-31"), ("a", "2024-02-01")]
    assert periods(DAY, "2024-01-30") == []


def test_a_day_begins_at_its_first_instant_in_the_time_zone() -> None:
    def begins(timezone: str, *texts: str) -> list[str]:
        return on(*texts, make=lambda day: first_instant(day, timezone).dt.to_string("%F %R"))

    assert begins("UTC", "2024-03-31") == ["2024-03-31 00:00"]
    # Berlin is an hour ahead in winter, and two from the last Sunday of March on.
    berlin = begins("Europe/Berlin", "2024-03-31", "2024-04-01")
    assert berlin == ["2024-03-30 23:00", "2024-03-31 22:00"]
    # In Havana the hour from midnight to one comes twice: the day begins with the first of them.
    assert begins("America/Havana", "2024-11-03") == ["2024-11-03 04:00"]
    # In Sao Paulo midnight was skipped: the day began at one, two hours behind UTC.
    assert begins("America/Sao_Paulo", "2018-11-04") == ["2018-11-04 03:00"]
    # Samoa left out 30 December 2011: it begins, and ends, when the 31st begins.
    apia = begins("Pacific/Apia", "2011-12-30", "2011-12-31")
    assert apia == ["2011-12-30 10:00", "2011-12-30 10:00"]
