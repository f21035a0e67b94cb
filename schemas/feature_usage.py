"""Use of features by day, week and month."""

import polars as pl

from schemas.base import DO_NOT_SUM_DAYS, Table, column, count, share, table

_LAST_DAY = (
    pl.when(pl.col("grain") == "day")
    .then("period_start")
    .when(pl.col("grain") == "week")
    .then(pl.col("period_start").dt.offset_by("6d"))
    .otherwise(pl.col("period_start").dt.month_end())
)


@table(
    grain="one row per day, week or month, feature, dimension and segment",
    key=["grain", "period_start", "feature", "dimension", "segment"],
    slice_by="period_start",
    warnings=[
        DO_NOT_SUM_DAYS,
        "Do not sum over features either: who used two of them is in both rows.",
    ],
    rules=[
        (
            "feature_users is above active_users",
            pl.col("feature_users") <= pl.col("active_users"),
        ),
        ("feature_users is above events", pl.col("feature_users") <= pl.col("events")),
        (
            "the period ended before the feature was first seen",
            pl.col("first_seen_date") <= _LAST_DAY,
        ),
    ],
)
class FeatureUsage(Table):
    """Active events that name a feature, and the people behind them.

    A feature stands here from the period of its first use in the segment to the running one, with
    zeros where nobody used it; a segment in which it was never used has no rows of it. An event is
    in the segment of its own values, its plan that of the person at the day's end. The audience is
    everybody active in the period and segment, also of the days before a feature was launched: in
    the period that holds ``first_seen_date`` the rate is lower for that.
    """

    grain: pl.String = column("Length of the period", isin=["day", "week", "month"])
    period_start: pl.Date = column("First day of the period")
    feature: pl.String = column("Feature that the events name")
    dimension: pl.String = column("What segment is a value of, by the setting dimensions, or all")
    segment: pl.String = column("Value of the dimension, or all")
    events: pl.Int64 = count("Active events of the feature in the period", unit="events")
    feature_users: pl.Int64 = count(
        "People with such an event in the segment", unit="people", warning=DO_NOT_SUM_DAYS
    )
    active_users: pl.Int64 = count(
        "People active in the period and segment, as in active_users_daily and "
        "active_users_periodic",
        unit="people",
        warning=DO_NOT_SUM_DAYS,
    )
    adoption_rate: pl.Float64 = share(
        "Share of the active people who used the feature; null when nobody was active",
        formula="feature_users / active_users",
    )
    first_seen_date: pl.Date = column(
        "Day on which anybody used the feature for the first time, in whatever segment"
    )
    is_complete: pl.Boolean = column("The period's last day is not after data_through")
