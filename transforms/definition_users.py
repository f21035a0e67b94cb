"""Spine: when each person did a retention definition's start event for the first time."""

import polars as pl

from schemas.base import ALL

_PERSON = ["definition", "user_id"]


def definition_users(
    definition_months: pl.LazyFrame, definition_users: pl.LazyFrame
) -> pl.LazyFrame:
    """People whose first start event lies in the months handed in, with its segments.

    ``definition_users`` are this table's own rows of all earlier months.
    """
    first_bit = pl.col("start_days") & -pl.col("start_days")
    starts = definition_months.filter(pl.col("start_days") != 0).select(
        *_PERSON,
        "dimension",
        "segment",
        first_date=pl.col("month") + pl.duration(days=first_bit.bitwise_trailing_zeros()),
    )
    first = (
        starts.filter(pl.col("dimension") == ALL)
        .join(definition_users.filter(pl.col("dimension") == ALL), on=_PERSON, how="anti")
        .group_by(_PERSON)
        .agg(pl.col("first_date").min())
    )
    # The segment in which the very first start event fell has its own first one on that day.
    return starts.join(first, on=[*_PERSON, "first_date"], how="semi").select(
        pl.col("first_date").dt.month_start().alias("first_month"),
        "definition",
        "dimension",
        "segment",
        "user_id",
        "first_date",
    )
