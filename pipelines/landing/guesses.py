"""A mapping for files of no known kind: the nearest names whose values can be read.

What is found is a proposal for a person to look at: every line says why it is there.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from pipelines.landing.casts import Value, cast
from pipelines.landing.expressions import read_as
from pipelines.landing.glimpse import Glimpse
from pipelines.landing.likely_names import likely
from pipelines.landing.mapping import Expression
from pipelines.landing.sources import Source
from pipelines.landing.timestamps import UTC_MICROSECONDS, TimeRule
from schemas.base import dtypes

_FORMATS = (
    "%d/%m/%Y %H:%M:%S",
    "%d/%m/%Y %H:%M",
    "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M",
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y %H:%M",
    "%d.%m.%Y",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d",
    "%Y-%m-%d %H:%M:%S %z",
)
_SPELLED = {
    "interval": {"daily": "day", "weekly": "week", "monthly": "month", "yearly": "year"}
    | {"annual": "year", "annually": "year", "months": "month", "years": "year"},
    "status": {"cancelled": "canceled", "expired": "canceled", "trial": "trialing"},
    "kind": {"sale": "purchase", "order": "purchase", "return": "refund"},
}
_KINDS = {"nps": "nps|recommend|promoter", "csat": "csat|satisf", "ces": r"\bces\b|effort"}
_KINDS |= {"review": "review|rating|stars"}
_CURRENCIES = frozenset(
    {"AUD", "CAD", "CHF", "DKK", "EUR", "GBP", "JPY", "NOK", "PLN", "SEK", "USD"}
)
_SIGN = r"([^\s\d.,'’+\-−]{1,3})"
_MOST_SIGNS = 3
# An id of what a row tells of; the lines of an order share theirs.
_IDS = frozenset({"event_id", "response_id", "subscription_id", "order_id", "ticket_id", "post_id"})
_DISTINCT = 0.1
_READABLE = 0.9


@dataclass(frozen=True)
class Guess:
    """A mapping, with a reason per column, and the required columns that nothing was found for."""

    columns: dict[str, Any] = field(default_factory=dict)
    why: dict[str, str] = field(default_factory=dict)
    lacking: tuple[str, ...] = ()


def guess_mapping(look: Glimpse, source: Source, timezone: str) -> Guess:
    """Columns of the file for those of the source; each is taken for one at most."""
    contract = source.contract.to_schema().columns
    found: dict[str, tuple[Any, str]] = {}
    taken: set[str] = set()
    for score, name, theirs in sorted(
        likely(look.values, contract), key=lambda each: (-each[0], each)
    ):
        if name in found or theirs in taken:
            continue
        read = _readable(look, name, theirs, dtypes(source.contract)[name], timezone)
        if read is not None:
            expression, how = read
            said = "called the same" if score == 1 else "by its name"
            found[name] = (expression, f"{said}; {how}")
            taken.add(theirs)
    filled = {*source.defaults, source.content_id, source.received}
    needed = [name for name, spec in contract.items() if not spec.nullable and name not in filled]
    # Numbers last: 31.03.2025 without its points is one, and EUR without EUR is a null.
    for name in sorted(needed, key=lambda name: dtypes(source.contract)[name].is_numeric()):
        if name not in found and (other := _other_way(look, name, taken, source, timezone)):
            found[name] = other
    lacking = [name for name in needed if name not in found]
    ordered = {name: found[name] for name in contract if name in found}
    return Guess(
        {name: expression for name, (expression, _) in ordered.items()},
        {name: why for name, (_, why) in ordered.items()},
        tuple(lacking),
    )


def _readable(
    look: Glimpse, name: str, theirs: str, dtype: pl.DataType, timezone: str
) -> tuple[Any, str] | None:
    """The expression with which the values can be read, and how many of them; else None."""
    values = pl.Series(look.values[theirs], dtype=pl.String)
    known = len(values) - values.null_count()
    if not known or (name in _IDS and values.n_unique() < _DISTINCT * known):
        return None
    best: tuple[int, dict[str, Any]] = (0, {})
    for said in _ways(name, values, dtype):
        read = known - _unread(said, values, dtype, timezone)
        best = max(best, (read, said), key=lambda each: each[0])
        if read == known:
            break
    read, said = best
    if read < _READABLE * known:
        return None
    notes = [f"{read} of {known} values can be read", *_doubts(said)]
    return ({"column": theirs, **said} if said else theirs), "; ".join(notes)


def _unread(said: dict[str, Any], values: pl.Series, dtype: pl.DataType, timezone: str) -> int:
    e = Expression.model_validate({"column": "x", **said})
    rule = TimeRule(timezone, e.zone, e.epoch, e.format)
    value = cast(read_as(e, Value(values)), dtype, rule)
    return sum(int(bad.sum()) for _, bad in value.problems)


def _ways(name: str, values: pl.Series, dtype: pl.DataType) -> Iterator[dict[str, Any]]:
    if name in _SPELLED:
        there = set(values.str.to_lowercase().drop_nulls())
        table = {
            v: _SPELLED[name][v.lower()]
            for v in values.drop_nulls().unique().sort()
            if v.lower() in _SPELLED[name]
        }
        yield {"values": table, "others": "keep"} if there & set(_SPELLED[name]) else {}
        return
    if dtype.is_numeric():
        yield from _ways_of_numbers(values)
        return
    if dtype not in (UTC_MICROSECONDS, pl.Date()):
        yield {}
        return
    numbers = values.cast(pl.Float64, strict=False)
    if numbers.null_count() == values.null_count() and dtype == UTC_MICROSECONDS:
        size = float(numbers.abs().median() or 0)  # type: ignore[arg-type]
        units = (("s", 1e8, 1e11), ("ms", 1e11, 1e14), ("us", 1e14, 1e17))
        yield from ({"epoch": unit} for unit, low, high in units if low <= size < high)
        return
    yield {}
    if dtype == UTC_MICROSECONDS:
        yield {"zone": "UTC"}
    yield from ({"format": each} for each in _FORMATS if "%z" in each or "%H" not in each)
    yield from ({"format": each, "zone": "UTC"} for each in _FORMATS if "%H" in each)


def _ways_of_numbers(values: pl.Series) -> Iterator[dict[str, Any]]:
    yield {}
    signs = sorted(set(values.str.extract(_SIGN).drop_nulls()))
    without = {"without": signs} if 0 < len(signs) <= _MOST_SIGNS else {}
    yield from ({"decimal": mark} | without for mark in (".", ","))


def _other_way(
    look: Glimpse, name: str, taken: set[str], source: Source, timezone: str
) -> tuple[Any, str] | None:
    """Where what must be there could come from, when no column is called like it."""
    dtype = dtypes(source.contract)[name]
    if dtype == UTC_MICROSECONDS:
        return _only_one(look, name, dtype, taken, timezone, "times")
    if dtype.is_numeric():
        return _only_one(look, name, dtype, taken, timezone, "numbers")
    said = " ".join([look.file.name, *look.columns])
    if name == "currency":
        return _currency(look, taken, said)
    if name == "kind":
        kinds = [kind for kind, words in _KINDS.items() if re.search(words, said.lower())]
        return ({"constant": kinds[0]}, "by the names of file and columns") if kinds else None
    if name == "survey":
        stem = re.match(r"[^\W\d]+", look.file.name.rsplit("/", 1)[-1])
        return ({"constant": stem[0]}, "by the name of the file") if stem else None
    return None


def _only_one(
    look: Glimpse, name: str, dtype: pl.DataType, taken: set[str], timezone: str, kind: str
) -> tuple[Any, str] | None:
    """The only column that is left and can be read as a type."""
    read = {
        theirs: found
        for theirs in look.values
        if theirs not in taken
        and (found := _readable(look, name, theirs, dtype, timezone))
        and _is_plain(found[0])
    }
    if len(read) != 1:
        return None
    ((theirs, (expression, how)),) = read.items()
    taken.add(theirs)
    return expression, f"no other column holds {kind}; {how}"


def _is_plain(expression: Any) -> bool:
    """Whether nothing but money signs is taken out, which K003 and R-1001 would need."""
    signs = expression.get("without", []) if isinstance(expression, dict) else []
    return all(sign in _CURRENCIES or unicodedata.category(sign[0]) == "Sc" for sign in signs)


def _currency(look: Glimpse, taken: set[str], said: str) -> tuple[Any, str] | None:
    """A column of nothing but currencies, or the one that a name tells."""
    for theirs, values in look.values.items():
        known = {value for value in values if value is not None}
        if theirs not in taken and known and known <= _CURRENCIES:
            taken.add(theirs)
            return theirs, "its values are currencies"
    codes = set(re.findall(r"\b[A-Z]{3}\b", said)) & _CURRENCIES
    return ({"constant": codes.pop()}, "as a name says") if len(codes) == 1 else None


def _doubts(said: dict[str, Any]) -> Iterator[str]:
    if "zone" in said:
        yield "they have no offset: is UTC their zone?"
    if said.get("format", "").startswith(("%d/%m", "%m/%d")):
        yield "is it the day that comes first, or the month?"
    if "without" in said:
        yield f"{' and '.join(said['without'])} is taken out: does currency say the same?"
