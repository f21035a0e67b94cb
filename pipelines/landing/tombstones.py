"""Who was forgotten: keyed hashes of ids, and which rows of landing they turn away.

A hash tells nothing of an id to who has not got the key; with it one can only try ids out.
"""

import hmac
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import unquote

import polars as pl

# What stands in landing where a forgotten id stood. It names nobody: a row of it is forgotten too.
BLANK = "(forgotten)"
_LONGEST_NUMBER = 7
_SPLITTERS = (
    re.compile(r"[^\w-]+"),
    re.compile(r"[^\w.@+%-]+"),
    re.compile(r"[^\w.@+%:/|-]+"),
    re.compile(r"[\"',;|\t]+"),
    re.compile(r"[\"',;|\t\s{}\[\]()<>=&?]+"),
)
_ESCAPED = re.compile(r"\\u([0-9a-fA-F]{4})")


def is_number(text: str) -> bool:
    """Whether an id is so short a number that it may stand anywhere and mean anything."""
    return text.isdigit() and len(text) <= _LONGEST_NUMBER


def unescaped(text: str) -> str:
    r"""The text with the characters that ``\u0040``, ``%40`` and ``\/`` stand for."""
    if "\\" in text:
        text = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text).replace("\\/", "/")
    return unquote(text) if "%" in text else text


def tokens(text: str) -> set[str]:
    """Pieces of a text that could be ids, cut in every way in which formats set them apart."""
    found: set[str] = set()
    for form in {text, unescaped(text), *_strings(text)}:
        for splitter in _SPLITTERS:
            pieces = [piece.strip() for piece in splitter.split(form)]
            found.update(pieces, (piece.strip(".:/") for piece in pieces))
    return found - {""}


def _strings(text: str) -> Iterator[str]:
    """The strings of a JSON text, wherever in it, as they are read."""
    for literal in re.findall(r'"(?:[^"\\]|\\.)*"', text):
        try:
            yield str(json.loads(literal, strict=False))
        except ValueError:
            continue


@dataclass(frozen=True)
class Tombstones:
    """Hashes of all ids that are not to be let in; without any, nothing is looked at."""

    key: bytes = field(default=b"", repr=False)
    hashes: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.hashes)

    def hash_of(self, person_id: str) -> str:
        """The keyed hash of an id."""
        return hmac.digest(self.key, person_id.encode(errors="surrogatepass"), "sha256").hex()

    def forgotten(self, ids: pl.Series) -> pl.Series:
        """Which of the ids are forgotten, or were blanked; null is not. Each is hashed once."""
        distinct = ids.unique().drop_nulls()
        found = [each for each in distinct if BLANK in each or self.hash_of(each) in self.hashes]
        return ids.is_in(found).fill_null(False)

    def forgotten_tokens(self, text: str, *, numbers: bool) -> list[str]:
        """Pieces of a text that are forgotten ids; short ``numbers`` only where they are asked."""
        pieces = sorted(piece for piece in tokens(text) if numbers or not is_number(piece))
        return [piece for piece in pieces if self.hash_of(piece) in self.hashes]


NOBODY = Tombstones()
