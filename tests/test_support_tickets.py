from typing import Any

import polars as pl
from frames import assert_rows, at, collected, day, frame

from schemas.support_tickets import SupportTickets
from schemas.tickets import Tickets
from transforms.support_tickets import support_tickets

ARRIVED = {"landing_date": day("2024-03-01"), "file": "a.csv", "fate": "counts"}
EVERYTHING = {"channel": "all", "tier": "all"}


def ticket(opened: str, resolved: str | None = None, **columns: Any) -> dict[str, Any]:
    times = {"opened_ts": at(opened), "resolved_ts": at(resolved) if resolved else None}
    return {**times, "channel": "mail", "tier": "gold", **columns}


def support(
    rows: list[Any], *, through: str, timezone: str = "UTC", week_start: str = "monday"
) -> pl.LazyFrame:
    named = [{"ticket_id": f"t{line}", "line": line, **row} for line, row in enumerate(rows, 1)]
    return support_tickets(
        frame(Tickets, named, **ARRIVED),
        timezone=timezone,
        week_start=week_start,
        data_through=day(through),
    )


def of(table: pl.LazyFrame, grain: str, *names: str, **where: str) -> list[tuple[Any, ...]]:
    """Those columns of everything, or of a channel and tier, after the period's start."""
    rows = collected(table, SupportTickets).filter(grain=grain, **{**EVERYTHING, **where})
    return rows.select(pl.col("period_start").cast(pl.String), *names).rows()


def test_tickets_are_counted_by_opening_and_by_resolution() -> None:
    # Opened: two on Monday 1 January, one on Wednesday 3. Resolved: one on the first, one closed
    # on the third without being resolved; the third is open.
    rows = [
        ticket("2024-01-01 10:00", "2024-01-01 12:00"),
        ticket("2024-01-01 11:00", closed_ts=at("2024-01-03 09:00")),
        ticket("2024-01-03 08:00"),
    ]
    table = support(rows, through="2024-01-04")
    assert of(table, "day", "opened", "still_open", "resolved", "is_complete") == [
        ("2024-01-01", 2, 0, 1, True),
        ("2024-01-02", 0, 0, 0, True),
        ("2024-01-03", 1, 1, 1, True),
        ("2024-01-04", 0, 0, 0, True),
    ]
    assert of(table, "week", "opened", "still_open", "resolved", "is_complete") == [
        ("2024-01-01", 3, 1, 2, False)
    ]
    assert of(table, "month", "opened", "still_open", "resolved", "is_complete") == [
        ("2024-01-01", 3, 1, 2, False)
    ]


def test_resolution_counts_before_closing() -> None:
    rows = [ticket("2024-01-01 10:00", "2024-01-02 10:00", closed_ts=at("2024-01-09 10:00"))]
    table = support(rows, through="2024-01-09")
    assert of(table, "day", "mean_resolution_seconds")[1] == ("2024-01-02", 86400.0)
    assert [row[1] for row in of(table, "day", "resolved")] == [0, 1, 0, 0, 0, 0, 0, 0, 0]


def test_a_mean_is_of_tickets_and_never_of_daily_means() -> None:
    # First day: 10 s and 20 s; second: 90 s. Of tickets 120 / 3 = 40; of daily means it were 52.5.
    # Median of 10, 20, 90: 20. Nine tenths lie between 20 and 90: 20 + 0.8 * 70 = 76.
    rows = [
        ticket("2024-01-01 10:00:00", "2024-01-01 10:00:10"),
        ticket("2024-01-01 10:00:00", "2024-01-01 10:00:20"),
        ticket("2024-01-02 10:00:00", "2024-01-02 10:01:30"),
    ]
    names = ["timed_resolved", "resolution_seconds"]
    names += [f"{kind}_resolution_seconds" for kind in ("mean", "median", "p90")]
    assert of(support(rows, through="2024-01-02"), "month", *names) == [
        ("2024-01-01", 3, 120.0, 40.0, 20.0, 76.0)
    ]


def test_first_replies_are_of_the_tickets_resolved_that_have_one() -> None:
    # Replies after 30 s and 60 s; the third was never replied to, the fourth is not resolved.
    # Median 45; nine tenths 30 + 0.9 * 30 = 57.
    done = "2024-01-01 12:00"
    rows = [
        ticket("2024-01-01 10:00", done, first_reply_ts=at("2024-01-01 10:00:30")),
        ticket("2024-01-01 10:00", done, first_reply_ts=at("2024-01-01 10:01")),
        ticket("2024-01-01 10:00", done),
        ticket("2024-01-01 10:00", first_reply_ts=at("2024-01-01 10:05")),
    ]
    names = ["resolved", "replied", "first_reply_seconds"]
    names += [f"{kind}_first_reply_seconds" for kind in ("mean", "median", "p90")]
    assert of(support(rows, through="2024-01-01"), "day", *names) == [
        ("2024-01-01", 3, 2, 90.0, 45.0, 45.0, 57.0)
    ]


