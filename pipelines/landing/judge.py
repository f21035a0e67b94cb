"""Raw rows against the contract: which land, and which are refused and why."""

from collections import deque
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date
from functools import reduce

import orjson
import polars as pl

from pipelines.landing.casts import Value, cast
from pipelines.landing.content_ids import DEFAULTED, content_ids
from pipelines.landing.door import LetIn, let_in, nobody_turned_away
from pipelines.landing.expressions import evaluate, passes, with_finds
from pipelines.landing.feeds import Feed
from pipelines.landing.mapping import Expression
from pipelines.landing.parquet_rows import raw_text
from pipelines.landing.pseudonyms import pseudonymized, without_values
from pipelines.landing.receipts import ARRIVED, count_rows
from pipelines.landing.rows import RawRows, broken_rows
from pipelines.landing.several import several
from pipelines.landing.sources import Source
from pipelines.landing.timestamps import TimeRule, noon
from pipelines.landing.tombstones import NOBODY, Tombstones
from schemas.base import dtypes
from schemas.violations import violations

# Names that no contract has.
OCCURRENCE = "\0occurs"
CONTENT_HASH = "content_hash"
_FAILED = "\0failed:"


@dataclass(frozen=True)
class Circumstances:
    """What a row is judged by beside its feed: its source, the settings, and its file's date.

    With a ``pseudonym_key`` nothing that lands or is refused holds an id of a person. Rows of
    people with ``tombstones`` do neither.
    """

    source: Source
    timezone: str
    earliest_event_date: date
    names: list[str]
    landing_dates: pl.Series
    pseudonym_key: bytes | None = field(default=None, repr=False)
    tombstones: Tombstones = NOBODY


@dataclass(frozen=True)
class Judged:
    """Rows by what became of them, all with ``intake``: the number of their file.

    ``landed`` has a column more than the model: the id by which equal rows of a file are to be told
    apart, null where they are not. ``turned_away`` are the places of forgotten people's rows.
    """

    landed: pl.DataFrame
    quarantined: pl.DataFrame
    counts: pl.DataFrame
    turned_away: pl.DataFrame


def used_columns(source: Source, feed: Feed) -> frozenset[str]:
    """Columns of a file that the mapping may draw on; all others go to ``extra``."""
    expressions = [expression for _, expression in mapped(source, feed)]
    expressions += [rule.column for rule in feed.filters]
    expressions += feed.explode
    expressions += feed.unpivot.columns.values() if feed.unpivot else []
    sources = [inner for expression in expressions for inner in expression.sources()]
    return frozenset(name for inner in sources for name, _ in inner.places)


def mapped(source: Source, feed: Feed) -> list[tuple[str, Expression]]:
    """Every column of the contract with its expression: by default the column of its own name."""
    return [
        (name, feed.columns.get(name) or Expression(column=name, optional=True))
        for name in dtypes(source.contract)
    ]


def judge(rows: RawRows, feed: Feed, given: Circumstances) -> Judged:
    """Turn raw rows into several where the feed says so, filter, map, cast and check them."""
    raw = rows.at
    rows = several(rows, feed, given.names, given.timezone)
    made = rows.at
    sought = [*feed.columns.values(), *(rule.column for rule in feed.filters)]
    rows = with_finds(rows, sought, given.names, given.timezone)
    for rule in feed.filters:
        # What went wrong is refused with its reason; no filter makes it vanish.
        wrong = reduce(pl.Series.__or__, (bad for _, bad in rows.problems), _none(rows.at.height))
        rows = rows.keep(passes(rule, rows, given.names, given.timezone) | wrong)
    table, problems = _typed(rows, feed, given)
    id_column = id_made(given.source, feed)
    table = _placed(_completed(table, given.source, id_column), rows, given)
    broken = [*rows.problems, *_broken(table, problems, given, id_column)]
    refused = reduce(pl.Series.__or__, (mask for _, mask in broken), _none(table.height))
    found = LetIn(rows, table, broken, refused, nobody_turned_away())
    found = let_in(found, made, given.source.person_ids, given.tombstones)
    quarantined = _quarantined(found.rows, found.broken, found.refused)
    landed = found.table.filter(~found.refused) if found.refused.any() else found.table
    counts = count_rows(raw, made, found, given.source)
    away = found.turned_away
    if given.pseudonym_key is None:
        landed = _with_ids(landed, given.source, feed, id_column)
        return Judged(_hashed(landed, given.source), quarantined, counts, away)
    # Before ids are made of content: whoever knows the rest of a row could try out whose it is.
    landed = pseudonymized(landed, given.source.person_ids, given.pseudonym_key)
    landed = _without(_with_ids(landed, given.source, feed, id_column), "extra", *given.source.json)
    said = without_values(quarantined["reasons"]).alias("reasons")
    quarantined = _without(quarantined, "raw").with_columns(said)
    return Judged(_hashed(landed, given.source), quarantined, counts, away)


