"""Rows of people who were forgotten: neither landed nor quarantined, only counted."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import polars as pl

from pipelines.landing.parquet_rows import raw_text
from pipelines.landing.rows import RawRows
from pipelines.landing.tombstones import Tombstones

# ``lines`` a raw row spans; whether all rows made of it ``is_whole`` are forgotten; whose they are.
TURNED_AWAY = pl.Schema(
    {
        "intake": pl.UInt32(),
        "line": pl.Int64(),
        "item": pl.Int64(),
        "lines": pl.Int64(),
        "is_whole": pl.Boolean(),
        "is_broken": pl.Boolean(),
        "ids": pl.List(pl.String()),
    }
)
_Broken = list[tuple[str, pl.Series]]
# Forgotten ids by the number of the row in which they stand.
_Theirs = dict[int, list[str]]


def nobody_turned_away() -> pl.DataFrame:
    """No rows of forgotten people."""
    return pl.DataFrame(schema=TURNED_AWAY)


@dataclass(frozen=True)
class LetIn:
    """What is left to be judged, and the places of what is not."""

    rows: RawRows
    table: pl.DataFrame
    broken: _Broken
    refused: pl.Series
    turned_away: pl.DataFrame


def let_in(
    found: LetIn, made: pl.DataFrame, columns: Sequence[str], tombstones: Tombstones
) -> LetIn:
    """Turn rows away whose ``columns`` name somebody who was forgotten.

    A refused row may hold an id where no column could be read, so that its text is looked through.
    Of one with columns a short number is none: it may be any number. ``made`` has the places of all
    rows that the mapping made.
    """
    if not tombstones:
        return found
    rows = found.rows
    theirs = _named(found.table, columns, tombstones)
    nameless = [at for at in found.refused.arg_true() if at not in theirs]
    texts = zip(nameless, _texts(rows, nameless), strict=True)
    theirs |= _said(texts, tombstones, numbers=False)
    spoilt = _said(enumerate(rows.broken["raw"]), tombstones, numbers=True)
    if not theirs and not spoilt:
        return found
    places = pl.concat(
        [_places(rows.at, theirs, is_broken=False), _places(rows.broken, spoilt, is_broken=True)]
    )
    stays = ~_mask(rows.at.height, theirs)
    return LetIn(
        replace(rows.keep(stays), broken=rows.broken.filter(~_mask(rows.broken.height, spoilt))),
        found.table.filter(stays),
        [(text, mask.filter(stays)) for text, mask in found.broken],
        found.refused.filter(stays),
        _whole(places, pl.concat([_per_line(made), _per_line(rows.broken)])),
    )


def _named(table: pl.DataFrame, columns: Sequence[str], tombstones: Tombstones) -> _Theirs:
    """Rows that name a forgotten person, by their number."""
    found: _Theirs = {}
    for name in columns:
        for at in tombstones.forgotten(table[name]).arg_true():
            found.setdefault(at, []).append(table[name][at])
    return found


def _said(
    texts: Iterable[tuple[int, str | None]], tombstones: Tombstones, *, numbers: bool
) -> _Theirs:
    """Texts in which a forgotten id stands, by their number."""
    found = {at: tombstones.forgotten_tokens(text or "", numbers=numbers) for at, text in texts}
    return {at: ids for at, ids in found.items() if ids}


def _mask(height: int, chosen: _Theirs) -> pl.Series:
    none = pl.repeat(False, height, dtype=pl.Boolean, eager=True)
    return none.scatter(list(chosen), True) if chosen else none


def _texts(rows: RawRows, chosen: list[int]) -> list[str | None]:
    """Raw text of the chosen rows, which are in order."""
    raw = rows.at["raw"].gather(chosen)
    if not raw.null_count():
        return raw.to_list()
    return raw_text(rows.as_they_came(_mask(rows.at.height, {at: [] for at in chosen}))).to_list()


def _places(at: pl.DataFrame, chosen: _Theirs, *, is_broken: bool) -> pl.DataFrame:
    numbers = sorted(chosen)
    ids = [chosen[number] for number in numbers]
    return (
        at[numbers]
        .select(
            "intake",
            "line",
            "item",
            lines=pl.col("raw").str.count_matches("\n", literal=True).fill_null(0).cast(pl.Int64)
            + 1,
            is_whole=pl.lit(True),
            is_broken=pl.lit(is_broken),
            ids=pl.Series(ids, dtype=pl.List(pl.String)),
        )
        .cast(TURNED_AWAY)
    )


def _per_line(at: pl.DataFrame) -> pl.DataFrame:
    return at.group_by("intake", "line").agg(made=pl.len())


def _whole(places: pl.DataFrame, per_line: pl.DataFrame) -> pl.DataFrame:
    """The places, with whether all that was made of their raw row is among them."""
    made = per_line.group_by("intake", "line").agg(pl.col("made").sum())
    joined = places.join(made, on=["intake", "line"], how="left", maintain_order="left")
    is_whole = pl.len().over("intake", "line") == pl.col("made")
    return joined.with_columns(is_whole=is_whole).select(*TURNED_AWAY)
