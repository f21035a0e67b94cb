"""Spine: since when each feature has been used, overall and in each segment."""

import polars as pl

from schemas.base import Table, column, table


@table(
    grain="one row per feature, dimension and segment",
    key=["feature", "dimension", "segment"],
    slice_by="first_month",
    order=["first_month", "feature", "dimension", "segment"],
    published=False,
)
class FeatureSegments(Table):
    """The first day on which anybody used a feature in a segment, filed under its month."""

    first_month: pl.Date = column("Month of the first use")
    feature: pl.String = column("Feature that events name")
    dimension: pl.String = column("Dimension, or all")
    segment: pl.String = column("Value of the dimension, or all")
    first_date: pl.Date = column("First day on which the feature was used in the segment")
