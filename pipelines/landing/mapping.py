"""The mapping language: where the value of a canonical column comes from in a raw row.

An expression is a string (a column, or a dotted path into nested JSON) or a table with exactly one
of ``column``, ``path``, ``constant``, ``concat``, ``coalesce``, ``plus``, ``minus``, ``times``,
``base`` with ``days``, ``minutes`` or ``seconds``, ``find`` with ``where``, ``file`` or
``content``, and what is then done with the value. Nothing here reads a row.
"""

import re
from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

import polars as pl
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    field_serializer,
    field_validator,
    model_validator,
)

from pipelines.landing.timestamps import works

KINDS = (
    "column",
    "path",
    "constant",
    "concat",
    "coalesce",
    "plus",
    "minus",
    "times",
    "base",
    "find",
    "file",
    "content",
)
Epoch = Literal["s", "ms", "us"]
Decimals = Literal[",", "."]
Scalar = bool | int | float | str | date
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def _known_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError(f"{name!r} is no IANA time zone (such as Europe/Berlin)")
    return name


Zone = Annotated[str, AfterValidator(_known_zone)]


def _as_list(given: Any) -> Any:
    return [given] if isinstance(given, dict) else given


def text_of(value: Scalar) -> str:
    """A setting's value as it would stand in a file."""
    return str(value).lower() if isinstance(value, bool) else str(value)


