"""The proof that a person is nowhere in a home: every file of it is looked through."""

import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from pipelines.forgetting.contents import holds, packing
from pipelines.forgetting.matching import Ids
from pipelines.forgetting.person import landing_paths
from pipelines.home import Home
from pipelines.landing.files import CHUNK, Unreadable
from pipelines.publish.shelf import RUNS
from pipelines.warehouse.disk import sha256_of

# Shorter ids stand in packed bytes by chance.
_LEAST_RAW_BYTES = 8
_OVERLAP = 4096


@dataclass(frozen=True)
class Proof:
    """What a scan came to; ``found`` says where an id stands, or what could not be looked into."""

    files: int
    bytes: int
    found: list[str]


def prove(home: Home, ids: Collection[str]) -> Proof:
    """Look for the ids in the names, the bytes and the content of every file of a home."""
    matcher = Ids(ids)
    raw = Ids({_as_latin(each) for each in ids if len(each.encode()) >= _LEAST_RAW_BYTES})
    encodings = {each.path: each.encoding for each in landing_paths(home)}
    found, count, size = [], 0, 0
    for path in files_of(home):
        count += 1
        size += path.stat().st_size
        if matcher.stand_in(str(path.relative_to(_root(home, path)))):
            found.append(f"{path}: an id stands in its name: rename it")
        try:
            if holds(path, matcher, encodings.get(path, "utf-8")) or _holds_raw(path, raw):
                found.append(f"{path}: an id stands in it")
        except (Unreadable, OSError) as error:
            found.append(f"{path} could not be looked into: {error}")
    return Proof(count, size, found)


def checksums(home: Home) -> dict[Path, str]:
    """SHA-256 of every file of a home; of what is published only what readers see, by its name."""
    behind = home.bi / RUNS
    files = [path for path in files_of(home) if not path.is_relative_to(behind)]
    links = [path for path in home.bi.glob("[!.]*") if path.is_symlink() and path.is_file()]
    return {path: sha256_of(path) for path in (*files, *links)}


def files_of(home: Home) -> Iterator[Path]:
    """Every file of a home once, not by the links to it."""
    elsewhere = (home.landing, home.warehouse, home.bi)
    for root in (home.root, *(each for each in elsewhere if not each.is_relative_to(home.root))):
        for folder, _, names in os.walk(root):
            for name in sorted(names):
                path = Path(folder, name)
                if path.is_symlink() and path.resolve().is_relative_to(root.resolve()):
                    continue
                if path.is_file():
                    yield path


def _root(home: Home, path: Path) -> Path:
    roots = (home.root, home.landing, home.warehouse, home.bi)
    return next(root for root in roots if path.is_relative_to(root))


def _as_latin(text: str) -> str:
    return text.encode().decode("latin-1")


def _holds_raw(path: Path, raw: Ids) -> bool:
    """Whether an id stands in the bytes of a packed file; of any other these are its content."""
    if path.suffix not in (".parquet", ".sqlite", ".duckdb") and packing(path) is None:
        return False
    held = ""
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            text = held + chunk.decode("latin-1")
            if raw.stand_in(text):
                return True
            held = text[-_OVERLAP:]
    return False
