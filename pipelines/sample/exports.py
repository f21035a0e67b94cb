"""The sources beside the events, as exports: a file per landing date, with a little dirt."""

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from pipelines.sample.clock import Clock, instant
from pipelines.sample.columns import derived
from pipelines.sample.dice import Dice
from pipelines.sample.write import compressed, kind_of

_FORMATS = ("csv", "ndjson.gz", "csv.gz", "ndjson", "parquet", "csv.zst", "ndjson.zst", "csv")
_DAYS_LATE = {1: 45, 2: 25, 4: 20, 9: 10}
_BEHIND_SHARE = 0.5
# A night that refuses more than a twentieth of what landed publishes nothing.
_ROWS_PER_FLAW = 25
_ROW_GROUP_ROWS = 100_000
_HIDDEN = ("at", "key", "awaits", "landing_day", "is_twin", "flaw")

Flaw = Mapping[str, pl.Expr | None]


@dataclass(frozen=True)
class Export:
    """What a source sends, before anything goes wrong with it.

    ``rows`` have the columns of the contract, with instants (``..._ts``) in seconds since 1970,
    beside ``key`` (unique) and ``at`` (the second at which the row is sent), and ``awaits`` where
    it can be that there is no rate. ``arrival_decides`` holds where the row that arrives last is
    the one that counts: these come neither late nor again on a later day. ``every_days`` an export
    is made, the last one on the last day. ``flaws`` tell which columns of a row are to be spoiled,
    and how (None: missing).
    """

    source: str
    rows: pl.DataFrame
    identity: tuple[str, ...]
    flaws: Mapping[str, Flaw]
    arrival_decides: bool = False
    every_days: int = 1
    truths: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Sent:
    """All rows of a source with the dirt that fell on them."""

    export: Export
    rows: pl.DataFrame

    def truths(self) -> dict[str, Any]:
        """The accounts of the rows, and what is known beside."""
        sound = self.rows.filter(pl.col("flaw").is_null())
        waiting = int(sound["awaits"].sum())
        identities = sound.select(pl.struct(self.export.identity).n_unique()).item()
        flaws = self.rows.drop_nulls("flaw").group_by("flaw").len().sort("flaw")
        return {
            "rows": {
                "read_rows": self.rows.height,
                "refused_rows": self.rows.height - sound.height,
                "duplicate_rows": sound.height - identities,
                "awaiting_rate_rows": waiting,
                "accepted_rows": identities - waiting,
            },
            "refused_by_flaw": dict(flaws.iter_rows()),
            **self.export.truths,
        }


def sent(export: Export, clock: Clock, dice: Dice) -> Sent:
    """Give every row its landing date, let some come late or twice, and add malformed ones."""
    rows = export.rows
    if "awaits" not in rows.columns:
        rows = rows.with_columns(awaits=False)
    dirt, last_day = clock.options.dirt, clock.options.days - 1
    late = dice.chance(0 if export.arrival_decides else dirt, pl.col("key"), _ask(export, "late"))
    days = pl.when(late).then(dice.pick(_DAYS_LATE, pl.col("key"), _ask(export, "days late")))
    known = clock.landing_day(pl.col("at")) + days.fill_null(0)
    wait = (last_day - known) % export.every_days
    rows = derived(
        rows,
        pl.min_horizontal(known + wait, pl.lit(last_day)).cast(pl.Int32).alias("landing_day"),
        pl.lit(False).alias("is_twin"),
        pl.lit(None, dtype=pl.String).alias("flaw"),
    )
    again, malformed = _twins(rows, export, clock, dice), _malformed(rows, export, clock, dice)
    return Sent(export, pl.concat([rows, again, malformed]))


def _ask(export: Export, question: str) -> str:
    return f"{export.source}/{question}"


def _some(rows: pl.DataFrame, share: float, question: str, dice: Dice) -> pl.DataFrame:
    wanted = rows.lazy().select(dice.chance(share, pl.col("key"), question)).collect().to_series()
    return rows.filter(wanted)


