from collections.abc import Iterable
from datetime import date
from typing import Any

import polars as pl
from activity_rows import EVERYBODY, IOS, WEB, bits, first, month, since
from frames import assert_rows, collected, day, frame

from schemas.active_users_daily import ActiveUsersDaily
from schemas.plan_months import PlanMonths
from schemas.segments import Segments
from schemas.user_months import UserMonths
from schemas.users import Users
from transforms.active_users_daily import active_users_daily


def daily(
    months: list[dict[str, Any]],
    people: list[dict[str, Any]],
    starts: list[dict[str, Any]],
    *,
    through: str,
    wau: int = 7,
    mau: int = 28,
    plans: Iterable[dict[str, Any]] = (),
) -> pl.LazyFrame:
    return active_users_daily(
        frame(UserMonths, months),
        frame(Users, people),
        frame(Segments, starts),
        frame(PlanMonths, plans),
        dimensions=["platform", "country", "plan"],
        wau_window_days=wau,
        mau_window_days=mau,
        data_through=day(through),
    )


def on(table: pl.LazyFrame, text: str, column: str, segment: str = "all") -> Any:
    rows = collected(table, ActiveUsersDaily).filter(
        pl.col("date") == day(text), pl.col("segment") == segment
    )
    return rows[column].item()


def test_thirteen_of_a_hundred_today_is_a_stickiness_of_0_13() -> None:
    # 100 people on the 1st, the first 13 of them again on the 28th: 13 / 100 = 0.13
    months = [
        month("2024-01", f"u{number:03}", 1, *([28] if number < 13 else []))
        for number in range(100)
    ]
    people = [first("2024-01-01", f"u{number:03}") for number in range(100)]
    table = daily(months, people, [since("2024-01-01")], through="2024-01-28")
    assert on(table, "2024-01-28", "dau") == 13
    assert on(table, "2024-01-28", "mau") == 100
    assert on(table, "2024-01-28", "stickiness_ratio") == 0.13


def test_every_day_from_the_first_to_the_horizon_has_a_row() -> None:
    # u alone, on the 30th: one new person, who stays in both windows on the two days after
    table = daily(
        [month("2024-01", "u", 30)],
        [first("2024-01-30", "u")],
        [since("2024-01-30")],
        through="2024-02-01",
    )
    row = {**EVERYBODY, "wau": 1, "mau": 1}
    assert_rows(
        table,
        ActiveUsersDaily,
        [
            {**row, "date": day("2024-01-30"), "dau": 1, "days_in_window": 1}
            | {"stickiness_ratio": 1.0, "new_users": 1, "returning_users": 0},
            {**row, "date": day("2024-01-31"), "dau": 0, "days_in_window": 2}
            | {"stickiness_ratio": 0.0, "new_users": 0, "returning_users": 0},
            {**row, "date": day("2024-02-01"), "dau": 0, "days_in_window": 3}
            | {"stickiness_ratio": 0.0, "new_users": 0, "returning_users": 0},
        ],
    )


def test_a_window_includes_its_last_day_and_ends_before_the_next() -> None:
    # active on the 1st: in the 7 days up to the 7th, not in those up to the 8th; likewise 28
    table = daily(
        [month("2024-01", "u", 1)],
        [first("2024-01-01", "u")],
        [since("2024-01-01")],
        through="2024-01-31",
    )
    assert [on(table, f"2024-01-{text}", "wau") for text in ("07", "08")] == [1, 0]
    assert [on(table, f"2024-01-{text}", "mau") for text in ("28", "29")] == [1, 0]


def paid(text: str, user_id: str, *days: int, plan: str = "pro", country: str = "DE") -> Any:
    """A row of plan_months."""
    row = {"month": day(f"{text}-01"), "user_id": user_id, "plan": plan}
    return {**row, "country": country, "plan_days": bits(*days)}


def test_those_who_pay_are_counted_with_how_many_of_them_came() -> None:
    # On 3 January u, v, w and x pay, of whom u comes on the day and v came on the 1st; y does not
    # pay. dau = u and y = 2, mau = u, v and y = 3.
    table = daily(
        [
            month("2024-01", "u", 3),
            month("2024-01", "v", 1),
            month("2024-01", "y", 3),
        ],
        [],
        [since("2024-01-01")],
        through="2024-01-04",
        plans=[paid("2024-01", who, 2, 3) for who in "uvwx"]
        + [paid("2024-01", "u", 1, 4, plan="none")],
    )
    assert_rows(
        table.filter(pl.col("date") == day("2024-01-03")),
        ActiveUsersDaily,
        [
            {"dau": 2, "mau": 3, "paying_users": 4}
            | {"active_paying_users": 1, "monthly_active_paying_users": 2}
            | {"active_to_paying_ratio": 2 / 4, "mau_to_paying_ratio": 3 / 4}
            | {"paying_active_rate": 1 / 4, "paying_mau_rate": 2 / 4}
        ],
    )
    assert on(table, "2024-01-04", "paying_users") == 0
    assert on(table, "2024-01-04", "paying_mau_rate") is None


