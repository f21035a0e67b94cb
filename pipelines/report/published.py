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

    def why_missing(self, table: str, source: str) -> str:
        """Why a section that needs a table has nothing to show."""
        if self.scan(table) is not None:
            return f"{table} has no rows that could be shown."
        if source in self.landed_sources:
            return f"{table} has not been built and published yet."
        return f"No files of the source {source} have landed."
