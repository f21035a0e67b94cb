"""How a table is registered: its grain, and which slices of its inputs a slice needs."""

import importlib
import inspect
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any, cast

import polars as pl

from pipelines.references import REFERENCES
from pipelines.settings import Settings
from pipelines.warehouse.periods import Grain
from pipelines.warehouse.records import SliceKey
from schemas.base import Promise, Table, dtypes, promise_of

Reach = int | Callable[[Settings], int]


@dataclass(frozen=True)
class Within:
    """The periods from ``before`` before to ``after`` after a slice's own, in the table's grain."""

    before: Reach = 0
    after: Reach = 0


@dataclass(frozen=True)
class UpTo:
    """Every period up to ``after`` periods after a slice's own; -1 for all before its own."""

    after: int = 0


@dataclass(frozen=True)
class Everything:
    """Every slice of the input."""


Reads = Within | UpTo | Everything


@dataclass(frozen=True)
class Spec:
    """One registered table. The first input is the driver: where it has slices, the table has.

    ``also_driven_by`` names further inputs of which that is true.

    ``is_dense`` tables have a slice for every month up to the horizon, whether somebody was there
    or not. ``has_parts``: a day is divided by when its rows landed, see :mod:`.filing`. ``needs``
    names a setting without which the table is empty. ``starts_with`` names the table whose first
    day is a dense table's first, where the driver is not divided by days. ``chunk_rows`` bounds the
    drivers' rows that are read at a time. ``in_memory``: the transform works in memory on what it
    is handed, which the engine that streams would let one core do. ``looks_ahead`` is how many
    days after a slice's own the horizon still shows in it: a period that starts in a slice may end
    after it, such as a week.
    """

    name: str
    by: Grain
    reads: Mapping[str, Reads]
    group: str
    is_dense: bool = False
    has_parts: bool = False
    needs: str | None = None
    starts_with: str | None = None
    also_driven_by: tuple[str, ...] = ()
    chunk_rows: int = 0
    in_memory: bool = False
    looks_ahead: Reach = 7

    def __post_init__(self) -> None:
        if not self.chunk_rows:
            # Day by day beats all at once for what groups by day and person.
            object.__setattr__(self, "chunk_rows", 250_000 if self.by == "day" else 2_000_000)

    @cached_property
    def model(self) -> type[Table]:
        """The schema class of the table's name."""
        module = importlib.import_module(f"schemas.{self.name}")
        name = "".join(word.capitalize() for word in self.name.split("_"))
        return cast(type[Table], getattr(module, name))

    @property
    def title(self) -> str:
        """What the table is, in one sentence: the first line of its schema's module."""
        module = sys.modules[self.model.__module__]
        return (module.__doc__ or "").strip().split("\n")[0]

    @cached_property
    def transform(self) -> Callable[..., pl.LazyFrame]:
        """The function of the table's name; its parameter names are the inputs."""
        module = importlib.import_module(f"transforms.{self.name}")
        return cast(Callable[..., pl.LazyFrame], getattr(module, self.name))

    @cached_property
    def promise(self) -> Promise:
        """Grain, key and order of the table."""
        return promise_of(self.model)

    @cached_property
    def schema(self) -> dict[str, pl.DataType]:
        """Columns and types of the table."""
        return dtypes(self.model)

    @cached_property
    def options(self) -> tuple[str, ...]:
        """Keyword-only parameters of the transform: settings, and ``data_through``."""
        parameters = inspect.signature(self.transform).parameters.values()
        return tuple(p.name for p in parameters if p.kind is p.KEYWORD_ONLY)

    @property
    def drivers(self) -> tuple[str, ...]:
        """The inputs that tell which slices the table has."""
        return (next(iter(self.reads)), *self.also_driven_by)

    @property
    def is_recursive(self) -> bool:
        """Whether a slice needs the table's own earlier slices."""
        return self.name in self.reads

    def option_values(self, settings: Settings) -> dict[str, Any]:
        """The settings that the transform asks for, as plain values."""
        return settings.model_dump(include=set(self.options) - {"data_through", *REFERENCES})

    @property
    def references(self) -> tuple[str, ...]:
        """What the transform asks for of :data:`pipelines.references.REFERENCES`."""
        return tuple(name for name in self.options if name in REFERENCES)


@dataclass(frozen=True)
class SourceTables:
    """Names of the tables that the landing of a source fills."""

    source: str

    @property
    def landed(self) -> str:
        """Accepted rows."""
        return f"landed_{self.source}"

    @property
    def quarantine(self) -> str:
        """Refused rows."""
        return f"quarantine_{self.source}"

    @property
    def receipts(self) -> str:
        """What each file brought."""
        return f"receipts_{self.source}"

    @property
    def names(self) -> tuple[str, str, str]:
        """All three."""
        return self.landed, self.quarantine, self.receipts

    def landing_date(self, table: str, key: SliceKey) -> date:
        """Landing date of a slice of one of the three."""
        return date.fromisoformat(key.part) if table == self.landed else key.period


def reach(value: Reach, settings: Settings) -> int:
    """A reach in periods, where it depends on a setting."""
    return value(settings) if callable(value) else value
