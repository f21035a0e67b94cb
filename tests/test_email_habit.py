from datetime import timedelta
from typing import Any

import polars as pl
from campaign_rows import mail, mails
from frames import collected, day

from schemas.email_habit import EmailHabit
from transforms.email_habit import email_habit
from transforms.mail_starts import mail_starts

COUNTS = ("mailed_customers", "every_period_openers", "some_period_openers")


def habit(*rows: dict[str, Any], through: str, week_start: str = "monday") -> pl.LazyFrame:
    days = mails(*rows)
    return email_habit(days, mail_starts(days), week_start=week_start, data_through=day(through))


def of(table: pl.LazyFrame, grain: str, *names: str) -> list[tuple[Any, ...]]:
    rows = collected(table, EmailHabit).filter(grain=grain)
    return rows.select(pl.col("period_start").cast(pl.String), *(names or COUNTS)).rows()


def test_of_a_person_only_periods_with_a_mail_are_looked_at() -> None:
    # Three months, a mail in each to ada and bob, to cid in the first alone. ada opens each, bob
    # only February's, cid his: 2 of 3 in every month with a mail, all 3 in some.
    rows = [
        mail("delivered opened", "2024-01-05 10:00"),
        mail("delivered opened", "2024-02-05 10:00"),
        mail("delivered opened", "2024-03-05 10:00"),
        mail("delivered", "2024-01-05 10:00", "bob"),
        mail("delivered opened", "2024-02-05 10:00", "bob"),
        mail("delivered", "2024-03-05 10:00", "bob"),
        mail("delivered opened", "2024-01-06 10:00", "cid"),
    ]
    table = habit(*rows, through="2024-04-30")
    names = [*COUNTS, "every_period_open_rate", "some_period_open_rate", "is_complete"]
    assert of(table, "month", *names) == [
        ("2024-01-01", 3, 2, 2, 2 / 3, 2 / 3, True),
        ("2024-02-01", 3, 2, 3, 2 / 3, 1.0, True),
        ("2024-03-01", 3, 2, 3, 2 / 3, 1.0, True),
        # February to April: cid has had no mail since January.
        ("2024-04-01", 2, 1, 2, 0.5, 1.0, True),
    ]


def test_days_look_back_28_days_and_weeks_four_weeks() -> None:
    # Monday 1 January, missed, and Wednesday 10 January, opened. Day 28 is 28 January, 29 is not;
    # from the 10th, 6 February is the last. Weeks: those of 1, 8, 15, 22 January and so on.
    rows = [mail("delivered", "2024-01-01 10:00"), mail("delivered opened", "2024-01-10 10:00")]
    table = habit(*rows, through="2024-02-11")
    days = {date: counts for date, *counts in of(table, "day")}
    assert len(days) == 42
    assert [days[f"2024-{date}"] for date in ("01-01", "01-09", "01-10", "01-28")] == [
        [1, 0, 0],
        [1, 0, 0],
        [1, 0, 1],
        [1, 0, 1],
    ]
    assert [days[f"2024-{date}"] for date in ("01-29", "02-06", "02-07", "02-11")] == [
        [1, 1, 1],
        [1, 1, 1],
        [0, 0, 0],
        [0, 0, 0],
    ]
    assert of(table, "week") == [
        ("2024-01-01", 1, 0, 0),
        ("2024-01-08", 1, 0, 1),
        ("2024-01-15", 1, 0, 1),
        ("2024-01-22", 1, 0, 1),
        ("2024-01-29", 1, 1, 1),
        ("2024-02-05", 0, 0, 0),
    ]


def test_an_opening_counts_in_the_period_in_which_it_happens() -> None:
    # Delivered on Sunday 7 January and opened on Monday: of another day and week, the same month.
    rows = [mail("delivered", "2024-01-07 23:00"), mail("opened", "2024-01-08 07:00")]
    table = habit(*rows, through="2024-01-08")
    assert of(table, "day")[-1] == ("2024-01-08", 1, 0, 0)
    assert of(table, "week")[-1] == ("2024-01-08", 1, 0, 0)
    assert of(table, "month") == [("2024-01-01", 1, 1, 1)]


def test_openings_by_machines_are_no_habit() -> None:
    table = habit(mail("delivered machine_opened", "2024-01-07 23:00"), through="2024-01-07")
    assert of(table, "month") == [("2024-01-01", 1, 0, 0)]


def test_an_opening_of_any_campaign_is_one_of_the_period() -> None:
    rows = [
        mail("delivered", "2024-01-07 10:00"),
        mail("delivered", "2024-01-07 10:00", campaign="summer"),
        mail("opened", "2024-01-07 11:00", campaign="autumn"),
    ]
    assert of(habit(*rows, through="2024-01-07"), "day") == [("2024-01-07", 1, 1, 1)]


def test_sending_alone_is_no_delivery() -> None:
    rows = [mail("sent opened", "2024-01-07 10:00"), mail("bounced", "2024-01-07 10:00", "bob")]
    assert collected(habit(*rows, through="2024-01-31"), EmailHabit).is_empty()


def test_every_period_from_the_first_delivered_mail_has_its_row() -> None:
    # Sent on the first; nothing is delivered before the third, nor after it.
    rows = [mail("sent", "2024-01-01 10:00"), mail("delivered", "2024-01-03 10:00")]
    table = habit(*rows, through="2024-05-15", week_start="sunday")
    days = [date for date, *_ in of(table, "day")]
    assert days[0] == "2024-01-03"
    assert len(days) == (day("2024-05-15") - day("2024-01-03") + timedelta(days=1)).days
    weeks = of(table, "week", "is_complete")
    assert weeks[0] == ("2023-12-31", True)
    assert weeks[-1] == ("2024-05-12", False)
    assert of(table, "month", "mailed_customers", "every_period_open_rate", "is_complete") == [
        ("2024-01-01", 1, 0.0, True),
        ("2024-02-01", 1, 0.0, True),
        ("2024-03-01", 1, 0.0, True),
        ("2024-04-01", 0, None, True),
        ("2024-05-01", 0, None, False),
    ]


def test_days_after_the_horizon_are_not_known_yet() -> None:
    rows = [mail("delivered", "2024-01-01 10:00"), mail("opened", "2024-01-02 10:00")]
    table = habit(*rows, through="2024-01-01")
    assert of(table, "month") == [("2024-01-01", 1, 0, 0)]
    assert of(table, "day") == [("2024-01-01", 1, 0, 0)]
    assert collected(habit(*rows, through="2023-12-31"), EmailHabit).is_empty()


def test_a_month_can_be_made_from_the_months_around_it() -> None:
    rows = [
        mail("delivered" + " opened" * (number % 3 == 0), f"2024-{month:02}-{date:02} 10:00", user)
        for number, (month, date, user) in enumerate(
            (month, date, user)
            for month in range(1, 8)
            for date in (1, 9, 28)
            for user in ("ada", "bob", "cid")
            if (month + date) % 4 != 1
        )
    ]
    days = mails(*rows)
    settings: dict[str, Any] = {"week_start": "sunday", "data_through": day("2024-08-20")}
    whole = collected(email_habit(days, mail_starts(days), **settings), EmailHabit)
    for month in range(3, 8):
        near = days.filter(pl.col("event_date").dt.month().is_between(month - 2, month + 1))
        part = collected(email_habit(near, mail_starts(days), **settings), EmailHabit)
        of_month = pl.col("period_start").dt.month() == month
        assert part.filter(of_month).rows() == whole.filter(of_month).rows()
