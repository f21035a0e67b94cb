"""Chance that can be looked up: every draw is a function of the seed, a key and a question.

The same key and question give the same answer in whatever order and on however many threads they
are asked. The function is splitmix64 (Steele, Lea and Flood 2014), written out because the hashes
that polars brings may change from version to version.
"""

from collections.abc import Mapping
from functools import cache
from hashlib import blake2b
from typing import TypeVar

import polars as pl

_GOLDEN = 0x9E3779B97F4A7C15
_SLOTS = 4096
_MILLION = 1_000_000

_Value = TypeVar("_Value", bound=str | int | None)


class Dice:
    """Draws for one seed."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def roll(self, key: pl.Expr, question: str) -> pl.Expr:
        """64 even bits. Different keys never give the same ones to the same question."""
        text = f"{self._seed}/{question}".encode()
        salt = int.from_bytes(blake2b(text, digest_size=8).digest(), "little")
        return _mixed(key.cast(pl.UInt64) * _uint64(_GOLDEN) + _uint64(salt))

    def below(self, limit: int, key: pl.Expr, question: str) -> pl.Expr:
        """An even Int64 from 0 to ``limit`` - 1."""
        return (self.roll(key, question) % _uint64(limit)).cast(pl.Int64)

    def chance(self, share: float | pl.Expr, key: pl.Expr, question: str) -> pl.Expr:
        """True in ``share`` of the cases; an expression gives millionths."""
        limit = share if isinstance(share, pl.Expr) else round(share * _MILLION)
        return self.below(_MILLION, key, question) < limit

    def pick(self, weights: Mapping[_Value, int], key: pl.Expr, question: str) -> pl.Expr:
        """One of the values, as often as its weight says."""
        return chosen(slots(weights), self.below(_SLOTS, key, question))


def chosen(values: pl.Series, index: pl.Expr) -> pl.Expr:
    """The value that stands at ``index``; null where the index is."""
    return pl.lit(values).gather(index)


def slots(weights: Mapping[_Value, int]) -> pl.Series:
    """A list of fixed length in which each value stands as often as its weight says."""
    return _slots(tuple(weights.items()))


@cache
def _slots(weights: tuple[tuple[_Value, int], ...]) -> pl.Series:
    total = sum(weight for _, weight in weights)
    values: list[_Value] = []
    reached = 0
    for value, weight in weights:
        reached += weight
        values += [value] * (reached * _SLOTS // total - len(values))
    return pl.Series(values)


def _mixed(bits: pl.Expr) -> pl.Expr:
    bits = (bits ^ (bits // _uint64(1 << 30))) * _uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits // _uint64(1 << 27))) * _uint64(0x94D049BB133111EB)
    return bits ^ (bits // _uint64(1 << 31))


@cache
def _uint64(value: int) -> pl.Expr:
    return pl.lit(value, dtype=pl.UInt64)
