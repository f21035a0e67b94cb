"""What was refused, for people: which reasons, how many rows of which files, and samples."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import polars as pl

from pipelines import registry
from pipelines.session import Session
from pipelines.warehouse.specs import SourceTables
from transforms.fates import ARRIVAL, AWAITING_RATE
from transforms.ingest_ledger import FACTS

_JOINED = "; "
_FILE = ["landing_date", "file"]
_SHAPE = {
    "landing_date": pl.Date(),
    "file": pl.String(),
    "line": pl.Int64(),
    "item": pl.Int64(),
    "reason": pl.String(),
    "raw": pl.String(),
}


@dataclass(frozen=True)
class Wanted:
    """Which refusals are asked for: of one landing date, or whose reason contains a text."""

    landing_date: date | None = None
    reason: str = ""

    def of(self, refusals: pl.LazyFrame) -> pl.LazyFrame:
        """Those of the refusals that are asked for."""
        if self.landing_date:
            refusals = refusals.filter(landing_date=self.landing_date)
        if self.reason:
            said = pl.col("reason").str.to_lowercase()
            refusals = refusals.filter(said.str.contains(self.reason.lower(), literal=True))
        return refusals


def refused_rows(session: Session, source: str) -> pl.LazyFrame:
    """Refused rows of a source, once under each of their reasons."""
    rows = session.scan(SourceTables(source).quarantine).filter(pl.col("line") > 0)
    each = rows.with_columns(reason=pl.col("reasons").str.split(_JOINED)).explode("reason")
    return each.select(*_SHAPE)


def refused_files(session: Session, source: str) -> pl.LazyFrame:
    """Files of a source that were refused as a whole, with their one reason."""
    files = session.scan(SourceTables(source).quarantine).filter(line=0)
    return files.rename({"reasons": "reason"}).select(*_SHAPE)


def waiting_rows(session: Session, source: str) -> pl.LazyFrame:
    """Accepted rows of a source whose money waits for an exchange rate."""
    fact = FACTS.get(source, "")
    if fact not in registry.FILINGS or "currency" not in registry.FILINGS[fact].schema:
        return pl.LazyFrame(schema=_SHAPE)
    rows = session.scan(fact).filter(fate=AWAITING_RATE)
    said = pl.format("no rate of {} on the day or in the seven days before", "currency")
    return rows.select(*ARRIVAL, reason=said, raw=pl.lit(None, pl.String))


def counted(refusals: pl.LazyFrame) -> pl.DataFrame:
    """Rows, files, first and last landing date of each reason, the most frequent first."""
    by_day = refusals.group_by("reason", "landing_date").agg(
        rows=pl.len(), files=pl.col("file").n_unique()
    )
    by_reason = by_day.group_by("reason").agg(
        pl.col("rows", "files").sum(),
        first=pl.col("landing_date").min(),
        last=pl.col("landing_date").max(),
    )
    return by_reason.sort("rows", "reason", descending=[True, False]).collect()


def distinct_rows(refusals: pl.LazyFrame) -> tuple[int, int]:
    """How many rows, and files, there are when each is counted once."""
    rows = refusals.select(*ARRIVAL).unique()
    files = rows.select(_FILE).unique()
    counts = [each.select(pl.len()) for each in (rows, files)]
    rows_found, files_found = (int(found.item()) for found in pl.collect_all(counts))
    return rows_found, files_found


def samples(refusals: pl.LazyFrame, reason: str, last: date, count: int) -> pl.DataFrame:
    """Up to ``count`` rows of a reason, from the last landing date that has any."""
    rows = refusals.filter(reason=reason, landing_date=last)
    return rows.sort("file", "line", "item").head(count).collect()


def by_day(refusals: pl.LazyFrame) -> Iterator[pl.DataFrame]:
    """The refusals of each landing date: each row once, with its ``reasons`` as a list."""
    days = refusals.select(pl.col("landing_date").unique().sort()).collect()
    for day in days["landing_date"]:
        rows = refusals.filter(landing_date=day).collect().sort("file", "line", "item")
        together = rows.group_by(ARRIVAL, maintain_order=True)
        yield together.agg(pl.col("reason").sort().alias("reasons"), pl.col("raw").first())
