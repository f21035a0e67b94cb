"""What was judged part by part, put together as the models of landing have it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import polars as pl

from pipelines.landing.collected import Collected, Spilled
from pipelines.landing.content_ids import Occurrences, number_occurrences
from pipelines.landing.door import nobody_turned_away
from pipelines.landing.files import RawFile
from pipelines.landing.judge import OCCURRENCE, Circumstances, Judged
from pipelines.landing.pseudonyms import without_values
from pipelines.landing.receipts import COUNTED
from pipelines.landing.rows import BROKEN
from pipelines.landing.sorted_runs import Spilling
from pipelines.landing.sources import Source
from pipelines.landing.unmapped import Unmapped
from schemas.base import dtypes, promise_of
from schemas.quarantine import Quarantine
from schemas.receipts import Receipts

NO_COUNTS = pl.DataFrame(schema={"intake": pl.UInt32} | dict.fromkeys(COUNTED, pl.Int64))


Rows = pl.DataFrame | Spilled


@dataclass
class TakenIn:
    """What files brought: rows as the models of landing have them, in no set order.

    ``digests`` are the SHA-256 of the files as they lie on disk; ``"unreadable"`` for one that
    could not be opened. ``turned_away`` are the places of forgotten people's rows.
    """

    landed_rows: Rows
    refused_rows: Rows
    receipts: pl.DataFrame
    digests: dict[RawFile, str]
    turned_away: pl.DataFrame

    @property
    def landed(self) -> pl.DataFrame:
        """All rows that landed, in memory."""
        return _whole(self.landed_rows)

    @property
    def quarantined(self) -> pl.DataFrame:
        """All rows and files that were refused, in memory."""
        return _whole(self.refused_rows)

    def clear(self) -> None:
        """Let go of the rows, and delete what went to the disk: whoever reads ahead holds this."""
        for rows in (self.landed_rows, self.refused_rows):
            if isinstance(rows, Spilled):
                rows.clear()
        self.landed_rows = self.refused_rows = pl.DataFrame()


class Results:
    """What was judged so far of one intake."""

    def __init__(self, given: Circumstances, spilling: Spilling | None) -> None:
        order = promise_of(given.source.landed).order
        self._given = given
        self._landed = Collected(spilling, order, ["landing_date", "event_date"])
        self._quarantined = Collected(spilling, promise_of(Quarantine).order, ["landing_date"])
        self._counts = [NO_COUNTS]
        self._turned_away = [nobody_turned_away()]

    def add(self, judged: Judged) -> None:
        """Take what came of some rows."""
        self._landed.add(judged.landed)
        self._quarantined.add(_named(judged.quarantined, self._given))
        self._counts.append(judged.counts)
        self._turned_away.append(judged.turned_away)

    def counts(self) -> pl.DataFrame:
        """What each file brought, in several rows where it was judged in parts."""
        return pl.concat(self._counts)

    def taken_in(
        self, refused: Mapping[int, str], unmapped: Unmapped, digests: dict[RawFile, str]
    ) -> TakenIn:
        """All of it, without the files that were refused."""
        return TakenIn(
            _landed_rows(self._landed, refused, self._given.source),
            _refused_rows(self._quarantined, refused, self._given),
            _receipts(_without(self.counts(), refused), refused, unmapped, self._given),
            digests,
            _without(pl.concat(self._turned_away), refused),
        )

    def clear(self) -> None:
        """Delete what went to the disk."""
        self._landed.clear()
        self._quarantined.clear()


def _whole(rows: Rows) -> pl.DataFrame:
    """Rows as one frame."""
    return rows if isinstance(rows, pl.DataFrame) else pl.concat(rows.pieces())


def _landed_rows(landed: Collected, refused: Collection[int], source: Source) -> Rows:
    """Rows that kept the contract; equal ones of a file get ids of their own."""
    schema = dtypes(source.landed)
    if landed.runs:
        landed.spill()
        occurrences = Occurrences(landed.runs, OCCURRENCE)
        return Spilled(
            landed.runs, _kept(refused), lambda rows: occurrences.numbered(rows).select(*schema)
        )
    rows = landed.held()
    if rows is None:
        return pl.DataFrame(schema=schema)
    rows = _without(rows, refused)
    for id_column in rows[OCCURRENCE].unique().drop_nulls().sort():
        numbered = rows[OCCURRENCE].eq_missing(id_column)
        rows = number_occurrences(rows, id_column, numbered)
    return rows.select(*schema)


def _refused_rows(rows: Collected, refused: Mapping[int, str], given: Circumstances) -> Rows:
    """Rows that were refused, and files, with their reasons."""
    columns = list(dtypes(Quarantine))
    files = pl.DataFrame(
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
        files = files.with_columns(without_values(files["reasons"]).alias("reasons"))
    files = _named(files, given)
    if rows.runs:
        rows.add(files)
        rows.spill()
        is_file = pl.col("line") == 0
        return Spilled(rows.runs, is_file | _kept(refused), lambda frame: frame.select(*columns))
    held = rows.held()
    every = files if held is None else pl.concat([_without(held, refused), files])
    return every.select(*columns)


def _receipts(
    counts: pl.DataFrame,
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
    totals = counts.group_by("intake").agg(pl.col(COUNTED).sum())
    files = _named(every, given).with_columns(unmapped.of(numbers))
    joined = files.join(totals, on="intake", how="left", maintain_order="left")
    return joined.with_columns(pl.col(COUNTED).fill_null(0)).select(*dtypes(Receipts))


def _without(rows: pl.DataFrame, refused: Collection[int]) -> pl.DataFrame:
    """The rows of the files that were not refused."""
    return rows.filter(_kept(refused)) if refused else rows


def _kept(refused: Collection[int]) -> pl.Expr:
    return ~pl.col("intake").is_in(list(refused))


def _named(rows: pl.DataFrame, given: Circumstances) -> pl.DataFrame:
    """The rows with their files and landing dates."""
    names = pl.Series("file", given.names, dtype=pl.String)
    return rows.with_columns(
        names.gather(rows["intake"]),
        given.landing_dates.gather(rows["intake"]).alias("landing_date"),
    )
