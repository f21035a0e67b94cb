"""What was judged part by part, put together as the models of landing have it."""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from pipelines.landing.content_ids import number_occurrences
from pipelines.landing.files import RawFile
from pipelines.landing.judge import OCCURRENCE, Circumstances
from pipelines.landing.pseudonyms import without_values
from pipelines.landing.receipts import COUNTED
from pipelines.landing.rows import BROKEN
from pipelines.landing.sources import Source
from pipelines.landing.unmapped import Unmapped
from schemas.base import dtypes
from schemas.quarantine import Quarantine
from schemas.receipts import Receipts

NO_COUNTS = pl.DataFrame(schema={"intake": pl.UInt32} | dict.fromkeys(COUNTED, pl.Int64))


@dataclass(frozen=True)
class TakenIn:
    """What files brought. ``landed`` is as the source's landed model has it, in no set order.

    ``digests`` are the SHA-256 of the files as they lie on disk; ``"unreadable"`` for one that
    could not be opened. ``turned_away`` are the places of forgotten people's rows.
    """

    landed: pl.DataFrame
    quarantined: pl.DataFrame
    receipts: pl.DataFrame
    digests: dict[RawFile, str]
    turned_away: pl.DataFrame


def landed_rows(landed: pl.DataFrame | None, source: Source) -> pl.DataFrame:
    """Rows that kept the contract; equal ones of a file get ids of their own."""
    schema = dtypes(source.landed)
    if landed is None:
        return pl.DataFrame(schema=schema)
    for id_column in landed[OCCURRENCE].unique().drop_nulls().sort():
        numbered = landed[OCCURRENCE].eq_missing(id_column)
        landed = number_occurrences(landed, id_column, numbered)
    return landed.select(*schema)


def refused_rows(
    rows: pl.DataFrame | None, refused: Mapping[int, str], given: Circumstances
) -> pl.DataFrame:
    """Rows that were refused, and files, with their reasons."""
    whole = pl.DataFrame(
        {
            "intake": list(refused),
            "line": 0,
            "item": 0,
            "raw": None,
            "reasons": list(refused.values()),
        },
        schema=BROKEN,
    )
    if given.pseudonym_key is not None:
        whole = whole.with_columns(without_values(whole["reasons"]).alias("reasons"))
    every = whole if rows is None else pl.concat([rows, whole])
    return _named(every, given).select(*dtypes(Quarantine))


def receipts(
    counts: pl.DataFrame | None,
    refused: Mapping[int, str],
    unmapped: Unmapped,
    given: Circumstances,
) -> pl.DataFrame:
    """One entry per file, also of those that brought nothing."""
    numbers = range(len(given.names))
    status = ["refused" if number in refused else "read" for number in numbers]
    every = pl.DataFrame(
        {"intake": numbers, "status": status}, schema={"intake": pl.UInt32, "status": pl.String}
    )
    totals = (NO_COUNTS if counts is None else counts).group_by("intake").agg(pl.col(COUNTED).sum())
    named = _named(every, given).with_columns(unmapped.of(numbers))
    joined = named.join(totals, on="intake", how="left", maintain_order="left")
    return joined.with_columns(pl.col(COUNTED).fill_null(0)).select(*dtypes(Receipts))


def _named(rows: pl.DataFrame, given: Circumstances) -> pl.DataFrame:
    names = pl.Series("file", given.names, dtype=pl.String)
    return rows.with_columns(
        names.gather(rows["intake"]),
        given.landing_dates.gather(rows["intake"]).alias("landing_date"),
    )
