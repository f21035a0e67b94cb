"""What the manifest records, and what one transaction may change of it."""

from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple


class SliceKey(NamedTuple):
    """A slice of a table: its period, and the part of the period where a table has parts."""

    period: date
    part: str = ""


class Slice(NamedTuple):
    """What is recorded of a slice: what it was made from, its content, its place."""

    digest: bytes
    checksum: bytes
    rows: int
    file: int | None


class StoredFile(NamedTuple):
    """A current file of the warehouse."""

    table: str
    bucket: str
    path: str
    bytes: int
    sha256: str
    rows: int


class LandingFile(NamedTuple):
    """A landed file as it was when it was taken in."""

    bytes: int
    modified_ns: int
    sha256: str


class News(NamedTuple):
    """Why what is published next may differ: of a source's landing date, or of a table's day."""

    subject: str
    day: date
    cause: str


class Published(NamedTuple):
    """A table as it was last published: its content, and the code and settings behind it."""

    digest: bytes
    definition: bytes
    sha256: str
    rows: int
    data_through: date


@dataclass
class Change:
    """Everything that one transaction makes current."""

    files: dict[int, StoredFile] = field(default_factory=dict)
    dropped_files: set[int] = field(default_factory=set)
    slices: dict[tuple[str, SliceKey], Slice] = field(default_factory=dict)
    dropped_slices: set[tuple[str, SliceKey]] = field(default_factory=set)
    landing_dates: dict[tuple[str, date], bytes] = field(default_factory=dict)
    dropped_landing_dates: set[tuple[str, date]] = field(default_factory=set)
    landing_files: dict[tuple[str, date], dict[str, LandingFile]] = field(default_factory=dict)
    news: set[News] = field(default_factory=set)

    def records(self) -> dict[str, dict[SliceKey, Slice | None]]:
        """By table the new record of each slice, None for one that goes."""
        records: dict[str, dict[SliceKey, Slice | None]] = {}
        for table, key in self.dropped_slices:
            records.setdefault(table, {})[key] = None
        for (table, key), record in self.slices.items():
            records.setdefault(table, {})[key] = record
        return records

    def landings(self) -> set[tuple[str, date]]:
        """Sources and landing dates of which anything changes."""
        return {*self.dropped_landing_dates, *self.landing_dates, *self.landing_files}
