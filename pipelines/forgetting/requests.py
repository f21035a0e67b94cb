"""``forgotten.json``: who was forgotten, as keyed hashes, and which requests are not finished.

The ids themselves stand in it only while a request is pending, sealed so that they open with any
one of them: what a killed command had not finished is found again by the id it was given.
"""

import hmac
import json
import os
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from pipelines.errors import TidemarkError
from pipelines.landing.tombstones import Tombstones
from pipelines.warehouse.disk import cannot_write

FILE = "forgotten.json"
_FORMAT = 1
_KEY_BYTES = 32


@dataclass(frozen=True)
class Pending:
    """A request that is not finished: the key to its ids, wrapped for each of them, by hash."""

    wrapped: Mapping[str, str]
    sealed: str


@dataclass(frozen=True)
class Requests:
    """Everything that was ever asked to be forgotten in a home."""

    path: Path
    key: bytes = field(default=b"", repr=False)
    hashes: frozenset[str] = frozenset()
    pending: tuple[Pending, ...] = ()
    is_sweeping: bool = False

    @classmethod
    def of(cls, root: Path) -> "Requests":
        """Read the file of a home; TidemarkError where it cannot be read."""
        path = root / FILE
        try:
            said = json.loads(path.read_bytes())
            if said["format"] != _FORMAT:
                raise ValueError(f"format {said['format']}, this Tidemark reads {_FORMAT}")
            return cls(
                path,
                bytes.fromhex(said["key"]),
                frozenset(said["forgotten"]),
                tuple(Pending(each["wrapped"], each["sealed"]) for each in said["pending"]),
                said["sweeping"],
            )
        except FileNotFoundError:
            return cls(path)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise TidemarkError(
                f"{path}, which says who was forgotten, cannot be read ({error}): restore it from "
                "a backup. Nothing is taken in without it, so that nobody comes back"
            ) from error

    @property
    def tombstones(self) -> Tombstones:
        """What the door of landing goes by."""
        return Tombstones(self.key, self.hashes)

    @property
    def is_pending(self) -> bool:
        """Whether anything was begun and not finished."""
        return bool(self.pending) or self.is_sweeping

    def said(self) -> str:
        """What to say of requests that are not finished."""
        if self.pending:
            return "a person was not forgotten to the end: run `tidemark forget ID` once more"
        return "`tidemark forget --sweep` did not come to its end: run it once more"

    def ids_of(self, person_id: str) -> set[str]:
        """All ids of pending requests that this id is part of."""
        found: set[str] = set()
        hashed = self.tombstones.hash_of(person_id)
        for each in self.pending:
            if hashed in each.wrapped:
                key = _crypt(bytes.fromhex(each.wrapped[hashed]), self._wrapping_key(person_id))
                found |= set(json.loads(_crypt(bytes.fromhex(each.sealed), key)))
        return found

    def begun(self, ids: Iterable[str]) -> "Requests":
        """With tombstones of these ids, pending; requests that they finish are one with theirs."""
        known = replace(self, key=self.key or secrets.token_bytes(_KEY_BYTES))
        hashes = {each: known.tombstones.hash_of(each) for each in sorted(ids)}
        content_key = secrets.token_bytes(_KEY_BYTES)
        sealed = _crypt(json.dumps(sorted(hashes)).encode(), content_key).hex()
        wrapped = {
            hashed: _crypt(content_key, known._wrapping_key(each)).hex()
            for each, hashed in hashes.items()
        }
        others = [each for each in self.pending if not set(each.wrapped) <= set(wrapped)]
        return replace(
            known,
            hashes=self.hashes | set(hashes.values()),
            pending=(*others, Pending(wrapped, sealed)),
        )

    def done(self, ids: Iterable[str]) -> "Requests":
        """Without the pending requests of these ids."""
        hashes = {self.tombstones.hash_of(each) for each in ids}
        left = [each for each in self.pending if not set(each.wrapped) <= hashes]
        return replace(self, pending=tuple(left))

    def write(self) -> None:
        """Put it on the disk for good, in one step."""
        said = {
            "format": _FORMAT,
            "about": "People who were forgotten, as keyed hashes. Keep it with the home: without "
            "it they come back with the next file that names them.",
            "key": self.key.hex(),
            "forgotten": sorted(self.hashes),
            "pending": [{"wrapped": p.wrapped, "sealed": p.sealed} for p in self.pending],
            "sweeping": self.is_sweeping,
        }
        replace_file(self.path, (json.dumps(said, indent=2) + "\n").encode(), mode=0o600)

    def _wrapping_key(self, person_id: str) -> bytes:
        return hmac.digest(self.key, b"wrap\0" + person_id.encode(), "sha256")


def _crypt(content: bytes, key: bytes) -> bytes:
    """HMAC-SHA256 in counter mode, under a key that is used once; to open is the same again."""
    blocks = range(-(-len(content) // 32))
    stream = b"".join(hmac.digest(key, each.to_bytes(8, "big"), "sha256") for each in blocks)
    return bytes(one ^ other for one, other in zip(content, stream, strict=False))


def replace_file(path: Path, content: bytes, *, mode: int) -> None:
    """Put a file in the place of another in one step that outlives a power cut."""
    fresh = path.with_name(f".{path.name}.new")
    try:
        fresh.unlink(missing_ok=True)
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
        settle(fresh, path)
    except OSError as error:
        raise cannot_write(path, error) from error


def settle(fresh: Path, path: Path) -> None:
    """Sync a finished file, give it its name, and sync that."""
    _sync(fresh)
    fresh.rename(path)
    _sync(path.parent)


def _sync(place: Path) -> None:
    descriptor = os.open(place, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
