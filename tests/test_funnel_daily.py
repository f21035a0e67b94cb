from typing import Any

import polars as pl
from frames import assert_rows, collected, day, frame
from funnel_rows import BUY, TWICE, entry

from schemas.funnel_daily import FunnelDaily
from schemas.funnel_entries import FunnelEntries
from transforms.funnel_daily import funnel_daily


def funnel(
    rows: list[Any],
    through: str,
    *funnels: Any,
    before: list[Any] | None = None,
    timezone: str = "UTC",
) -> pl.LazyFrame:
    return funnel_daily(
        frame(FunnelEntries, rows),
        frame(FunnelDaily, before or []),
        funnels=funnels or (BUY,),
        timezone=timezone,
        data_through=day(through),
    )


def entered(table: pl.LazyFrame, *names: str) -> list[tuple[Any, ...]]:
    """Day of entry, step and the named columns of each row."""
    rows = collected(table, FunnelDaily)
    return rows.select(pl.col("entry_date").cast(pl.String), "step", *names).rows()


def complete_days(table: pl.LazyFrame) -> list[str]:
    return [text for text, step, passed in entered(table, "is_complete") if passed and step == 1]


def test_of_those_who_look_some_go_on_and_some_of_these_order() -> None:
    # 5 look, 4 of them put something in the cart, 1 of these orders.
    # Step rates 4 / 5 = 0.8 and 1 / 4; overall 0.8 and 1 / 5 = 0.2. Each step took a minute.
    rows = [entry("2024-01-01", user_id=who) for who in "abcde"]
    rows += [entry("2024-01-01", 2, who) for who in "abcd"]
    rows += [entry("2024-01-01", 3, "a")]
    common = {"entry_date": day("2024-01-01"), "funnel": "buy", "first_users": 5}
    assert_rows(
        funnel(rows, "2024-01-02"),
        FunnelDaily,
        [
            {
                **common,
                **{"step": 1, "step_name": "view", "entered_users": 5, "previous_users": None},
                **{"dropped_users": None, "step_rate": None, "overall_rate": 1.0},
                **{"median_seconds_from_previous": None, "is_complete": True},
            },
            {
                **common,
                **{"step": 2, "step_name": "cart", "entered_users": 4, "previous_users": 5},
                **{"dropped_users": 1, "step_rate": 0.8, "overall_rate": 0.8},
                **{"median_seconds_from_previous": 60.0, "is_complete": True},
            },
            {
                **common,
                **{"step": 3, "step_name": "order", "entered_users": 1, "previous_users": 4},
                **{"dropped_users": 3, "step_rate": 0.25, "overall_rate": 0.2},
                **{"median_seconds_from_previous": 60.0, "is_complete": True},
            },
            *(
                {
                    **common,
                    **{"entry_date": day("2024-01-02"), "step": step, "step_name": name},
                    **{"entered_users": 0, "previous_users": none and 0, "first_users": 0},
                    **{"dropped_users": none and 0, "step_rate": None, "overall_rate": None},
                    **{"median_seconds_from_previous": None, "is_complete": False},
                }
                for step, name, none in ((1, "view", None), (2, "cart", 1), (3, "order", 1))
            ),
        ],
    )


def test_the_median_lies_between_the_two_middle_ones() -> None:
    # 10, 20, 40 and 90 seconds: (20 + 40) / 2 = 30.
    rows = []
    for who, seconds in zip("abcd", (10, 90, 20, 40), strict=True):
        took = {"microseconds_from_previous": seconds * 1_000_000}
        rows += [entry("2024-01-01", 1, who), entry("2024-01-01", 2, who, **took)]
    table = funnel(rows, "2024-01-01")
    assert entered(table, "median_seconds_from_previous")[1] == ("2024-01-01", 2, 30.0)


def test_every_day_and_step_has_a_row_from_the_first_entry_to_the_horizon() -> None:
    rows = [entry("2024-01-02"), entry("2024-01-04")]
    assert entered(funnel(rows, "2024-01-05"), "entered_users") == [
        (f"2024-01-0{number}", step, int(step == 1 and number in (2, 4)))
        for number in (2, 3, 4, 5)
        for step in (1, 2, 3)
    ]


