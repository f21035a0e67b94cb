"""What each file brought, counted while its rows are judged."""

from datetime import timedelta
from pathlib import Path

import polars as pl

from pipelines.landing.door import LetIn
from pipelines.landing.sources import Source

_REFUSED = "\0refused"
ARRIVED = "\0arrived"
COUNTED = (
    "raw_rows",
    "filtered_rows",
    "forgotten_rows",
    "read_rows",
    "landed_rows",
    "quarantined_rows",
    "late_1d_rows",
    "late_7d_rows",
    "late_30d_rows",
    "future_rows",
)


def count_rows(raw: pl.DataFrame, made: pl.DataFrame, found: LetIn, source: Source) -> pl.DataFrame:
    """Counts per file: of the raw rows, and of what became of the rows that were made of them."""
    table = found.table
    whole = _per_file(raw, raw_rows=pl.len())
    whole = whole.join(_per_file(made, made_rows=pl.len()), on="intake", how="left")
    broken = _per_file(found.rows.broken, broken=pl.len())
    forgotten = _per_file(
        found.turned_away, forgotten=pl.len(), forgotten_broken=pl.col("is_broken").sum()
    )
    landed = ~pl.col(_REFUSED)
    judged = _per_file(
        table.with_columns(found.refused.alias(_REFUSED)),
        kept=pl.len(),
        landed_rows=landed.sum(),
        **{
            f"late_{days}d_rows": (landed & _is_late(source, table, timedelta(days=days))).sum()
            for days in (1, 7, 30)
        },
        future_rows=(pl.col("event_date") > pl.col("landing_date")).sum(),
    )
    joined = whole.join(broken, on="intake", how="full", coalesce=True)
    joined = joined.join(forgotten, on="intake", how="full", coalesce=True)
    joined = joined.join(judged, on="intake", how="left").fill_null(0)
    return joined.select(
        "intake",
        raw_rows=pl.sum_horizontal("raw_rows", "broken", "forgotten_broken"),
        filtered_rows=pl.sum_horizontal("made_rows", "forgotten_broken")
        - pl.sum_horizontal("kept", "forgotten"),
        forgotten_rows="forgotten",
        read_rows=pl.col("kept") + pl.col("broken"),
        landed_rows="landed_rows",
        quarantined_rows=pl.col("kept") - pl.col("landed_rows") + pl.col("broken"),
        late_1d_rows="late_1d_rows",
        late_7d_rows="late_7d_rows",
        late_30d_rows="late_30d_rows",
        future_rows="future_rows",
    )


def notices_of_forgotten(folder: Path, receipts: pl.DataFrame) -> list[str]:
    """Notices of files below a folder that hold rows of people who were forgotten."""
    theirs = receipts.filter(pl.col("forgotten_rows") > 0)
    return [
        f"{folder / str(day) / file} holds {count:,} rows of people who were forgotten; none was "
        "taken in: `tidemark forget --sweep` takes them out"
        for day, file, count in theirs.select("landing_date", "file", "forgotten_rows").rows()
    ]


def _per_file(rows: pl.DataFrame, **counts: pl.Expr) -> pl.DataFrame:
    totals = {name: count.cast(pl.Int64) for name, count in counts.items()}
    return rows.group_by("intake").agg(**totals)


def _is_late(source: Source, table: pl.DataFrame, delay: timedelta) -> pl.Expr:
    """Whether a row was received so long after it happened; of days, after the day began."""
    if not source.is_late:
        return pl.lit(False)
    happened = pl.coalesce(
        pl.col(name).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
        if table.schema[name] == pl.Date
        else pl.col(name)
        for name in source.happened
    )
    return pl.col(source.received or ARRIVED) - happened >= delay