def _twins(rows: pl.DataFrame, export: Export, clock: Clock, dice: Dice) -> pl.DataFrame:
    """Rows that come again as they are: right behind, or on a later day."""
    again = _some(rows, clock.options.dirt / 2, _ask(export, "comes twice"), dice)
    again = again.filter(~pl.col("awaits"))
    key = pl.col("key")
    behind = dice.chance(1 if export.arrival_decides else _BEHIND_SHARE, key, "right behind")
    exports = dice.pick(_DAYS_LATE, key, _ask(export, "twin's days"))
    later = pl.col("landing_day") + exports * export.every_days
    fits = ~behind & (later < clock.options.days)
    return derived(
        again,
        pl.when(fits).then(later).otherwise("landing_day").cast(pl.Int32).alias("landing_day"),
        pl.lit(True).alias("is_twin"),
    )


def _malformed(rows: pl.DataFrame, export: Export, clock: Clock, dice: Dice) -> pl.DataFrame:
    """Likenesses of rows with something wrong: one to twenty-five sound rows of a file at most."""
    likeness = _some(rows, clock.options.dirt, _ask(export, "malformed"), dice)
    room = rows.group_by("landing_day").agg((pl.len() // _ROWS_PER_FLAW).alias("room"))
    likeness = likeness.sort("key").join(room, on="landing_day", maintain_order="left")
    nth = pl.int_range(pl.len()).over("landing_day")
    likeness = likeness.filter(nth < pl.col("room")).drop("room")
    flaw = dice.pick(dict.fromkeys(export.flaws, 1), pl.col("key"), _ask(export, "flaw"))
    likeness = derived(likeness, flaw.alias("flaw"), pl.lit(False).alias("awaits"))
    for name, columns in export.flaws.items():
        likeness = likeness.with_columns(
            pl.when(pl.col("flaw") == name)
            .then(pl.lit(None) if spoiled is None else spoiled)
            .otherwise(pl.col(column))
            .cast(rows.schema[column])
            .alias(column)
            for column, spoiled in columns.items()
        )
    return likeness


def files(sent_rows: Sent, place: int, clock: Clock) -> Iterator[tuple[int, str, pl.DataFrame]]:
    """Landing date (counted from 0), name and rows of each file; the formats take turns.

    A file without rows is sent too: it tells how far the source reaches.
    """
    days = clock.options.days
    parts = sent_rows.rows.sort("landing_day", "at", "key", "is_twin").partition_by(
        "landing_day", as_dict=True
    )
    none = sent_rows.rows.clear()
    for day in range(days):
        if (days - 1 - day) % sent_rows.export.every_days == 0:
            name = _name(sent_rows.export.source, day + place, clock)
            yield day, name, parts.get((day,), none)


def _name(source: str, turn: int, clock: Clock) -> str:
    mixed = clock.options.file_format == "mixed"
    return f"{source}.{_FORMATS[turn % len(_FORMATS)] if mixed else clock.options.file_format}"


def content(rows: pl.DataFrame, name: str) -> bytes:
    """The rows as the file of that name holds them."""
    rows = rows.drop(_HIDDEN)
    times = [column for column in rows.columns if column.endswith("_ts")]
    rows = rows.with_columns(instant(pl.col(column)).alias(column) for column in times)
    kind, buffer = kind_of(name), io.BytesIO()
    if kind == "parquet":
        typed = rows.with_columns(pl.col(times).dt.replace_time_zone("UTC"))
        typed.write_parquet(buffer, compression="zstd", row_group_size=_ROW_GROUP_ROWS)
        return buffer.getvalue()
    texts = rows.with_columns(pl.col(times).dt.strftime("%Y-%m-%dT%H:%M:%SZ"))
    if kind == "csv":
        texts.write_csv(buffer)
    else:
        texts.with_columns(pl.selectors.decimal().cast(pl.Float64)).write_ndjson(buffer)
    return compressed(buffer.getvalue(), name)
