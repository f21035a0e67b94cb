"""What readers see: the published files of one publication, and nothing else."""

import json
from collections.abc import Mapping
from datetime import date
from functools import cached_property
from pathlib import Path

import polars as pl

CONTENTS = "publication.json"
LEDGER = "ingest_ledger"


class Published:
    """The folder of one publication."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        said = json.loads((folder / CONTENTS).read_bytes())
        self.id: str = said["publication"]
        self.data_through: Mapping[str, date] = {
            name: date.fromisoformat(table["data_through"])
            for name, table in said["tables"].items()
        }

    def scan(self, table: str) -> pl.LazyFrame | None:
        """A table as readers see it; None where it is not published."""
        path = self._folder / f"{table}.parquet"
        return pl.scan_parquet(path) if path.exists() else None

    @cached_property
    def landed_sources(self) -> frozenset[str]:
        """Sources of which files have landed, as the ledger tells."""
        ledger = self.scan(LEDGER)
        if ledger is None:
            return frozenset()
        return frozenset(ledger.select(pl.col("source").unique()).collect()["source"])

    def why_missing(self, table: str, source: str, empty: str = "") -> str:
        """Why a section that needs a table, and rows of a source, has nothing to show.

        ``empty`` is what it means where the table is there and no row of it can be shown.
        """
        if source and source not in self.landed_sources:
            return f"no files of the source {source} have landed."
        if self.scan(table) is None:
            return f"the table {table} has not been built and published yet."
        return empty or f"the table {table} is published and has no row that could be shown."