def test_a_window_over_the_turn_of_a_month_sees_those_who_pay_now() -> None:
    # active on 31 December, on pro until then and on team from 1 January: in the window that day
    table = daily(
        [month("2023-12", "u", 31)],
        [],
        [since("2023-12-31")],
        through="2024-01-28",
        plans=[paid("2023-12", "u", 30, 31), paid("2024-01", "u", *range(1, 32), plan="team")],
    )
    kept = [on(table, text, "monthly_active_paying_users") for text in ("2023-12-31", "2024-01-27")]
    assert kept == [1, 1]
    assert on(table, "2024-01-28", "monthly_active_paying_users") == 0
    assert on(table, "2024-01-28", "paying_users") == 1
    assert on(table, "2024-01-01", "active_paying_users") == 0


def test_those_who_pay_count_in_the_country_and_plan_of_the_customer() -> None:
    # u pays from Germany and is active from Austria. The platform is nothing that customers have.
    places = [
        WEB,
        {"dimension": "country", "segment": "DE"},
        {"dimension": "country", "segment": "AT"},
        {"dimension": "plan", "segment": "pro"},
        {"dimension": "plan", "segment": "none"},
    ]
    table = daily(
        [month("2024-01", "u", 1), month("2024-01", "u", 1, dimension="country", segment="AT")],
        [],
        [since("2024-01-01"), *(since("2024-01-01", **where) for where in places)],
        through="2024-01-01",
        plans=[paid("2024-01", "u", *range(1, 32))],
    )
    counts = {
        where["segment"]: on(table, "2024-01-01", "active_paying_users", where["segment"])
        for where in places
    }
    assert counts == {"web": None, "DE": 1, "AT": 0, "pro": 1, "none": 0}
    assert on(table, "2024-01-01", "paying_users", "web") is None
    assert on(table, "2024-01-01", "active_to_paying_ratio", "AT") is None


def test_no_active_user_in_the_window_gives_no_stickiness() -> None:
    table = daily(
        [month("2024-01", "u", 1)],
        [first("2024-01-01", "u")],
        [since("2024-01-01")],
        through="2024-01-29",
    )
    assert on(table, "2024-01-29", "stickiness_ratio") is None


def test_a_person_active_in_both_months_counts_once_in_a_window_over_their_border() -> None:
    table = daily(
        [month("2023-12", "u", 31), month("2024-01", "u", 1), month("2024-01", "v", 2)],
        [first("2024-01-02", "v")],
        [since("2023-12-31")],
        through="2024-01-02",
    )
    # the 2nd: u by 31 December and 1 January, v by the day itself
    assert on(table, "2024-01-02", "mau") == 2
    assert on(table, "2024-01-02", "returning_users") == 0
    assert on(table, "2024-01-01", "returning_users") == 1


def test_a_window_of_31_days_reaches_over_a_whole_february() -> None:
    # 1 March 2023 less 30 days is 30 January; 2024 has a 29 February, so it is 31 January
    for year, kept, lost in (("2023", "30", "29"), ("2024", "31", "30")):
        months = [
            month(f"{year}-01", "kept", int(kept)),
            month(f"{year}-01", "lost", int(lost)),
        ]
        starts = [since(f"{year}-01-{lost}")]
        table = daily(months, [], starts, through=f"{year}-03-01", mau=31)
        assert on(table, f"{year}-03-01", "mau") == 1
        assert on(table, f"{year}-03-01", "days_in_window") == 31


def test_a_segment_has_rows_from_its_own_first_day_and_history_counts_from_everybodys() -> None:
    months = [
        month("2024-01", "u", 1, 3),
        month("2024-01", "u", 1, **WEB),
        month("2024-01", "u", 3, **IOS),
    ]
    people = [first("2024-01-01", "u"), first("2024-01-01", "u", **WEB)]
    people.append(first("2024-01-03", "u", is_entry=False, **IOS))
    starts = [since("2024-01-01"), since("2024-01-01", **WEB), since("2024-01-03", **IOS)]
    table = daily(months, people, starts, through="2024-01-04")
    dates = collected(table, ActiveUsersDaily).filter(pl.col("segment") == "ios")["date"]
    assert dates.to_list() == [day("2024-01-03"), day("2024-01-04")]
    assert on(table, "2024-01-03", "days_in_window", "ios") == 3
    # u, in two segments, counts in both, and is new in each on its own first day
    assert on(table, "2024-01-03", "mau", "web") == on(table, "2024-01-03", "mau", "ios") == 1
    assert on(table, "2024-01-03", "new_users", "ios") == 1
    assert on(table, "2024-01-03", "new_users") == 0


def test_what_happens_after_the_horizon_is_not_seen() -> None:
    table = daily(
        [month("2024-01", "u", 10, 12), month("2024-02", "u", 1), month("2024-01", "v", 12)],
        [first("2024-01-10", "u"), first("2024-01-12", "v")],
        [since("2024-01-10"), since("2024-01-12", **WEB)],
        through="2024-01-11",
    )
    rows = collected(table, ActiveUsersDaily)
    assert rows.select("date", "dau", "new_users").rows() == [
        (date(2024, 1, 10), 1, 1),
        (date(2024, 1, 11), 0, 0),
    ]


def test_a_horizon_before_the_first_activity_leaves_nothing() -> None:
    table = daily(
        [month("2024-01", "u", 10)],
        [first("2024-01-10", "u")],
        [since("2024-01-10")],
        through="2024-01-09",
    )
    assert collected(table, ActiveUsersDaily).is_empty()
