"""What a sample can be asked for, and what it cannot."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal, get_args

FileFormat = Literal[
    "mixed", "ndjson", "ndjson.gz", "ndjson.zst", "csv", "csv.gz", "csv.zst", "parquet"
]

# A fixed day, so that the same seed gives the same bytes today and next year.
LAST_DAY = date(2025, 3, 31)
_FIRST_ALLOWED_DAY = date(1971, 1, 1)
_LAST_ALLOWED_DAY = date(2099, 12, 31)
_HIGHEST_DIRT = 0.08


@dataclass(frozen=True)
class Options:
    """The size and shape of a sample.

    ``users`` sign up or are about to; a tenth as many visitors come and never do. ``events`` are
    the active events of people, exactly; mail, advertisements, machines and dirt come on top.
    Without it there are eight per person and active day. ``dirt`` is the share of late rows; half
    as many rows come twice, and half as many are malformed.
    """

    days: int = 90
    users: int = 2000
    seed: int = 7
    last_day: date = LAST_DAY
    events: int | None = None
    dirt: float = 0.01
    file_format: FileFormat = "mixed"

    def __post_init__(self) -> None:
        if self.days < 1:
            raise ValueError(f"days must be 1 or more; it is {self.days}")
        if not 1 <= self.users <= 2**31:
            raise ValueError(f"users must be from 1 to {2**31}; it is {self.users}")
        if self.events is not None and self.events < 1:
            raise ValueError(f"events must be 1 or more; it is {self.events}")
        if not 0 <= self.dirt <= _HIGHEST_DIRT:
            raise ValueError(f"dirt must be from 0 to {_HIGHEST_DIRT}; it is {self.dirt}")
        if self.file_format not in get_args(FileFormat):
            allowed = ", ".join(get_args(FileFormat))
            raise ValueError(f"file_format must be one of {allowed}; it is {self.file_format!r}")
        if not _FIRST_ALLOWED_DAY <= self.last_day <= _LAST_ALLOWED_DAY:
            raise ValueError(
                f"last_day must lie from {_FIRST_ALLOWED_DAY} to {_LAST_ALLOWED_DAY};"
                f" it is {self.last_day}"
            )
        if self.days > (self.last_day - _FIRST_ALLOWED_DAY).days + 1:
            raise ValueError(
                f"days must not reach back before {_FIRST_ALLOWED_DAY}; {self.days} days that"
                f" end on {self.last_day} do"
            )

    @property
    def first_day(self) -> date:
        """The first event day, and the first landing date."""
        return self.last_day - timedelta(days=self.days - 1)

    @property
    def visitors(self) -> int:
        """People who never sign up."""
        return -(-self.users // 10)

    def date(self, day: int) -> date:
        """The date of a day that is counted from 0."""
        return self.first_day + timedelta(days=day)
