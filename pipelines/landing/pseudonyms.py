"""Keyed pseudonyms in the place of ids that name people.

A pseudonym is the first half of HMAC-SHA256 under the company's key, as 32 hexadecimal digits.
Equal ids of all sources get equal pseudonyms, so that people are told apart and joined as before;
without the key nobody can tell whose they are, nor try ids out.
"""

import hmac
import re
from collections.abc import Sequence

import polars as pl

_DIGITS = 32
_OF_THE_KEY = b"tidemark pseudonym key"
# Where reasons quote names of columns: these are values in a file without a header.
_QUOTES = (
    (re.compile(r"; (?:did you mean|there is) .*", re.DOTALL), ""),
    (re.compile(r"the key .* stands twice", re.DOTALL), "a key stands twice"),
    (re.compile(r"names the column .* twice", re.DOTALL), "names a column twice"),
    (re.compile(r"has the column .* twice", re.DOTALL), "has a column twice"),
    (re.compile(r"(not foreseen \(please report it\)|no sound Parquet): .*", re.DOTALL), r"\1"),
)


def fingerprint(key: bytes) -> str:
    """What tells one key from another and gives neither away."""
    return _keyed(key, _OF_THE_KEY)


def pseudonymized(rows: pl.DataFrame, columns: Sequence[str], key: bytes) -> pl.DataFrame:
    """The rows with pseudonyms in these columns of text; null stays null."""
    if not columns:
        return rows
    ids = pl.concat([rows[name].alias("id") for name in columns]).unique().drop_nulls()
    made = [_keyed(key, each.encode()) for each in ids]
    return rows.with_columns(
        pl.col(name).replace_strict(ids, made, return_dtype=pl.String) for name in columns
    )


def without_values(reasons: pl.Series) -> pl.Series:
    """Reasons of refusals without what they quote of the file."""
    distinct = reasons.unique().drop_nulls()
    said = [_without_value(reason) for reason in distinct]
    return reasons.replace_strict(distinct, said, return_dtype=pl.String)


def _without_value(reason: str) -> str:
    for quote, instead in _QUOTES:
        reason = quote.sub(instead, reason)
    return reason


def _keyed(key: bytes, content: bytes) -> str:
    return hmac.digest(key, content, "sha256").hex()[:_DIGITS]