def test_a_month_goes_on_from_the_month_before_it() -> None:
    # Nobody entered in February; the funnel was entered in January.
    before = [{"entry_date": day("2024-01-31"), "funnel": "buy", "step": 1}]
    table = funnel([], "2024-02-02", before=before)
    days = [text for text, step, _ in entered(table, "entered_users") if step == 3]
    assert days == ["2024-01-31", "2024-02-01", "2024-02-02"]


def test_a_funnel_that_nobody_entered_has_no_rows() -> None:
    table = funnel([entry("2024-01-01")], "2024-01-01", BUY, TWICE)
    assert {row[0] for row in collected(table, FunnelDaily).select("funnel").rows()} == {"buy"}


def test_funnels_begin_with_their_own_first_entry() -> None:
    rows = [entry("2024-01-01"), entry("2024-01-02", funnel="twice")]
    table = collected(funnel(rows, "2024-01-02", BUY, TWICE), FunnelDaily)
    firsts = table.group_by("funnel").agg(pl.col("entry_date").min()).sort("funnel").rows()
    assert firsts == [("buy", day("2024-01-01")), ("twice", day("2024-01-02"))]


def test_a_step_counts_on_the_day_of_entry_and_not_beyond_the_horizon() -> None:
    # ada's cart comes on the third: with the horizon on the second it is not seen yet.
    rows = [entry("2024-01-01"), entry("2024-01-01", 2, reached_date=day("2024-01-03"))]
    assert entered(funnel(rows, "2024-01-03"), "entered_users")[1] == ("2024-01-01", 2, 1)
    assert entered(funnel(rows, "2024-01-02"), "entered_users")[1] == ("2024-01-01", 2, 0)


def test_an_entry_after_the_horizon_is_not_published() -> None:
    rows = [entry("2024-01-01"), entry("2024-01-02")]
    assert {row[0] for row in entered(funnel(rows, "2024-01-01"))} == {"2024-01-01"}


def test_a_day_is_complete_when_the_window_of_its_last_instant_has_ended() -> None:
    # 24 hours after the last instant of the first is the last instant of the second.
    table = funnel([entry("2024-01-01")], "2024-01-03")
    assert complete_days(table) == ["2024-01-01", "2024-01-02"]
    # An hour more reaches into the third, an hour less does not.
    longer = funnel([entry("2024-01-01")], "2024-01-03", {**BUY, "window_hours": 25})
    assert complete_days(longer) == ["2024-01-01"]
    shorter = funnel([entry("2024-01-01")], "2024-01-03", {**BUY, "window_hours": 23})
    assert complete_days(shorter) == ["2024-01-01", "2024-01-02"]


def test_a_short_day_lets_the_window_reach_a_day_further() -> None:
    # Berlin: Sunday 31 March 2024 has 23 hours. 24 hours after the last instant of Saturday it is
    # Monday: with it Saturday is complete, and so is Sunday.
    rows = [entry("2024-03-29")]
    on_sunday = funnel(rows, "2024-03-31", timezone="Europe/Berlin")
    assert complete_days(on_sunday) == ["2024-03-29"]
    on_monday = funnel(rows, "2024-04-01", timezone="Europe/Berlin")
    assert complete_days(on_monday) == ["2024-03-29", "2024-03-30", "2024-03-31"]


def test_a_long_day_keeps_the_window_within_it() -> None:
    # Berlin: Sunday 27 October 2024 has 25 hours. 25 hours after Saturday's last instant it is
    # still Sunday; after Friday's it is Sunday too, since Saturday has 24.
    rows = [entry("2024-10-25")]
    wider = {**BUY, "window_hours": 25}
    table = funnel(rows, "2024-10-27", wider, timezone="Europe/Berlin")
    assert complete_days(table) == ["2024-10-25", "2024-10-26"]


def test_midnights_that_do_not_exist_stop_nobody() -> None:
    # Sao Paulo put its clocks forward at midnight of 4 November 2018: the day began at one.
    rows = [entry("2018-11-02")]
    table = funnel(rows, "2018-11-04", timezone="America/Sao_Paulo")
    # The fourth has 23 hours: 24 after the third's last instant reach into the fifth.
    assert complete_days(table) == ["2018-11-02"]


def test_nothing_in_gives_nothing_out() -> None:
    assert entered(funnel([], "2024-01-01")) == []
