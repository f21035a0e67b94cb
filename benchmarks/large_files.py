"""Large files of events as sites export them: one landing date, made-up and the same every time."""

import gzip
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.parquet as pq

LANDING_DATE = date(2026, 6, 30)
_ROWS_AT_ONCE = 250_000
_AGENTS = [
    f"Mozilla/5.0 ({system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{version}.0.0.0"
    for system in ("Windows NT 10.0; Win64; x64", "X11; Linux x86_64", "Linux; Android 15; K")
    for version in (128, 131, 137, 140)
]
_NAMES = ["page_view"] * 6 + ["page_ping", "click", "search", "feature_used", "purchase"]


def write_large_file(folder: Path, form: str, unpacked_bytes: int, days: int) -> Path:
    """Write about so many bytes, unpacked, of events on so many days up to the landing date.

    ``form`` is the ending of the file: ndjson, csv.gz or parquet (which holds the same rows).
    """
    path = folder / str(LANDING_DATE) / f"export.{form}"
    path.parent.mkdir(parents=True, exist_ok=True)
    if form == "parquet":
        _write_parquet(path, unpacked_bytes, days)
        return path
    with gzip.open(path, "wb", 1) if form.endswith(".gz") else path.open("wb") as stream:
        written, number = 0, 0
        while written < unpacked_bytes:
            text = _text(_events(number, days), form, header=number == 0)
            stream.write(text)
            written, number = written + len(text), number + 1
    return path


def _write_parquet(path: Path, unpacked_bytes: int, days: int) -> None:
    writer, written, number = None, 0, 0
    while written < unpacked_bytes:
        events = _events(number, days).with_columns(pl.col("properties").struct.json_encode())
        table = events.to_arrow(compat_level=pl.CompatLevel.oldest())
        writer = writer or pq.ParquetWriter(path, table.schema, compression="zstd")
        writer.write_table(table)
        # As many rows as the NDJSON has.
        written, number = written + len(_text(_events(number, days), "ndjson")), number + 1
    if writer:
        writer.close()


def _text(events: pl.DataFrame, form: str, *, header: bool = False) -> bytes:
    if form.startswith("csv"):
        flat = events.with_columns(pl.col("properties").struct.json_encode())
        return flat.write_csv(include_header=header).encode()
    return events.write_ndjson().encode()


def _events(number: int, days: int) -> pl.DataFrame:
    """Some events: two of a hundred without an id, as hand-made exports have them."""
    dice = np.random.default_rng(number)
    count = _ROWS_AT_ONCE
    last = datetime(LANDING_DATE.year, LANDING_DATE.month, LANDING_DATE.day, tzinfo=UTC)
    seconds = pl.Series(dice.integers(0, days * 86_400, count) * 1_000_000)
    ends = last + timedelta(days=1)
    users = pl.Series(dice.integers(0, 400_000, count))
    pages = pl.Series(dice.integers(0, 5_000, count))
    ids = pl.Series(dice.integers(0, 2**62, count))
    frame = pl.DataFrame(
        {
            "name": pl.Series(_NAMES).gather(dice.integers(0, len(_NAMES), count)),
            "agent": pl.Series(_AGENTS).gather(dice.integers(0, len(_AGENTS), count)),
            "country": pl.Series(["DE", "FR", "US", "GB"]).gather(dice.integers(0, 4, count)),
            "ago": seconds,
            "user": users,
            "page": pages,
            "id": ids,
            "lacks_id": pl.Series(dice.random(count) < 0.02),
        }
    )
    moment = pl.lit(ends) - pl.col("ago").cast(pl.Duration("us")) - pl.duration(microseconds=1)
    page = pl.concat_str(pl.lit("/articles/"), pl.col("page").cast(pl.String))
    return frame.select(
        event_id=pl.when(~pl.col("lacks_id")).then(pl.format("ev-{}", "id")),
        event_name="name",
        event_ts=moment.dt.to_string("%Y-%m-%dT%H:%M:%S%.6fZ"),
        user_id=pl.format("user-{}", "user"),
        anonymous_id=pl.format("device-{}", pl.col("user") * 7),
        session_id=pl.format("s-{}-{}", "user", "page"),
        platform=pl.lit("web"),
        country="country",
        page_url=pl.concat_str(pl.lit("https://www.example.com"), page),
        page_title=pl.format("Article number {} of the magazine", "page"),
        referrer=pl.lit("https://www.google.com/"),
        user_agent="agent",
        properties=pl.struct(
            article=pl.col("page"),
            position=pl.col("user") % 40,
            experiment=pl.format("variant-{}", pl.col("user") % 4),
        ),
    )
