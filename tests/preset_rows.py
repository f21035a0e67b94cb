"""Records made after the vendors' formats, as presets take them in: what their tests share."""

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from landing_support import file, taken

from pipelines.landing.files import RawFile
from pipelines.landing.presets import load_preset
from pipelines.landing.sources import SOURCES
from pipelines.landing.take_in import TakenIn
from schemas.base import dtypes

RECORDS = Path(__file__).parent / "presets"
LANDED = date(2025, 3, 31)


def records(preset: str, name: str) -> bytes:
    """A file of records as the vendor would write it."""
    return (RECORDS / preset / name).read_bytes()


def take(preset: str, name: str, **feed: Any) -> TakenIn:
    """A file of records, taken in by its preset alone."""
    whole = RawFile(LANDED, name, RECORDS / preset / name)
    source = SOURCES[load_preset(preset).source]
    return taken(whole, {"preset": preset} | feed, source=source)


def take_text(folder: Path, preset: str, name: str, text: str | bytes, **feed: Any) -> TakenIn:
    """The same for a file that a test makes."""
    source = SOURCES[load_preset(preset).source]
    return taken(file(folder, name, text, LANDED), {"preset": preset} | feed, source=source)


def canonical(result: TakenIn, preset: str) -> list[dict[str, Any]]:
    """Landed rows in the order of their lines: every canonical column that is not null.

    Times are in UTC, and without a zone; money is text. ``properties`` are tested apart.
    """
    columns = dtypes(SOURCES[load_preset(preset).source].contract)
    rows = result.landed.sort("landing_date", "file", "line", "item").select(*columns)
    return [
        {name: _plain(value) for name, value in row.items() if value is not None}
        for row in rows.drop("properties", strict=False).iter_rows(named=True)
    ]


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.replace(tzinfo=None).isoformat(" ")
    return str(value) if isinstance(value, Decimal) else value


def reasons(result: TakenIn) -> list[str]:
    """Why rows were refused, in the order of their lines."""
    return result.quarantined.sort("line", "item")["reasons"].to_list()
