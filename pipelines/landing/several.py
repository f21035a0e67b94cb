"""One raw row turned into several: the elements of a list, then columns that become rows."""

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

import orjson
import polars as pl

from pipelines.landing.casts import as_text
from pipelines.landing.expressions import evaluate
from pipelines.landing.feeds import Feed
from pipelines.landing.json_text import dump
from pipelines.landing.mapping import Expression, Unpivot
from pipelines.landing.rows import RawRows, with_nulls

# orjson makes doubles of integers beyond 64 bits; json keeps their digits.
_LONG_NUMBER = re.compile(r"\d{19}")


def several(rows: RawRows, feed: Feed, names: Sequence[str], zone: str) -> RawRows:
    """The rows that the mapping makes of each raw row, numbered from 1 in ``item``.

    They lie in the order of their raw rows. No raw row vanishes: one whose list is empty or missing
    becomes one row, in which the list's column is null.
    """
    if not feed.explode and feed.unpivot is None:
        return rows
    for lists in feed.explode:
        rows = _exploded(rows, lists, feed.null_values, names, zone)
    if feed.unpivot is not None:
        rows = _unpivoted(rows, feed.unpivot, names, zone)
    # Not by the raw row: a page of results is several raw rows of one line.
    items = pl.int_range(1, pl.len() + 1, dtype=pl.Int64).over("intake", "line")
    return replace(rows, at=rows.at.with_columns(items.alias("item")))


def _exploded(
    rows: RawRows,
    lists: Expression,
    null_values: Sequence[str],
    names: Sequence[str],
    zone: str,
) -> RawRows:
    found = evaluate(lists, rows, names, zone).series
    elements, counts, bad = _elements(found)
    index = pl.int_range(len(found), eager=True).repeat_by(counts).explode()
    values = with_nulls(elements, null_values).alias(lists.said)
    problem = (f"{lists.said} is not a list", bad)
    noted = replace(rows, problems=(*rows.problems, problem)) if bad.any() else rows
    made = noted.gather(index)
    return replace(made, columns=made.columns.with_columns(values))


def _elements(values: pl.Series) -> tuple[pl.Series, pl.Series, pl.Series]:
    """The elements of all lists, how many each has, and what is no list.

    One null stands for a list without elements, for a missing one and for what is none.
    """
    if isinstance(values.dtype, pl.Array):
        values = values.arr.to_list()
    if isinstance(values.dtype, pl.List):
        none = pl.repeat(False, len(values), dtype=pl.Boolean, eager=True)
        return values.explode(), values.list.len().fill_null(1).clip(1), none
    texts = as_text(values)
    parsed = [_parsed(text) for text in texts.to_list()]
    lists = [each or [None] for each in parsed]
    # One flat series: polars takes lists of Python one by one, which is slow.
    elements = pl.Series(list(chain.from_iterable(lists)), dtype=pl.String)
    counts = pl.Series([len(each) for each in lists], dtype=pl.UInt32)
    unread = pl.Series([each is None for each in parsed], dtype=pl.Boolean)
    return elements, counts, texts.is_not_null() & unread


def _parsed(text: str | None) -> list[str | None] | None:
    """The elements of a JSON list as text: strings as they are, all else as JSON."""
    if text is None:
        return None
    try:
        value: Any = json.loads(text) if _LONG_NUMBER.search(text) else orjson.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, list):
        return None
    return [each if each is None or isinstance(each, str) else dump(each) for each in value]


def _unpivoted(rows: RawRows, rule: Unpivot, names: Sequence[str], zone: str) -> RawRows:
    height, count = rows.at.height, len(rule.columns)
    made = [evaluate(expression, rows, names, zone) for expression in rule.columns.values()]
    # Values lie column by column; a raw row's belong side by side.
    step = pl.int_range(height * count, eager=True)
    side_by_side = step % count * height + step // count
    values = pl.concat([as_text(value.series).alias("") for value in made]).gather(side_by_side)
    keys = pl.Series([*rule.columns] * height, dtype=pl.String)
    none = pl.repeat(False, height, dtype=pl.Boolean, eager=True)
    problems = []
    for place, value in enumerate(made):
        for said, bad in value.problems:
            masks = [bad if each == place else none for each in range(count)]
            mask = pl.concat([mask.alias("") for mask in masks]).gather(side_by_side)
            problems.append((f"{rule.value} {said}", mask))
    whole = rows.gather(step // count)
    columns = whole.columns.with_columns(keys.alias(rule.name), values.alias(rule.value))
    return replace(whole, columns=columns, problems=(*whole.problems, *problems))
