"""Who comes back, by the period in which they came first."""

import polars as pl

from schemas.base import DO_NOT_SUM_DAYS, Table, column, count, share, table


@table(
    grain="one row per definition, cohort, period since, dimension and segment",
    key=["definition", "grain", "cohort_start", "period_index", "dimension", "segment"],
    warnings=[
        DO_NOT_SUM_DAYS,
        "Cells that are not complete still grow; periods that have not begun have no row.",
    ],
    rules=[
        (
            "active_users or rolling_users exceeds cohort_users",
            pl.max_horizontal("active_users", "rolling_users") <= pl.col("cohort_users"),
        ),
    ],
)
class CohortRetention(Table):
    """Who of a cohort came back in the periods after it, in calendar periods of the time zone.

    In the definition ``activity`` people enter with their first active day ever and return by any
    active event; the setting ``retentions`` adds others. A cohort's segment is the one of the
    first start event in the cohort's period; returns count whatever their segment.
    """

    definition: pl.String = column("activity, or a name from the setting retentions")
    grain: pl.String = column("Length of the periods", isin=["day", "week", "month"])
    cohort_start: pl.Date = column("First day of the period in which people entered")
    period_index: pl.Int64 = column("Periods since the cohort's own, which is 0", ge=0)
    dimension: pl.String = column("What segment is a value of, by the setting dimensions, or all")
    segment: pl.String = column("Value of the dimension at entry, or all")
    cohort_users: pl.Int64 = column("People who entered", unit="people", ge=1)
    active_users: pl.Int64 = count(
        "Those of them who returned in the period; the whole cohort at index 0", unit="people"
    )
    retention_rate: pl.Float64 = share(
        "Share of the cohort that returned in the period", formula="active_users / cohort_users"
    )
    rolling_users: pl.Int64 = count(
        "Those of them who returned in the period or a later one up to the last index; null until "
        "the last index's period has ended",
        unit="people",
        settles="when the last index's period has ended",
        nullable=True,
    )
    rolling_retention_rate: pl.Float64 = share(
        "Share of the cohort that returned in the period or later; null until the last index's "
        "period has ended",
        formula="rolling_users / cohort_users",
        settles="when the last index's period has ended",
    )
    is_complete: pl.Boolean = column("The period's last day is not after data_through")
