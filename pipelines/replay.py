"""Taking refused rows back in: what was in quarantine, and what became of it by a run.

A landing date that was read by other rules than today's is stale, and any run reads it again. One
that was read by today's rules gives the same refusals for ever, so that replaying is a run, and the
account of what it did to one quarantine.
"""

from dataclasses import dataclass

import polars as pl

from pipelines import registry
from pipelines.home import Home
from pipelines.refusals import counted, refused_rows
from pipelines.run import Report, run
from pipelines.session import Session, no_progress, reading
from pipelines.warehouse.bring_up import Progress
from pipelines.warehouse.specs import SourceTables
from transforms.fates import ARRIVAL

_TOP = 5


@dataclass(frozen=True)
class Replayed:
    """What became of a quarantine; ``report`` is None where there was nothing to do.

    ``other_rows`` are refused no more and did not land: filters leave them out, or their files
    are gone. ``newly_refused_rows`` of ``refused_rows`` were not in quarantine before: they had
    landed, or have come since. ``reasons`` are the most frequent ones of ``refused_rows``, each
    with its rows.
    """

    stale_dates: int
    rows_before: int
    files_before: int
    landed_rows: int = 0
    landed_files: int = 0
    refused_rows: int = 0
    refused_files: int = 0
    newly_refused_rows: int = 0
    other_rows: int = 0
    reasons: tuple[tuple[str, int], ...] = ()
    report: Report | None = None


def replay(home: Home, source: str, *, progress: Progress = no_progress) -> Replayed:
    """Bring a home up to date and tell what came back of the quarantine of a source."""
    with reading(home) as session:
        before = _places(session, source)
        stale = len(session.stale_landing_dates()[source])
        is_unpublished = any(news.subject == source for news in session.manifest.news)
    whole = before.filter(line=0)
    rows = before.filter(pl.col("line") > 0)
    found = Replayed(stale, rows.height, whole.height)
    if before.is_empty() and not stale and not is_unpublished:
        return found
    report = run(home, progress=progress)
    with reading(home) as session:
        after = _places(session, source)
        free = rows.join(after, on=ARRIVAL, how="anti")
        landed = free.join(_landed(session, source, free), on=ARRIVAL, how="semi").height
        still = after.filter(pl.col("line") > 0)
        counts = counted(refused_rows(session, source)).head(_TOP)
        read_again = _read(session, source, whole.join(after, on=ARRIVAL, how="anti"))
    return Replayed(
        stale,
        rows.height,
        whole.height,
        landed_rows=landed,
        landed_files=read_again,
        refused_rows=still.height,
        refused_files=after.height - still.height,
        newly_refused_rows=still.join(rows, on=ARRIVAL, how="anti").height,
        other_rows=free.height - landed,
        reasons=tuple(counts.select("reason", "rows").iter_rows()),
        report=report,
    )


def _places(session: Session, source: str) -> pl.DataFrame:
    """Where everything stands that is in quarantine."""
    return session.scan(SourceTables(source).quarantine).select(ARRIVAL).collect()


def _landed(session: Session, source: str, rows: pl.DataFrame) -> pl.DataFrame:
    """The places of accepted rows on the landing dates of the given ones."""
    tables = SourceTables(source)
    days = set(rows["landing_date"])
    slices = session.manifest.slices.get(tables.landed, {})
    keys = [key for key in slices if tables.landing_date(tables.landed, key) in days]
    scan = session.store.scan(registry.FILINGS[tables.landed], keys)
    return scan.filter(pl.col("landing_date").is_in(days)).select(ARRIVAL).collect()


def _read(session: Session, source: str, files: pl.DataFrame) -> int:
    """How many of the files have been read to their end now."""
    receipts = session.scan(SourceTables(source).receipts).filter(status="read")
    now = receipts.select("landing_date", "file").collect()
    return files.join(now, on=["landing_date", "file"], how="semi").height