def test_reopened_tickets_are_counted_when_they_were_resolved_in_the_end() -> None:
    rows = [
        ticket("2024-01-01 10:00", "2024-01-02 10:00", reopened_count=2),
        ticket("2024-01-01 10:00", "2024-01-02 10:00", reopened_count=0),
        ticket("2024-01-01 10:00", "2024-01-02 10:00"),
        ticket("2024-01-01 10:00", reopened_count=1),
    ]
    assert of(support(rows, through="2024-01-02"), "day", "opened", "resolved", "reopened") == [
        ("2024-01-01", 4, 0, 0),
        ("2024-01-02", 0, 3, 1),
    ]


def test_channels_and_tiers_stand_alone_together_and_in_all() -> None:
    rows = [
        ticket("2024-01-01 10:00"),
        ticket("2024-01-01 10:00", tier="free"),
        ticket("2024-01-01 10:00", channel="chat", tier=None),
    ]
    parts = [
        ("mail", "gold", 1),
        ("mail", "free", 1),
        ("chat", "(none)", 1),
        ("mail", "all", 2),
        ("chat", "all", 1),
        ("all", "gold", 1),
        ("all", "free", 1),
        ("all", "(none)", 1),
        ("all", "all", 3),
    ]
    expected = [
        {"grain": grain, "channel": channel, "tier": tier, "opened": opened}
        for grain in ("day", "week", "month")
        for channel, tier, opened in parts
    ]
    assert_rows(support(rows, through="2024-01-01"), SupportTickets, expected)


def test_a_channel_begins_with_its_own_first_ticket() -> None:
    rows = [ticket("2024-01-01 10:00"), ticket("2024-01-03 10:00", channel="chat")]
    table = support(rows, through="2024-01-04")
    assert of(table, "day", "opened", channel="chat", tier="gold") == [
        ("2024-01-03", 1),
        ("2024-01-04", 0),
    ]


def test_days_are_of_the_reporting_time_zone_and_weeks_begin_when_the_setting_says() -> None:
    # 23:30 UTC on Saturday 6 January is Sunday in Berlin, and with it another week.
    table = support(
        [ticket("2024-01-06 23:30")],
        through="2024-01-07",
        timezone="Europe/Berlin",
        week_start="sunday",
    )
    assert of(table, "day", "opened") == [("2024-01-07", 1)]
    assert of(table, "week", "opened") == [("2024-01-07", 1)]


def test_what_is_resolved_after_the_horizon_is_still_open() -> None:
    rows = [
        ticket("2024-01-01 10:00", "2024-01-02 00:00"),
        ticket("2024-01-02 10:00", "2024-01-02 11:00"),
    ]
    assert of(support(rows, through="2024-01-01"), "day", "opened", "still_open", "resolved") == [
        ("2024-01-01", 1, 1, 0)
    ]


def test_a_time_below_zero_is_not_known() -> None:
    # Resolved before it was opened: resolved, not timed. The other took an hour.
    rows = [
        ticket("2024-01-02 10:00", "2024-01-01 10:00", first_reply_ts=at("2024-01-01 09:00")),
        ticket("2024-01-01 09:00", "2024-01-01 10:00", first_reply_ts=at("2024-01-01 09:00")),
    ]
    names = ["resolved", "timed_resolved", "mean_resolution_seconds", "replied"]
    assert of(support(rows, through="2024-01-01"), "day", *names) == [("2024-01-01", 2, 1, 3600, 1)]


def test_without_resolutions_there_are_no_times() -> None:
    names = [f"{kind}_resolution_seconds" for kind in ("mean", "median", "p90")]
    table = support([ticket("2024-01-01 10:00")], through="2024-01-01")
    assert of(table, "day", "resolution_seconds", *names) == [("2024-01-01", 0.0, None, None, None)]


def test_thousands_of_tickets_have_the_mean_that_one_has() -> None:
    # 5,000 of a second each: in microseconds more than a count of 32 bits can hold
    rows = [ticket("2024-01-01 10:00", "2024-01-01 10:00:01")] * 5000
    names = ["resolution_seconds", "mean_resolution_seconds"]
    assert of(support(rows, through="2024-01-01"), "day", *names) == [("2024-01-01", 5000.0, 1.0)]


def test_a_channel_whose_name_is_all_is_not_taken_for_the_total() -> None:
    table = support([ticket("2024-01-01 10:00", channel="all")], through="2024-01-01")
    assert of(table, "day", "opened", channel="(all)", tier="gold") == [("2024-01-01", 1)]


def test_rows_that_do_not_count_are_left_out() -> None:
    rows = [ticket("2024-01-01 10:00"), ticket("2024-01-01 10:00", fate="duplicate")]
    assert of(support(rows, through="2024-01-01"), "day", "opened") == [("2024-01-01", 1)]


def test_nothing_landed_gives_no_rows() -> None:
    assert collected(support([], through="2024-01-01"), SupportTickets).is_empty()
