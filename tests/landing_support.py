"""Literal files in, frames out: what the tests of landing share."""

import gzip
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import zstandard

from pipelines.landing.feeds import Feed
from pipelines.landing.files import RawFile
from pipelines.landing.results import TakenIn
from pipelines.landing.sources import EVENTS, Source
from pipelines.landing.take_in import take_in

LANDED = date(2024, 3, 6)
TS = "2024-03-05T12:00:00Z"


def file(folder: Path, name: str, content: str | bytes, day: date = LANDED) -> RawFile:
    """A landed file; a name ending in .gz or .zst compresses it."""
    data = content.encode() if isinstance(content, str) else content
    if name.endswith(".gz"):
        data = gzip.compress(data, mtime=0)
    if name.endswith(".zst"):
        data = zstandard.compress(data)
    path = folder / str(day) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return RawFile(day, name, path)


def taken(
    files: Sequence[RawFile] | RawFile,
    *feeds: dict[str, Any],
    source: Source = EVENTS,
    **options: Any,
) -> TakenIn:
    """Take in events, or another source; the reporting zone is UTC unless told otherwise."""
    settings = {"timezone": "UTC", "earliest_event_date": date(2000, 1, 1)} | options
    listed = [files] if isinstance(files, RawFile) else files
    return take_in(listed, source, [Feed.model_validate(feed) for feed in feeds], **settings)


def rows(result: TakenIn, *columns: str) -> list[tuple[Any, ...]]:
    """Landed rows in the order of date, file, line and item."""
    return result.landed.sort("landing_date", "file", "line", "item").select(columns).rows()


def refused(result: TakenIn) -> list[tuple[int, str | None, str]]:
    """Line, raw text and reasons of what was refused."""
    ordered = result.quarantined.sort("landing_date", "file", "line")
    return ordered.select("line", "raw", "reasons").rows()


def receipt(result: TakenIn, *columns: str) -> dict[str, Any]:
    """The receipt of the only file."""
    (row,) = result.receipts.select(columns or pl.all()).rows(named=True)
    return row


def is_conserved(result: TakenIn) -> bool:
    """Whether every row of every receipt is accounted for, and by rows that are there."""
    r = result.receipts
    balanced = (
        (r["raw_rows"] == r["filtered_rows"] + r["forgotten_rows"] + r["read_rows"])
        & (r["read_rows"] == r["landed_rows"] + r["quarantined_rows"])
    ).all()
    refused_rows = result.quarantined.filter(pl.col("line") > 0).height
    return (
        balanced
        and result.landed.height == r["landed_rows"].sum()
        and refused_rows == r["quarantined_rows"].sum()
    )
