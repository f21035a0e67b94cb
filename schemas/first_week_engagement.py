"""What new people do in their first seven days."""

import polars as pl

from schemas.base import Table, column, count, share, table


@table(
    grain="one row per day of first activity",
    key=["cohort_date"],
    slice_by="cohort_date",
    rules=[
        (
            "cohort_users is not returned_users + dropped_users",
            pl.col("cohort_users") == pl.sum_horizontal("returned_users", "dropped_users"),
        ),
        (
            "key_feature_users is above cohort_users",
            pl.col("key_feature_users") <= pl.col("cohort_users"),
        ),
    ],
)
class FirstWeekEngagement(Table):
    """People by the day of their first activity, day 0, and what they did until day 6.

    A first week that has not ended shows what there is so far, marked as not complete.
    """

    cohort_date: pl.Date = column("Day of the first activity")
    cohort_users: pl.Int64 = count("People first active on the day", unit="people")
    returned_users: pl.Int64 = count("Those active again on days 1 to 6", unit="people")
    dropped_users: pl.Int64 = count(
        "Those not active on days 1 to 6", unit="people", formula="cohort_users - returned_users"
    )
    dropout_rate: pl.Float64 = share(
        "Share with no activity on days 1 to 6", formula="dropped_users / cohort_users"
    )
    active_user_days: pl.Int64 = count("Active days on days 0 to 6, over everybody", unit="days")
    mean_active_days: pl.Float64 = column(
        "Active days per person on days 0 to 6",
        unit="days",
        formula="active_user_days / cohort_users",
        nullable=True,
        ge=1.0,
        le=7.0,
    )
    key_feature_users: pl.Int64 = count(
        "People who used a key feature (setting key_features) on days 0 to 6", unit="people"
    )
    key_feature_rate: pl.Float64 = share(
        "Share that used a key feature on days 0 to 6; 0 where none is named",
        formula="key_feature_users / cohort_users",
    )
    is_complete: pl.Boolean = column("Day 6 is not after data_through")