def _hashed(landed: pl.DataFrame, source: Source) -> pl.DataFrame:
    """With a hash of what a row says, where rows of one identity are told apart by it."""
    if CONTENT_HASH not in dtypes(source.landed):
        return landed
    apart = {source.content_id, source.received}
    said = landed.select(name for name in dtypes(source.contract) if name not in apart)
    return landed.with_columns(said.hash_rows().reinterpret(signed=True).alias(CONTENT_HASH))


def _without(rows: pl.DataFrame, *columns: str) -> pl.DataFrame:
    """The rows with nulls in these columns of text."""
    return rows.with_columns(pl.lit(None, pl.String).alias(name) for name in columns)


def _none(height: int) -> pl.Series:
    return pl.repeat(False, height, dtype=pl.Boolean, eager=True)


def _typed(
    rows: RawRows, feed: Feed, given: Circumstances
) -> tuple[pl.DataFrame, dict[str, tuple[tuple[str, pl.Series], ...]]]:
    made: dict[str, pl.Series] = {}
    problems: dict[str, tuple[tuple[str, pl.Series], ...]] = {}
    types = dtypes(given.source.contract)
    for name, expression in mapped(given.source, feed):
        rule = TimeRule(
            given.timezone,
            expression.zone or feed.zone,
            expression.epoch or (None if expression.format or expression.is_timed else feed.epoch),
            expression.format,
        )
        if types[name].is_numeric():
            expression = expression.with_decimal(feed.decimal)
        value = cast(evaluate(expression, rows, given.names, given.timezone), types[name], rule)
        if name in given.source.json:
            value = _checked_json(value)
        made[name] = value.series.alias(name)
        problems[name] = value.problems
    return pl.DataFrame(made), problems


def _checked_json(value: Value) -> Value:
    said = value.series.is_not_null()
    texts = value.series.filter(said).to_list()
    if _are_json(texts):
        return value
    bad = pl.Series([not _are_json([text]) for text in texts], dtype=pl.Boolean)
    everywhere = _none(len(said)).scatter(said.arg_true(), bad)
    return value.but("is not JSON", everywhere)


def _are_json(texts: list[str]) -> bool:
    try:
        # Nothing is kept of what is read.
        deque(map(orjson.loads, texts), maxlen=0)
    except ValueError:
        return False
    return True


def _completed(table: pl.DataFrame, source: Source, id_column: str | None) -> pl.DataFrame:
    """The table in canonical spelling and with defaults; an id from content needs none."""
    spelled = table.with_columns(source.spelled)
    return spelled.with_columns(
        pl.coalesce(name, value.cast(table.schema[name])).alias(name)
        for name, value in source.defaults.items()
        if name != id_column
    )


def _placed(table: pl.DataFrame, rows: RawRows, given: Circumstances) -> pl.DataFrame:
    """The table with what is known of a row beside its content."""
    source = given.source
    happened = [_day_of(name, table.schema[name], given.timezone) for name in source.happened]
    intake = rows.at["intake"]
    landing_dates = given.landing_dates.gather(intake)
    placed = table.with_columns(
        rows.extra.alias("extra"),
        pl.coalesce(*happened, pl.lit(landing_dates)).alias("event_date"),
        landing_dates.alias("landing_date"),
        pl.Series("file", given.names, dtype=pl.String).gather(intake),
        rows.at["line"],
        rows.at["item"],
        intake,
    )
    if source.is_late:
        arrived = noon(given.landing_dates, given.timezone).gather(intake)
        placed = placed.with_columns(arrived.alias(ARRIVED))
    if source.received:
        was_given = pl.col(source.received).is_not_null()
        placed = placed.with_columns(
            was_given.alias(DEFAULTED), pl.col(source.received).fill_null(pl.col(ARRIVED))
        )
    return placed


