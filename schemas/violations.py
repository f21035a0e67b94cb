"""A model's checks as polars expressions: one pass tells of every row what is wrong with it.

pandera's own validation gives a frame of failure cases per check; on a night's rows that is many
passes. The expressions here are derived from the same declarations, and a test holds the two
together: they refuse exactly the same rows. Beyond pandera's checks they refuse numbers that are
not finite, and what breaks the rules that :func:`schemas.base.table` states.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pandera.polars as pa
import polars as pl

from schemas.base import Table, promise_of

_HOLDS: dict[str, Callable[[pl.Expr, dict[str, Any]], pl.Expr]] = {
    "greater_than_or_equal_to": lambda c, s: c >= s["min_value"],
    "greater_than": lambda c, s: c > s["min_value"],
    "less_than_or_equal_to": lambda c, s: c <= s["max_value"],
    "less_than": lambda c, s: c < s["max_value"],
    "isin": lambda c, s: c.is_in(list(s["allowed_values"])),
    "str_matches": lambda c, s: c.str.contains(_from_start(s["pattern"])),
    "str_length": lambda c, s: c.str.len_chars().is_between(
        s.get("min_value") or 0, s.get("max_value") or 2**31
    ),
}
_SAYS: dict[str, Callable[[dict[str, Any]], str]] = {
    "greater_than_or_equal_to": lambda s: f"is below {s['min_value']}",
    "greater_than": lambda s: f"is not above {s['min_value']}",
    "less_than_or_equal_to": lambda s: f"is above {s['max_value']}",
    "less_than": lambda s: f"is not below {s['max_value']}",
    "isin": lambda s: f"is none of {', '.join(map(str, s['allowed_values']))}",
    "str_matches": lambda s: f"does not match {s['pattern']}",
    "str_length": lambda s: f"has not {_span(s)} characters",
}


def _from_start(pattern: Any) -> str:
    # As pandera reads it, so that alternatives need brackets: ^a|b is met by any text with a b.
    text = str(getattr(pattern, "pattern", pattern))
    return text if text.startswith("^") else f"^{text}"


def _span(statistics: dict[str, Any]) -> str:
    low, high = statistics.get("min_value") or 0, statistics.get("max_value")
    return f"{low} to {high}" if high is not None else f"{low} or more"


def violations(model: type[Table]) -> Iterator[tuple[str, pl.Expr]]:
    """Each promise of the model about single values: what to say, and where it is broken.

    The expression is true on rows that break the promise and false elsewhere, never null; a null
    breaks only the promise that there is none.
    """
    for name, spec in model.to_schema().columns.items():
        if not spec.nullable:
            yield f"{name} is missing", pl.col(name).is_null()
        if spec.dtype.type in (pl.Float64, pl.Float32):
            broken = ~pl.col(name).is_finite()
            yield f"{name} is not a finite number", broken.fill_null(False)
        for check in spec.checks:
            yield _violation(name, check)
    for text, holds in promise_of(model).rules:
        yield text, (~holds).fill_null(True)


def _violation(name: str, check: pa.Check) -> tuple[str, pl.Expr]:
    if check.name not in _HOLDS:
        raise NotImplementedError(f"column {name}: no expression for the check {check.name}")
    statistics = check.statistics or {}
    holds = _HOLDS[check.name](pl.col(name), statistics)
    return f"{name} {_SAYS[check.name](statistics)}", (~holds).fill_null(False)


def reasons(model: type[Table]) -> pl.Expr:
    """All broken promises of a row, joined by "; "; null where every promise is kept."""
    said = [pl.when(broken).then(pl.lit(text)) for text, broken in violations(model)]
    joined = pl.concat_str(said, separator="; ", ignore_nulls=True)
    return pl.when(joined != "").then(joined).alias("reasons")