class Expression(BaseModel):
    """Where a value comes from, and what is done with it: nulls, then values, then its type."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: str | None = Field(None, description="A column, or a dotted path into nested JSON")
    path: tuple[str, ...] | None = Field(None, description="Always a path into nested JSON")
    constant: Scalar | None = Field(None, description="The same value for every row")
    concat: tuple["Expression", ...] | None = Field(None, description="Null if a part is null")
    coalesce: tuple["Expression", ...] | None = Field(
        None, description="The first part that has a value that can be read"
    )
    plus: tuple["Expression", ...] | None = Field(None, description="Exact decimal sum")
    minus: tuple["Expression", ...] | None = Field(None, description="The first less the others")
    times: tuple["Expression", ...] | None = Field(None, description="Exact decimal product")
    base: "Expression | None" = Field(None, description="A date, or a time, that is added to")
    days: "Expression | None" = Field(None, description="Whole days after the date in base")
    minutes: "Expression | None" = Field(None, description="Minutes after the time in base")
    seconds: "Expression | None" = Field(None, description="Seconds after the time in base")
    find: "Expression | None" = Field(None, description="A list, of which one element is taken")
    where: dict[str, Scalar] | None = Field(
        None, description="Path within the element: its value. The first that has them all is taken"
    )
    take: tuple[str, ...] | None = Field(
        None, description="Path within the element; all of it where not given"
    )
    file: str | None = Field(None, description="Regex with one group, searched in the file's name")
    content: Literal[True] | None = Field(
        None, description="An id made of the row's content and its occurrence within the file"
    )

    nulls: tuple[str, ...] = Field((), description="Texts that mean null here")
    extract: str | None = Field(
        None, description="Regex with one group, which is the value; null where it is not found"
    )
    without: tuple[str, ...] = Field((), description='Texts that are taken out of it, such as "$"')
    decimal: Decimals | None = Field(
        None, description="Decimal mark of a number as people write it, with groups of thousands"
    )
    values: dict[str, Scalar] | None = Field(None, description="Table of values")
    default: Scalar | None = Field(None, description="For what is not in the table of values")
    others: Literal["refuse", "keep"] = Field(
        "refuse", description="What becomes of a value that is not in the table of values"
    )
    format: str | None = Field(None, description="strptime format of a timestamp or day")
    zone: Zone | None = Field(None, description="Zone of timestamps without an offset")
    epoch: Epoch | None = Field(None, description="The timestamp is a count since 1970")
    optional: bool = Field(False, description="Null, not an error, where a file lacks the column")
    when: Annotated[tuple["Filter", ...], BeforeValidator(_as_list)] = Field(
        (), description="Null in rows that do not pass all of them; written as filters are"
    )

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, given: Any) -> Any:
        if isinstance(given, str):
            return {"column": given}
        if isinstance(given, date):
            return {"constant": given}
        if isinstance(given, dict | Expression):
            return given
        raise ValueError('write a column\'s name or a table such as { column = "..." }')

    @field_validator("path", "take", mode="before")
    @classmethod
    def _split_path(cls, given: Any) -> Any:
        return given.split(".") if isinstance(given, str) else given

    @field_validator("base", mode="before")
    @classmethod
    def _day_is_constant(cls, given: Any) -> Any:
        if isinstance(given, str) and _DAY.fullmatch(given):
            return {"constant": given}
        return given

    @field_validator("format")
    @classmethod
    def _readable(cls, given: str) -> str:
        if not works(given):
            raise ValueError(f"{given!r} is no format that a time could be read back from")
        return given

    @field_validator("concat", "coalesce", "plus", "minus", "times")
    @classmethod
    def _of_two(cls, parts: tuple["Expression", ...]) -> tuple["Expression", ...]:
        if len(parts) < 2:
            raise ValueError("needs a list of two or more parts")
        return parts

    @field_validator("extract")
    @classmethod
    def _is_linear(cls, pattern: str) -> str:
        try:
            pl.Series([""]).str.extract(pattern)
        except pl.exceptions.PolarsError:
            raise ValueError(f"{pattern!r} is no regular expression that can be read") from None
        return pattern

    @field_validator("file", "extract")
    @classmethod
    def _with_one_group(cls, pattern: str) -> str:
        try:
            groups = re.compile(pattern).groups
        except re.error as error:
            raise ValueError(f"is no regular expression: {error}") from None
        if groups != 1:
            raise ValueError(f"needs exactly one group (...), it has {groups}")
        return pattern

    @model_validator(mode="after")
    def _agrees(self) -> "Expression":
        given = [kind for kind in KINDS if getattr(self, kind) is not None]
        if len(given) != 1:
            said = " and ".join(given) or "none"
            raise ValueError(f"needs exactly one of {', '.join(KINDS)}; given: {said}")
        added = [each for each in (self.days, self.minutes, self.seconds) if each is not None]
        if len(added) != (self.base is not None):
            raise ValueError("base and days belong together; or minutes, or seconds")
        if (self.find is None) != (not self.where) or (self.take and not self.find):
            raise ValueError("find and where belong together, and take to them")
        if self.is_timed and (self.format or self.epoch):
            raise ValueError("say how times are written at the parts of coalesce, or once for all")
        if "" in self.without:
            raise ValueError("without has an empty text")
        if self.decimal and self.values is not None:
            raise ValueError("decimal and values are two ways to read a text; say one of them")
        if self.values == {}:
            raise ValueError("values is an empty table")
        if self.values is None and (self.default is not None or self.others != "refuse"):
            raise ValueError("default and others need values")
        return self

    def with_decimal(self, mark: Decimals | None) -> "Expression":
        """The same, its columns read with this decimal mark where they say none themselves."""
        if mark is None or self.decimal or self.values is not None:
            return self
        if self.column is not None or self.path is not None or self.find is not None:
            return self.model_copy(update={"decimal": mark})
        kinds = ("coalesce", "plus", "minus", "times")
        parts = {kind: getattr(self, kind) for kind in kinds}
        return self.model_copy(
            update={
                kind: tuple(part.with_decimal(mark) for part in theirs)
                for kind, theirs in parts.items()
                if theirs is not None
            }
        )

    def parts(self) -> Iterator["Expression"]:
        """The expressions that this one is made of."""
        for group in (self.concat, self.coalesce, self.plus, self.minus, self.times):
            yield from group or ()
        for single in (self.base, self.days, self.minutes, self.seconds, self.find):
            if single is not None:
                yield single

    def sources(self) -> Iterator["Expression"]:
        """The expressions in it, itself included, that name a column of the file."""
        if self.column is not None or self.path is not None:
            yield self
        for part in (*self.parts(), *(rule.column for rule in self.when)):
            yield from part.sources()

    def finds(self) -> Iterator["Expression"]:
        """The expressions in it, itself included, that look an element up in a list."""
        if self.find is not None:
            yield self
        for part in (*self.parts(), *(rule.column for rule in self.when)):
            yield from part.finds()

    @property
    def is_timed(self) -> bool:
        """Whether parts of ``coalesce`` say how their times are written, each for itself."""
        parts = self.coalesce or ()
        return any(part.format or part.epoch or part.zone for part in parts)

    @property
    def places(self) -> list[tuple[str, tuple[str, ...]]]:
        """Where the value may lie: a column and the keys below it, the first to be tried first."""
        if self.path is not None:
            return [(self.path[0], self.path[1:])]
        keys = (self.column or "").split(".")
        cuts = range(len(keys), 0, -1)
        return [(".".join(keys[:cut]), tuple(keys[cut:])) for cut in cuts]

    @property
    def said(self) -> str:
        """The name as the settings give it."""
        return self.column if self.column is not None else ".".join(self.path or ())


def _by_name(given: Any) -> Any:
    """A list of columns as a table that names each by itself."""
    if not isinstance(given, list):
        return given
    twice = next((name for name in given if given.count(name) > 1), None)
    if twice is not None:
        raise ValueError(f"names the column {twice} twice")
    return {name: name for name in given}


class Unpivot(BaseModel):
    """Columns of a raw row that become rows of their own, one each, in the order given."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    columns: Annotated[dict[str, Expression], BeforeValidator(_by_name)] = Field(
        min_length=1, description="What stands in name: the expression whose value it has"
    )
    name: str = Field("name", min_length=1, description="Column that says which of them it is")
    value: str = Field("value", min_length=1, description="Column that has its value")

    @model_validator(mode="before")
    @classmethod
    def _is_a_table(cls, given: Any) -> Any:
        if isinstance(given, dict | Unpivot):
            return given
        raise ValueError("write a table with columns, name and value")

    @model_validator(mode="after")
    def _agrees(self) -> "Unpivot":
        if self.name == self.value:
            raise ValueError(f"name and value are both {self.name!r}; they are two columns")
        return self

    @field_serializer("columns")
    def _in_order(self, columns: dict[str, Expression]) -> list[Any]:
        # Their order numbers the rows: two settings that differ in it do not read alike.
        return [
            [name, made.model_dump(mode="json", by_alias=True, exclude_defaults=True)]
            for name, made in columns.items()
        ]


class Filter(BaseModel):
    """Rows that are kept. Values are compared as text; a null is in no list."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    column: Expression
    within: tuple[Scalar, ...] | None = Field(None, alias="in")
    not_in: tuple[Scalar, ...] | None = None
    is_null: Literal[True] | None = None
    not_null: Literal[True] | None = None

    @model_validator(mode="after")
    def _agrees(self) -> "Filter":
        tests = (self.within, self.not_in, self.is_null, self.not_null)
        if sum(test is not None for test in tests) != 1:
            raise ValueError("needs exactly one of in, not_in, is_null = true, not_null = true")
        return self


Expression.model_rebuild()