def _day_of(name: str, dtype: pl.DataType, timezone: str) -> pl.Expr:
    if dtype == pl.Date:
        return pl.col(name)
    return pl.col(name).dt.convert_time_zone(timezone).dt.date()


def _broken(
    table: pl.DataFrame,
    problems: dict[str, tuple[tuple[str, pl.Series], ...]],
    given: Circumstances,
    id_column: str | None,
) -> list[tuple[str, pl.Series]]:
    """Everything that is wrong with any row: what to say, and of which rows."""
    source = given.source
    broken = [(f"{name} {what}", mask) for name, said in problems.items() for what, mask in said]
    failed = {
        name: reduce(pl.Series.__or__, (mask for _, mask in said))
        for name, said in problems.items()
        if said
    }
    if id_column:
        failed[id_column] = table[id_column].is_null()
    table = table.with_columns(mask.alias(_FAILED + name) for name, mask in failed.items())
    checks = [
        (text, _unless_failed(expression, failed))
        for text, expression in [*violations(source.contract), *_day_checks(given)]
    ]
    masks = table.select(expression.alias(str(i)) for i, (_, expression) in enumerate(checks))
    broken += [(text, masks[str(i)]) for i, (text, _) in enumerate(checks) if masks[str(i)].any()]
    return broken


def _unless_failed(expression: pl.Expr, failed: Collection[str]) -> pl.Expr:
    """What could not be read is no further offence: its null is not a missing value."""
    for name in expression.meta.root_names():
        if name in failed:
            expression = expression & ~pl.col(_FAILED + name)
    return expression


def _day_checks(given: Circumstances) -> list[tuple[str, pl.Expr]]:
    name, day = given.source.happened[0], pl.col("event_date")
    early = f"{name} lies before {given.earliest_event_date}, the setting earliest_event_date"
    return [
        (
            f"{name} lies more than a day after the landing date",
            (day > pl.col("landing_date").dt.offset_by("1d")).fill_null(False),
        ),
        (early, (day < given.earliest_event_date).fill_null(False)),
    ]


def _quarantined(
    rows: RawRows, broken: list[tuple[str, pl.Series]], refused: pl.Series
) -> pl.DataFrame:
    at = rows.at.filter(refused)
    if not at.height:
        return rows.broken
    if at["raw"].null_count():
        at = at.with_columns(raw=raw_text(rows.as_they_came(refused)))
    said = [pl.when(pl.lit(mask.filter(refused))).then(pl.lit(text)) for text, mask in broken]
    reasons = pl.concat_str(said, separator="; ", ignore_nulls=True).alias("reasons")
    return pl.concat([rows.broken, broken_rows(at, at.select(reasons).to_series())])


def id_made(source: Source, feed: Feed) -> str | None:
    """The column whose ids are made from content where a row brings none."""
    said = [name for name, expression in feed.columns.items() if expression.content]
    return said[0] if said else source.content_id


def _with_ids(
    landed: pl.DataFrame, source: Source, feed: Feed, id_column: str | None
) -> pl.DataFrame:
    """Ids from content where a row brings none; equal rows get equal ones here."""
    counted = pl.lit(None, pl.String)
    if id_column:
        made = content_ids(landed, source, id_column)
        if feed.identical_rows == "keep":
            counted = pl.when(pl.col(id_column).is_null()).then(pl.lit(id_column))
        landed = landed.with_columns(made.alias(id_column), counted.alias(OCCURRENCE))
    else:
        landed = landed.with_columns(counted.alias(OCCURRENCE))
    return landed.drop(DEFAULTED, ARRIVED, strict=False)
