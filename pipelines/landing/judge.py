"""Raw rows against the contract: which land, and which are refused and why."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from functools import reduce

import orjson
import polars as pl

from pipelines.landing.casts import Value, cast
from pipelines.landing.content_ids import content_ids
from pipelines.landing.expressions import evaluate, passes
from pipelines.landing.feeds import Feed
from pipelines.landing.mapping import Expression
from pipelines.landing.parquet_rows import raw_text
from pipelines.landing.receipts import count_rows
from pipelines.landing.rows import RawRows, broken_rows
from pipelines.landing.sources import Source
from pipelines.landing.timestamps import TimeRule, noon
from schemas.base import dtypes
from schemas.violations import violations

# Names that no contract has.
OCCURRENCE = "\0occurs"
_FAILED = "\0failed:"


@dataclass(frozen=True)
class Circumstances:
    """What a row is judged by beside its feed: its source, the settings, and its file's date."""

    source: Source
    timezone: str
    earliest_event_date: date
    names: list[str]
    landing_dates: pl.Series


@dataclass(frozen=True)
class Judged:
    """Rows by what became of them, all with ``intake``: the number of their file.

    ``landed`` has a column more than the model: whether equal rows of a file are to be told apart.
    """

    landed: pl.DataFrame
    quarantined: pl.DataFrame
    counts: pl.DataFrame


def used_columns(source: Source, feed: Feed) -> frozenset[str]:
    """Columns of a file that the mapping may draw on; all others go to ``extra``."""
    expressions = [expression for _, expression in mapped(source, feed)]
    expressions += [rule.column for rule in feed.filters]
    sources = [inner for expression in expressions for inner in expression.sources()]
    return frozenset(name for inner in sources for name, _ in inner.places)


def mapped(source: Source, feed: Feed) -> list[tuple[str, Expression]]:
    """Every column of the contract with its expression: by default the column of its own name."""
    return [
        (name, feed.columns.get(name) or Expression(column=name, optional=True))
        for name in dtypes(source.contract)
    ]


def judge(rows: RawRows, feed: Feed, given: Circumstances) -> Judged:
    """Filter, map, cast and check the rows."""
    raw_counts = rows.at
    for rule in feed.filters:
        rows = rows.keep(passes(rule, rows, given.names, given.timezone))
    table, problems = _typed(rows, feed, given)
    table = _placed(table, rows, given)
    broken = _broken(table, problems, given)
    refused = reduce(pl.Series.__or__, (mask for _, mask in broken), _none(table.height))
    quarantined = _quarantined(rows, broken, refused)
    landed = table.filter(~refused) if refused.any() else table
    counts = count_rows(raw_counts, rows, table, refused, given.source)
    return Judged(_with_ids(landed, given.source, feed), quarantined, counts)


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
            expression.epoch or (None if expression.format else feed.epoch),
            expression.format,
        )
        value = cast(evaluate(expression, rows, given.names, given.timezone), types[name], rule)
        if name in given.source.json:
            value = _checked_json(value)
        made[name] = value.series.alias(name)
        problems[name] = value.problems
    return pl.DataFrame(made), problems


def _checked_json(value: Value) -> Value:
    said = value.series.is_not_null()
    bad = pl.Series([not _is_json(text) for text in value.series.filter(said)], dtype=pl.Boolean)
    everywhere = _none(len(said)).scatter(said.arg_true(), bad)
    return value.but("is not JSON", everywhere)


def _is_json(text: str) -> bool:
    try:
        orjson.loads(text)
    except ValueError:
        return False
    return True


def _placed(table: pl.DataFrame, rows: RawRows, given: Circumstances) -> pl.DataFrame:
    """The table with what is known of a row beside its content."""
    source = given.source
    happened = pl.col(source.happened)
    if table.schema[source.happened] != pl.Date:
        happened = happened.dt.convert_time_zone(given.timezone).dt.date()
    intake = rows.at["intake"]
    landing_dates = given.landing_dates.gather(intake)
    placed = table.with_columns(
        rows.extra.alias("extra"),
        happened.alias("event_date"),
        landing_dates.alias("landing_date"),
        pl.Series("file", given.names, dtype=pl.String).gather(intake),
        rows.at["line"],
        intake,
    )
    if source.content_id:
        placed = placed.with_columns(pl.col(source.content_id).is_null().alias(OCCURRENCE))
    if source.received:
        defaults = noon(given.landing_dates, given.timezone).gather(intake)
        was_given = pl.col(source.received).is_not_null()
        placed = placed.with_columns(
            was_given.alias("\0given"), pl.col(source.received).fill_null(defaults)
        )
    return placed


def _broken(
    table: pl.DataFrame,
    problems: dict[str, tuple[tuple[str, pl.Series], ...]],
    given: Circumstances,
) -> list[tuple[str, pl.Series]]:
    """Everything that is wrong with any row: what to say, and of which rows."""
    source = given.source
    broken = [(f"{name} {what}", mask) for name, said in problems.items() for what, mask in said]
    failed = {
        name: reduce(pl.Series.__or__, (mask for _, mask in said))
        for name, said in problems.items()
        if said
    }
    if source.content_id:
        failed[source.content_id] = table[source.content_id].is_null()
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
    name, day = given.source.happened, pl.col("event_date")
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
        at = at.with_columns(raw=raw_text(rows.columns.filter(refused)))
    said = [pl.when(pl.lit(mask.filter(refused))).then(pl.lit(text)) for text, mask in broken]
    reasons = pl.concat_str(said, separator="; ", ignore_nulls=True).alias("reasons")
    return pl.concat([rows.broken, broken_rows(at, at.select(reasons).to_series())])


def _with_ids(landed: pl.DataFrame, source: Source, feed: Feed) -> pl.DataFrame:
    """Ids from content where a row brings none; equal rows get equal ones here."""
    if source.content_id:
        made = content_ids(landed, source).alias(source.content_id)
        counted = pl.col(OCCURRENCE) & (feed.identical_rows == "keep")
        landed = landed.with_columns(made, counted.alias(OCCURRENCE))
    return landed.drop("\0given", strict=False)
