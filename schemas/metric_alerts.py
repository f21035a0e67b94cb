"""Alerts: numbers of a day that their own history did not let expect."""

import polars as pl

# By its module: this table has a column named table.
from schemas import base
from schemas.base import Table, column


@base.table(
    grain="one row per day, table, metric and row of that table whose value was not expected",
    key=["date", "table", "metric", "row_key"],
    warnings=[
        "An alert says that a day is unlike the days before it, not that it is wrong: campaigns, "
        "holidays and outages all look like this.",
    ],
    rules=[
        (
            "a value lies inside of what was expected",
            pl.when(pl.col("direction") == "high")
            .then(pl.col("value") > pl.col("expected_high"))
            .otherwise(pl.col("value") < pl.col("expected_low")),
        ),
        (
            "what was expected is not in order",
            (pl.col("expected_low") <= pl.col("expected_value"))
            & (pl.col("expected_value") <= pl.col("expected_high")),
        ),
        ("an alert began after its day", pl.col("first_date") <= pl.col("date")),
    ],
)
class MetricAlerts(Table):
    """Days of daily tables, and of what landed, that fell out of what was known before them.

    Which numbers are watched stands in ``transforms/alert_metrics.py``: those of everybody, and
    the rows that landed of each source, where a day without files between two with some counts as
    zero. Every complete day is judged by nothing but the days before it, so that an alert never
    depends on when the run was made.

    What is expected of a day is the median of the same weekday in the eight weeks before (four of
    them known at least), moved by the median of what the seven days before it (four at least) lay
    beside the same of theirs: weekdays, growth and a new level are no alarm for long. The spread is
    1.4826 times the median distance between value and expectation in the 56 days before (28 at
    least), which is the standard deviation where errors are normal, and which a few wild days do
    not move. It is reckoned on a scale on which chance alone has one spread whatever the size:
    ``2 * sqrt(x + 3/8)`` of a count (Anscombe 1948), ``2 * asin(sqrt(x))`` of a share. It is never
    taken to be less than that of chance, which is 1 for a count and ``1 / sqrt(denominator)`` for a
    share: so numbers that were the same for weeks, and small ones, are no alarm by one more.
    Alarming is what lies further off than ``alert_deviations`` spreads and than
    ``alert_min_change`` of what was expected. The first two months of a number are not judged.

    How often published data sets, in which nothing is known to be wrong, give an alert is told by
    ``python -m benchmarks.alerts HOME``.
    """

    date: pl.Date = column("Day of the number: of what landed, the landing date")
    table: pl.String = column("Table that holds the number")
    metric: pl.String = column("Column of it; of ingest_ledger, its sum over the files of the day")
    row_key: pl.String = column(
        "The row's whole key, as JSON; of ingest_ledger, landing date and source"
    )
    value: pl.Float64 = column("What the metric was on the day", unit="that of the metric")
    expected_value: pl.Float64 = column(
        "What the days before let expect", unit="that of the metric", ge=0.0
    )
    expected_low: pl.Float64 = column(
        "Least value that is no alarm", unit="that of the metric", ge=0.0
    )
    expected_high: pl.Float64 = column(
        "Largest value that is no alarm", unit="that of the metric", ge=0.0
    )
    outside: pl.Float64 = column(
        "How far the value lies outside: above zero above it, below zero below it",
        unit="that of the metric",
        formula="value - expected_high, or value - expected_low",
    )
    deviations: pl.Float64 = column(
        "Distance from what was expected in spreads, on the scale of the judgement", unit="spreads"
    )
    direction: pl.String = column("Above or below what was expected", isin=["high", "low"])
    first_date: pl.Date = column(
        "First of the unbroken days on which the same number was out in the same direction"
    )
    history_days: pl.Int64 = column(
        "Days from whose errors the spread was taken", unit="days", ge=1
    )
    is_complete: pl.Boolean = column("The day is complete in the table: always so")
