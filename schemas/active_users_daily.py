"""Active users by day."""

import polars as pl

from schemas.base import DO_NOT_SUM_DAYS, Table, column, count, share, table

_PAYING = (
    "By customers' own country and plan; null on dimensions that customers do not have, zero "
    "where there are no subscriptions."
)


@table(
    grain="one row per day, dimension and segment",
    key=["date", "dimension", "segment"],
    slice_by="date",
    warnings=[DO_NOT_SUM_DAYS],
    rules=[
        (
            "dau is not new_users + returning_users",
            pl.col("dau") == pl.sum_horizontal("new_users", "returning_users"),
        ),
        ("wau or mau is below dau", pl.min_horizontal("wau", "mau") >= pl.col("dau")),
    ],
)
class ActiveUsersDaily(Table):
    """Distinct people with an active event on a day, and in the windows that end on it."""

    date: pl.Date = column("Day in the reporting time zone")
    dimension: pl.String = column("What segment is a value of, by the setting dimensions, or all")
    segment: pl.String = column("Value of the dimension, or all")
    dau: pl.Int64 = count("Daily active users", unit="people")
    wau: pl.Int64 = count(
        "Weekly active users: active in the trailing window of wau_window_days (7), the day "
        "included",
        unit="people",
    )
    mau: pl.Int64 = count(
        "Monthly active users: active in the trailing window of mau_window_days (28), the day "
        "included",
        unit="people",
    )
    days_in_window: pl.Int64 = column(
        "Days of history that really stand behind mau", unit="days", ge=1, le=31
    )
    stickiness_ratio: pl.Float64 = share(
        "How much of the month's audience comes on the day", formula="dau / mau"
    )
    new_users: pl.Int64 = count("People whose first active day in the segment it is", unit="people")
    returning_users: pl.Int64 = count(
        "People who were active in the segment before",
        unit="people",
        formula="dau - new_users",
    )
    paying_users: pl.Int64 = count(
        "People who pay for a subscription at the day's end",
        warning=_PAYING,
        nullable=True,
        unit="people",
    )
    active_paying_users: pl.Int64 = count(
        "Those of them with an active event on the day, in whatever segment",
        warning=_PAYING,
        nullable=True,
        unit="people",
    )
    monthly_active_paying_users: pl.Int64 = count(
        "Those of them with an active event in the window of mau, in whatever segment",
        warning=_PAYING,
        nullable=True,
        unit="people",
    )
    active_to_paying_ratio: pl.Float64 = column(
        "People of the day for one who pays; above 1 where many use without paying",
        unit="fraction",
        formula="dau / paying_users",
        nullable=True,
        ge=0.0,
    )
    mau_to_paying_ratio: pl.Float64 = column(
        "The month's audience for one who pays; above 1 where many use without paying",
        unit="fraction",
        formula="mau / paying_users",
        nullable=True,
        ge=0.0,
    )
    paying_active_rate: pl.Float64 = share(
        "Share of those who pay that came on the day",
        formula="active_paying_users / paying_users",
    )
    paying_mau_rate: pl.Float64 = share(
        "Share of those who pay that came in the window of mau",
        formula="monthly_active_paying_users / paying_users",
    )
    is_complete: pl.Boolean = column("The day is not after data_through: always so")
