"""``tidemark status``: how fresh the home is, and what is wrong with what came in."""

from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import polars as pl
from rich.box import SIMPLE
from rich.table import Table

from pipelines import registry
from pipelines.commands.console import console
from pipelines.commands.nightly import show_nights
from pipelines.home import Home
from pipelines.landing.sources import SOURCES
from pipelines.landing.unmapped import new_columns
from pipelines.publish.restatements import LOG
from pipelines.session import Session, reading
from pipelines.warehouse.specs import SourceTables
from transforms.fates import ARRIVAL, AWAITING_RATE, COUNTS, DUPLICATE, EXCLUDED
from transforms.ingest_ledger import FACTS, TWINS

_FILES = 5


def show_status(home: Home) -> None:
    """Print the state of a home."""
    if home.forgotten.is_pending:
        console.print(home.forgotten.said())
    with reading(home) as session:
        for source in registry.SOURCES:
            _show_source(session, source)
        stale = session.stale()
        _show_tables(session, stale)
        _show_changed_meanings(session, stale)
        _show_publication(session)
        show_restatements(session.shelf.path_of(LOG))
        waiting = {name: len(days) for name, days in session.stale_landing_dates().items() if days}
    show_nights(home)
    for name, count in waiting.items():
        console.print(
            f"{name}: {count} landing dates are new or changed: `tidemark run` takes them in"
        )


def _show_source(session: Session, source: str) -> None:
    days = sorted(day for name, day in session.manifest.landing_dates if name == source)
    if not days:
        console.print(f"{source}: nothing has landed")
        return
    receipts = session.scan(SourceTables(source).receipts)
    totals = receipts.select(pl.selectors.integer().sum()).collect().row(0, named=True)
    console.print(
        f"{source}: {len(days)} landing dates from {days[0]} to {days[-1]}; "
        f"{totals['read_rows']:,} rows read, {totals['landed_rows']:,} landed, "
        f"{totals['quarantined_rows']:,} quarantined; landed a day or more late "
        f"{totals['late_1d_rows']:,}, a week {totals['late_7d_rows']:,}, "
        f"a month {totals['late_30d_rows']:,}"
    )
    gaps = _gaps(days)
    if gaps:
        console.print(f"  landing dates without files: {', '.join(gaps[:5])}{_more(gaps, 5)}")
    for new in new_columns(receipts)[-5:]:
        since = f"since {new.landing_date} ({new.file})"
        console.print(f"  no mapping uses, {since}: {new.said(SOURCES[source])}")
    _show_reasons(session, source)
    if source in FACTS:
        _show_fates(session, FACTS[source])
    if source in TWINS:
        _show_differing(session, source)


def _show_reasons(session: Session, source: str) -> None:
    quarantine = session.scan(SourceTables(source).quarantine)
    rows = quarantine.filter(pl.col("line") > 0)
    reasons = rows.with_columns(pl.col("reasons").str.split("; ")).explode("reasons")
    counts = reasons.group_by("reasons").len().sort("len", "reasons", descending=[True, False])
    for reason, count in counts.head(10).collect().iter_rows():
        console.print(f"  refused {count:,}: {reason}")
    refused = quarantine.filter(line=0).select("landing_date", "file", "reasons").collect()
    for day, file, reason in refused.sort("landing_date", "file").tail(_FILES).iter_rows():
        console.print(f"  file refused: {source}/{day}/{file}: {reason}")
    if refused.height > _FILES:
        more = refused.height - _FILES
        console.print(f"  {more:,} more files refused: `tidemark quarantine {source}` tells of all")


