"""What `[sources.<name>]` of tidemark.toml may say, and which feed a file belongs to."""

import codecs
import json
import re
from collections.abc import Sequence
from functools import cache
from typing import Annotated, Any, Literal

import polars as pl
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

from pipelines.landing.mapping import Decimals, Epoch, Expression, Filter, Unpivot, Zone
from pipelines.landing.nearest import did_you_mean
from pipelines.landing.presets import load_preset, over_preset
from pipelines.landing.sources import Source
from schemas.base import dtypes

Format = Literal["csv", "ndjson", "parquet"]
ENDINGS: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".json": "ndjson",
    ".parquet": "parquet",
}
COMPRESSED = (".gz", ".zst")


def _as_list(given: Any) -> Any:
    return [given] if isinstance(given, str | dict | BaseModel) else given


class Feed(BaseModel):
    """Files of a source that are read alike. The first feed whose path matches a file reads it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str | None = Field(None, description="For the reader of the settings only")
    preset: str | None = Field(
        None, description="Settings for what a vendor exports; keys beside it hold instead of its"
    )
    path: str = Field("**/*", min_length=1, description="Glob within the landing date's folder")
    format: Format | None = Field(None, description="By the file's ending where not given")
    delimiter: str | None = Field(None, description="One character; tab for .tsv, else a comma")
    header: tuple[str, ...] | None = Field(
        None, description="Columns of CSV files that have no header"
    )
    quotes: bool = Field(True, description="Whether fields of CSV files can stand in quotes")
    unwrap: str | None = Field(
        None,
        min_length=1,
        description="Key of NDJSON under which an object has a list of rows; one without is a row",
    )
    encoding: str = Field("utf-8", description="Encoding of CSV and NDJSON")
    null_values: tuple[str, ...] = Field(("",), description="Texts that mean null")
    zone: Zone | None = Field(None, description="Zone of timestamps without an offset")
    epoch: Epoch | None = Field(None, description="Timestamps are counts since 1970")
    decimal: Decimals | None = Field(
        None, description="Decimal mark of numbers written as people do, with groups of thousands"
    )
    identical_rows: Literal["keep", "drop"] = Field(
        "keep", description="Whether two equal rows of a file without an id are two or one"
    )
    explode: Annotated[tuple[Expression, ...], BeforeValidator(_as_list)] = Field(
        (), description="Column or path of a list, or several; every element is a row of its own"
    )
    unpivot: Unpivot | None = Field(
        None, description="Columns that are each a row of their own, after explode"
    )
    columns: dict[str, Expression] = Field({}, description="Canonical column: where it comes from")
    filters: tuple[Filter, ...] = Field((), description="Rows are kept that pass all of them")

    @model_validator(mode="before")
    @classmethod
    def _with_preset(cls, given: Any) -> Any:
        return over_preset(given) if isinstance(given, dict) else given

    @field_validator("header")
    @classmethod
    def _names_columns(cls, header: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if header is not None and ("" in header or not header):
            raise ValueError("names every column of the file")
        twice = next((name for name in header or () if (header or ()).count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"names the column {twice} twice")
        return header

    @field_validator("delimiter")
    @classmethod
    def _one_character(cls, delimiter: str | None) -> str | None:
        if delimiter is not None and (
            len(delimiter) != 1 or not delimiter.isascii() or delimiter in '"\r\n'
        ):
            raise ValueError("must be one ASCII character, and no quote or line end")
        return delimiter

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, encoding: str) -> str:
        try:
            name = codecs.lookup(encoding).name
            is_text = isinstance(codecs.getincrementaldecoder(name)().decode(b"", True), str)
        except (LookupError, UnicodeError):
            is_text = False
        if not is_text:
            raise ValueError(f"{encoding!r} is no text encoding that Python knows")
        return "utf-8" if name == "utf-8-sig" else name

    @field_validator("explode")
    @classmethod
    def _names_columns_of_lists(cls, explode: tuple[Expression, ...]) -> tuple[Expression, ...]:
        for lists in explode:
            if not lists.model_fields_set <= {"column", "path", "optional"}:
                raise ValueError("takes a column or a path, beside it only optional")
        return explode

    @property
    def made_columns(self) -> list[str]:
        """Columns that are not the file's own but made of its rows before they are mapped."""
        exploded = [lists.said for lists in self.explode]
        return exploded + ([self.unpivot.name, self.unpivot.value] if self.unpivot else [])

    def takes(self, name: str) -> bool:
        """Whether the file of this name, within its landing date, is one of the feed's."""
        return _pattern(self.path).fullmatch(name) is not None

    def format_of(self, name: str) -> Format | None:
        """The format of a file: what the feed says, else what the name ends in."""
        return self.format or ENDINGS.get(ending(name))

    def delimiter_of(self, name: str) -> str:
        """The delimiter of a CSV file."""
        return self.delimiter or ("\t" if ending(name) == ".tsv" else ",")


