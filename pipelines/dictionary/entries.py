"""What the dictionary says of a table: all of it stands in the schema, the registry, the settings.

Nothing here knows of a home; see :mod:`.examples` for what is shown of one.
"""

import inspect
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import polars as pl

from pipelines import registry
from pipelines.publish.restatements import LOG_SPEC
from pipelines.settings import Settings
from pipelines.warehouse.specs import Spec

# Reading order; groups that are not named here follow in the order of the registry.
_FIRST_GROUPS = (
    "scorecard", "activity", "retention", "sessions", "product", "campaigns", "revenue",
    "lifetime_value", "surveys", "support", "social", "profiles", "ledgers",
)  # fmt: skip
_KINDS = (
    (pl.Int64, "integer"),
    (pl.Float64, "number"),
    (pl.Decimal, "decimal"),
    (pl.String, "text"),
    (pl.Boolean, "true or false"),
    (pl.Date, "date"),
    (pl.Datetime, "timestamp"),
)
_BOUNDS = {
    "greater_than_or_equal_to": ("min_value", "at least {}"),
    "greater_than": ("min_value", "above {}"),
    "less_than_or_equal_to": ("max_value", "at most {}"),
    "less_than": ("max_value", "below {}"),
}


@dataclass(frozen=True)
class ColumnEntry:
    """One column, in words. What it has not is empty."""

    name: str
    kind: str
    unit: str
    description: str
    formula: str
    allowed: str
    nulls: str
    warnings: tuple[str, ...]
    is_key: bool


@dataclass(frozen=True)
class TableEntry:
    """One table. ``made_from`` are the tables it is computed from, ``settings`` those that count.

    ``settings`` are the transform's own, ``inherited_settings`` those of what it is made from.
    """

    name: str
    group: str
    title: str
    summary: str
    paragraphs: tuple[str, ...]
    grain: str
    key: tuple[str, ...]
    warnings: tuple[str, ...]
    made_from: tuple[str, ...]
    sources: tuple[str, ...]
    settings: tuple[str, ...]
    inherited_settings: tuple[str, ...]
    columns: tuple[ColumnEntry, ...]


def all_entries() -> list[TableEntry]:
    """Every table that can be published, group by group."""
    return entries_of([*registry.PUBLISHED, LOG_SPEC])


def entries_of(specs: Sequence[Spec]) -> list[TableEntry]:
    """The given tables, group by group."""
    groups = list(dict.fromkeys([*_FIRST_GROUPS, *(spec.group for spec in specs)]))
    ordered = sorted(specs, key=lambda spec: groups.index(spec.group))
    return [_entry(spec.name) for spec in ordered]


def settings_of(entries: Sequence[TableEntry]) -> dict[str, str]:
    """What the settings mean that shape any of the tables, by name."""
    named = {name for entry in entries for name in entry.settings + entry.inherited_settings}
    fields = Settings.model_fields
    return {name: fields[name].description or "" for name in fields if name in named}


@cache
def _entry(name: str) -> TableEntry:
    spec = LOG_SPEC if name == LOG_SPEC.name else registry.BY_NAME[name]
    upstream = registry.upstream_of(spec)
    own = () if spec is LOG_SPEC else _settings(spec)
    inherited = {name for each in upstream for name in _settings(each)} - set(own)
    summary, *paragraphs = _paragraphs(inspect.getdoc(spec.model) or "")
    return TableEntry(
        name=name,
        group=spec.group,
        title=spec.title,
        summary=summary,
        paragraphs=tuple(paragraphs),
        grain=spec.promise.grain,
        key=spec.promise.key,
        warnings=spec.promise.warnings,
        made_from=tuple(each for each in spec.reads if each != name),
        sources=tuple(registry.sources_of(spec)),
        settings=own,
        inherited_settings=tuple(sorted(inherited)),
        columns=tuple(
            _column(column, spec.promise.key) for column in spec.model.to_schema().columns.values()
        ),
    )


def _settings(spec: Spec) -> tuple[str, ...]:
    return tuple(name for name in spec.options if name in Settings.model_fields)


def _paragraphs(text: str) -> list[str]:
    return [" ".join(each.split()) for each in text.split("\n\n")]


def _column(column: Any, key: Sequence[str]) -> ColumnEntry:
    said = column.metadata or {}
    return ColumnEntry(
        name=column.name,
        kind=_kind(column.dtype.type),
        unit=said.get("unit", ""),
        description=column.description,
        formula=said.get("formula", ""),
        allowed=_allowed(column.checks),
        nulls=_nulls(column, said.get("formula", "")),
        warnings=tuple(_settling(said)),
        is_key=column.name in key,
    )


def _kind(dtype: pl.DataType) -> str:
    return next(kind for base, kind in _KINDS if dtype.base_type() is base)


def _settling(said: dict[str, str]) -> Iterator[str]:
    if "warning" in said:
        yield said["warning"]
    if "settles" in said:
        yield f"Known later: {said['settles']}"


def _allowed(checks: Sequence[Any]) -> str:
    parts = []
    for check in checks:
        if check.name in _BOUNDS:
            bound, text = _BOUNDS[check.name]
            parts.append(text.format(f"{check.statistics[bound]:,g}"))
        elif check.name == "isin":
            parts.append(f"one of {', '.join(map(str, check.statistics['allowed_values']))}")
    # Nobody expects less than none.
    return ", ".join(parts) if parts != ["at least 0"] else ""


def _nulls(column: Any, formula: str) -> str:
    if not column.nullable:
        return ""
    divisor = re.search(r" / (\w+)$", formula)
    if divisor:
        return f"Null where {divisor[1]} is 0 or unknown."
    return "" if "null" in column.description else "May be null."
