"""What tells one made-up row from another."""

from typing import Final

import polars as pl

from pipelines.sample.dice import Dice

ACTIVE: Final = 0
PASSIVE: Final = 1
BOT: Final = 2
REFUSED: Final = 3

# A key holds the kind of a row and its running number among all rows of that kind.
_ROWS = 1 << 56


def row_keys(kind: int, first: int) -> pl.Expr:
    """A key for each row of a frame whose first row is the ``first`` of its kind."""
    return pl.int_range(pl.len(), dtype=pl.Int64) + kind * _ROWS + first


def refused_key(key: pl.Expr) -> pl.Expr:
    """A key for the malformed likeness of a row."""
    return key + REFUSED * _ROWS


def event_id(key: pl.Expr, dice: Dice) -> pl.Expr:
    """The id of an event: different for different keys, as the draws of a question are."""
    return dice.roll(key, "event id").cast(pl.String)