# `[sources.<name>]` is one feed, `[[sources.<name>]]` are several.
Feeds = Annotated[tuple[Feed, ...], BeforeValidator(_as_list)]


def ending(name: str) -> str:
    """What a name ends in, before .gz or .zst."""
    bare = name.lower()
    for suffix in COMPRESSED:
        bare = bare.removesuffix(suffix)
    last = bare.rsplit("/", 1)[-1]
    return "." + last.rsplit(".", 1)[-1] if "." in last else ""


def feed_of(feeds: Sequence[Feed], name: str) -> int | None:
    """The first feed whose path matches, by its place in the list."""
    return next((i for i, feed in enumerate(feeds) if feed.takes(name)), None)


def check_feeds(source: Source, feeds: Sequence[Feed]) -> None:
    """Refuse mappings of columns that the source's contract does not have."""
    known = list(dtypes(source.contract))
    for feed in feeds:
        _check_preset(source, feed)
        _check_content_ids(source, feed)
        for name in feed.columns:
            if name not in known:
                hint = did_you_mean(name, known)
                raise ValueError(
                    f"[sources.{source.name}] columns.{name}: the source has no such column; {hint}"
                )


def _check_preset(source: Source, feed: Feed) -> None:
    if feed.preset and load_preset(feed.preset).source != source.name:
        other = load_preset(feed.preset).source
        raise ValueError(
            f"[sources.{source.name}] preset {feed.preset} is one of [sources.{other}]: "
            f"put its files under landing/{other}"
        )


def _check_content_ids(source: Source, feed: Feed) -> None:
    made = [name for name, expression in feed.columns.items() if expression.content]
    if len(made) > 1:
        raise ValueError(
            f"[sources.{source.name}] columns {' and '.join(made)} are both made from content; "
            "only one can be"
        )
    for name in made:
        if dtypes(source.contract)[name] != pl.String:
            raise ValueError(f"[sources.{source.name}] columns.{name}: only an id can be content")


def mapping_fingerprint(feeds: Sequence[Feed]) -> str:
    """Canonical JSON of all that shapes a row; two lists of feeds that read alike give the same.

    Whether a mapping came from a preset or was written out makes no difference.

    What stands at its default is left out, so that a new setting does not make old files stale.
    """
    said = [
        feed.model_dump(
            mode="json", by_alias=True, exclude={"name", "preset"}, exclude_defaults=True
        )
        for feed in feeds
    ]
    return json.dumps(said, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


@cache
def _pattern(glob: str) -> re.Pattern[str]:
    tokens = re.split(r"(\*\*/|\*\*|\*|\?|\[[^]]+\])", glob)
    meaning = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    parts = []
    for token in tokens:
        if token.startswith("[") and token.endswith("]"):
            parts.append("[^" + token[2:] if token[1] == "!" else token)
        else:
            parts.append(meaning.get(token) or re.escape(token))
    return re.compile("".join(parts), re.DOTALL)