def _show_fates(session: Session, fact: str) -> None:
    """Accepted rows that do not count, and why."""
    rows = session.scan(fact).filter(pl.col("fate") != COUNTS).select("fate")
    fates = dict(rows.group_by("fate").len().collect().iter_rows())
    if fates.get(DUPLICATE):
        console.print(f"  duplicate {fates[DUPLICATE]:,}: another row of the same identity stands")
    if fates.get(EXCLUDED):
        console.print(f"  excluded {fates[EXCLUDED]:,}: rows of staff")
    if fates.get(AWAITING_RATE):
        waiting = session.scan(fact).filter(fate=AWAITING_RATE)
        currencies = waiting.select(pl.col("currency").unique().sort()).collect()["currency"]
        console.print(
            f"  waiting {fates[AWAITING_RATE]:,}: no rate of {', '.join(currencies)} on their day "
            "or in the seven days before; they come back when exchange_rates has one"
        )


def _show_differing(session: Session, source: str) -> None:
    """Duplicates with another content than the row that counts, which may be no duplicates."""
    twins = session.scan(TWINS[source])
    if source not in FACTS:
        count = twins.select(pl.len()).collect().item()
        if count:
            console.print(f"  duplicate {count:,}: another row of the same identity stands")
    places = twins.filter("differs").select(ARRIVAL).sort(ARRIVAL).collect()
    if places.height:
        day, file, line, _ = places.row(-1)
        console.print(
            f"  differing {places.height:,}: of these duplicates, what they say is not what the "
            f"row says that was received first; the last is {source}/{day}/{file}:{line}"
        )


def _show_tables(session: Session, stale: dict[str, int]) -> None:
    table = Table(title="Tables", title_justify="left", box=SIMPLE)
    table.add_column("table")
    for name in ("rows", "slices", "stale", "data through", "published through"):
        table.add_column(name, justify="right")
    for spec in registry.TABLES:
        slices = session.manifest.slices.get(spec.name, {})
        rows = sum(record.rows for record in slices.values())
        published = session.manifest.published.get(spec.name)
        table.add_row(
            spec.name,
            f"{rows:,}",
            f"{len(slices):,}",
            f"{stale[spec.name]:,}",
            str(session.data_through(spec) or "-"),
            str(published.data_through) if published else "-",
        )
    console.print(table)


def _show_changed_meanings(session: Session, stale: dict[str, int]) -> None:
    """Tables that a run will rebuild because they are to be computed otherwise now."""
    published, definitions = session.manifest.published, session.definitions()
    changed = [
        name
        for name, definition in definitions.items()
        if stale[name] and name in published and published[name].definition != definition
    ]
    if changed:
        console.print(
            "settings or code changed since the last publication, and `tidemark run` rebuilds "
            f"what is stale of: {', '.join(changed)}"
        )


def _show_publication(session: Session) -> None:
    since = session.shelf.turned_at
    if since is not None:
        said = f"published: {session.shelf.current_id}, unchanged since"
        console.print(f"{said} {since:%Y-%m-%d %H:%M} UTC")


def show_restatements(log: Path) -> None:
    """The last publication that changed published numbers: how many, in which tables, and why."""
    if not log.exists():
        return
    told = pl.scan_parquet(log)
    latest = told.filter(pl.col("published_at") == pl.col("published_at").max())
    counts = latest.group_by("published_at", "table", "cause").agg(
        pl.len(), first=pl.col("period_start").min(), last=pl.col("period_start").max()
    )
    rows = counts.sort("table", "cause").collect().rows(named=True)
    if rows:
        console.print(f"restated on {rows[0]['published_at']:%Y-%m-%d %H:%M} UTC:")
    for row in rows:
        console.print(
            f"  {row['table']}: {row['len']:,} numbers of {row['first']} to {row['last']}: "
            f"{row['cause']}"
        )


def _gaps(days: list[date]) -> list[str]:
    """Runs of days on which nothing landed."""
    gaps = []
    for before, after in pairwise(days):
        if after - before > timedelta(days=1):
            first, last = before + timedelta(days=1), after - timedelta(days=1)
            gaps.append(str(first) if first == last else f"{first} to {last}")
    return gaps


def _more(items: list[str], shown: int) -> str:
    return f" and {len(items) - shown} more" if len(items) > shown else ""
