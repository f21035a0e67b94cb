"""How often people come and do something, by calendar week and month."""

import polars as pl

from schemas.base import DO_NOT_SUM_DAYS, Table, column, count, table


@table(
    grain="one row per week or month",
    key=["grain", "period_start"],
    slice_by="period_start",
    warnings=[DO_NOT_SUM_DAYS],
)
class EngagementFrequency(Table):
    """Active events and sessions, per active person and per person ever seen.

    A session counts in the period in which it starts. A customer is everybody whose first active
    day is not after the period's end: those who did not come count as zero.
    """

    grain: pl.String = column("Length of the period", isin=["week", "month"])
    period_start: pl.Date = column("First day of the period")
    events: pl.Int64 = count("Active events of the period", unit="events")
    sessions: pl.Int64 = count("Sessions that start in the period", unit="sessions")
    active_users: pl.Int64 = count("People with an active event in the period", unit="people")
    customers: pl.Int64 = count("People first active by the end of the period", unit="people")
    events_per_active_user: pl.Float64 = column(
        "Events of the average active person",
        unit="events",
        formula="events / active_users",
        nullable=True,
        ge=0.0,
    )
    sessions_per_active_user: pl.Float64 = column(
        "Sessions of the average active person",
        unit="sessions",
        formula="sessions / active_users",
        nullable=True,
        ge=0.0,
    )
    events_per_customer: pl.Float64 = column(
        "Events of the average customer, active or not",
        unit="events",
        formula="events / customers",
        nullable=True,
        ge=0.0,
    )
    sessions_per_customer: pl.Float64 = column(
        "Sessions of the average customer, active or not",
        unit="sessions",
        formula="sessions / customers",
        nullable=True,
        ge=0.0,
    )
    is_complete: pl.Boolean = column("The period's last day is not after data_through")
