"""What every churn table counts and divides, whoever it takes for a customer."""

import polars as pl

from schemas.base import Table, column, count, share


class ChurnColumns(Table):
    """What every churn table counts, and divides. Edges are the ends of months."""

    customers_start: pl.Int64 = count("Customers at the end of the month before", unit="customers")
    new_customers: pl.Int64 = count(
        "Customers at the month's end who never were at the end of a month before",
        unit="customers",
    )
    reactivated_customers: pl.Int64 = count(
        "Customers at the month's end who were not at its start, but before", unit="customers"
    )
    lost_customers: pl.Int64 = count(
        "Customers at the month's start who are none at its end", unit="customers"
    )
    customers_end: pl.Int64 = count(
        "Customers at the month's end, or at data_through if that is earlier",
        unit="customers",
        formula="customers_start + new_customers + reactivated_customers - lost_customers",
    )
    retained_customers: pl.Int64 = count(
        "Customers at both ends of the month",
        unit="customers",
        formula="customers_end - new_customers - reactivated_customers",
    )
    churn_rate: pl.Float64 = share(
        "Share of the customers at the start that was lost",
        formula="lost_customers / customers_start",
    )
    retention_rate: pl.Float64 = share(
        "Share of the customers at the start that stayed",
        formula="retained_customers / customers_start",
    )
    annualised_churn_rate: pl.Float64 = share(
        "What a year of such months would lose; null for a month that is not complete, which "
        "would be extrapolated",
        formula="1 - (1 - churn_rate)^12",
    )
    is_complete: pl.Boolean = column("The month's last day is not after data_through")


CHURN_WARNINGS = (
    "customers_start and customers_end are states: never sum them over months.",
    "A month that is not complete shows what there is on data_through: its churn is still low.",
)
CHURN_RULES = (
    (
        "customers_end is not start + new + reactivated - lost",
        pl.col("customers_end")
        == pl.col("customers_start")
        + pl.col("new_customers")
        + pl.col("reactivated_customers")
        - pl.col("lost_customers"),
    ),
    (
        "retained_customers is not start - lost",
        pl.col("retained_customers") == pl.col("customers_start") - pl.col("lost_customers"),
    ),
)
