"""How many people entered each retention cohort."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import polars as pl

from transforms.calendar import GRAINS
from transforms.cohorts import COHORT, entries


def cohort_sizes(
    users: pl.LazyFrame,
    definition_users: pl.LazyFrame,
    definition_months: pl.LazyFrame,
    *,
    retentions: Sequence[Mapping[str, Any]],
    week_start: str,
    data_through: date,
) -> pl.LazyFrame:
    """People per definition, grain, cohort and segment; cohorts without anybody are absent.

    A week's cohort is filed under the month in which the week starts: the inputs go one month
    further.
    """
    entered = entries(
        users,
        definition_users,
        definition_months,
        retentions=retentions,
        week_start=week_start,
        data_through=data_through,
    )
    parts = [
        entered[grain]
        .group_by(COHORT)
        .agg(cohort_users=pl.len().cast(pl.Int64))
        .select(
            "definition",
            pl.lit(grain).alias("grain"),
            "cohort_start",
            "dimension",
            "segment",
            "cohort_users",
        )
        for grain in GRAINS
    ]
    return pl.concat(parts)
