"""``tidemark quarantine``: which rows and files were refused, why, and what some of them say."""

import sys
from typing import Any

import orjson
import polars as pl

from pipelines.commands.console import console
from pipelines.errors import TidemarkError
from pipelines.home import Home
from pipelines.landing.nearest import nearest
from pipelines.landing.sources import SOURCES
from pipelines.refusals import (
    Wanted,
    by_day,
    counted,
    distinct_rows,
    refused_files,
    refused_rows,
    samples,
    waiting_rows,
)
from pipelines.session import Session, reading

_WIDTH = 120
_KINDS = {"file refused": refused_files, "row refused": refused_rows, "waiting": waiting_rows}


def show_quarantine(
    home: Home, source: str | None, wanted: Wanted, *, count: int, as_json: bool
) -> None:
    """Print what was refused, of one source or of all."""
    sources = [known_source(source)] if source else list(SOURCES)
    with reading(home) as session:
        if as_json:
            for name in sources:
                _write_json(session, name, wanted)
            return
        found = [_show_source(session, name, wanted, count) for name in sources]
    if not any(found):
        of = f" of {source}" if source else ""
        asked = " that was asked for" if wanted != Wanted() else ""
        console.print(f"nothing{of}{asked} is in quarantine")


def known_source(name: str) -> str:
    """The name, where it is a source's. Raises TidemarkError where it is none."""
    if name not in SOURCES:
        near = nearest(name, list(SOURCES), 0.6)
        hint = f" (did you mean {near}?)" if near else ""
        raise TidemarkError(f"there is no source {name}{hint}; there are: {', '.join(SOURCES)}")
    return name


def _show_source(session: Session, source: str, wanted: Wanted, count: int) -> bool:
    """Print one source; whether there was anything."""
    files, rows, waiting = (wanted.of(find(session, source)) for find in _KINDS.values())
    refused = files.sort("landing_date", "file").collect()
    by_reason, awaited = counted(rows), counted(waiting)
    if not (refused.height or by_reason.height or awaited.height):
        return False
    row_count, file_count = distinct_rows(rows)
    console.print(
        f"{source}: {refused.height:,} files refused, {row_count:,} rows refused in "
        f"{file_count:,} files, {awaited['rows'].sum():,} rows waiting"
    )
    for day, file, reason in refused.select("landing_date", "file", "reason").iter_rows():
        _say(f"  file refused: {source}/{day}/{file}: {reason}")
    for reason in by_reason.iter_rows(named=True):
        _show_reason(source, rows, reason, "refused", count)
    if by_reason["rows"].sum() > row_count:
        console.print("  a row with several reasons is counted under each of them")
    for reason in awaited.iter_rows(named=True):
        _show_reason(source, waiting, reason, "waiting", count)
    if awaited.height:
        console.print("  what waits comes back by itself when exchange_rates has a rate")
    return True


def _show_reason(
    source: str, rows: pl.LazyFrame, of: dict[str, Any], what: str, count: int
) -> None:
    days = str(of["first"]) if of["first"] == of["last"] else f"{of['first']} to {of['last']}"
    _say(f"  {what} {of['rows']:,} in {of['files']:,} files, landed {days}: {of['reason']}")
    for row in samples(rows, of["reason"], of["last"], count).iter_rows(named=True):
        place = f"    {source}/{row['landing_date']}/{row['file']}:{row['line']}"
        _say(place if row["raw"] is None else _cut(f"{place}  {row['raw']}"))


def _say(text: str) -> None:
    console.print(_printable(text))


def _printable(text: str) -> str:
    """The text without what moves a terminal's cursor or colours it."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def _cut(text: str) -> str:
    said = _printable(text)
    return said if len(said) <= _WIDTH else f"{said[: _WIDTH - 3]}..."


def _write_json(session: Session, source: str, wanted: Wanted) -> None:
    """One JSON object per refused row or file; landing dates in order, one at a time."""
    for kind, find in _KINDS.items():
        for rows in by_day(wanted.of(find(session, source))):
            for row in rows.iter_rows(named=True):
                said = {"source": source, "kind": kind, **row}
                sys.stdout.write(orjson.dumps(said).decode() + "\n")
