"""What was measured, kept as one JSON file each, so that a run that was broken off goes on.

A measurement is of a question (a mapping that says what was measured on what), a contender and a
round. It holds only for the code that it was made with: what is measured with other code is new.
"""

import hashlib
import importlib.metadata
import json
import os
import platform
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

from benchmarks.cost import Cost

_ROOT = Path(__file__).resolve().parent.parent
_OURS = ("pipelines", "transforms", "schemas")
_PACKAGES = ("polars", "pyarrow", "duckdb", "dagster", "pyspark", "chdb")

Record = dict[str, Any]


@cache
def code_of(*places: str) -> str:
    """Digest of the source below the given places of this checkout."""
    hasher = hashlib.blake2b(digest_size=8)
    for place in places:
        path = _ROOT / place
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            hasher.update(f"{file.relative_to(_ROOT)}\0".encode() + file.read_bytes())
    return hasher.hexdigest()


OURS = code_of(*_OURS)


class Measurements:
    """The measurements in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "measured"

    def has(self, question: Mapping[str, Any], contender: str, number: int, code: str) -> bool:
        """Whether this round has been measured with this code."""
        path = self._path(question, contender, number)
        return path.exists() and json.loads(path.read_text(encoding="utf-8"))["code"] == code

    def add(
        self,
        question: Mapping[str, Any],
        contender: str,
        number: int,
        code: str,
        cost: Cost | None,
        **more: Any,
    ) -> None:
        """Keep a measurement; ``cost`` is None for one that failed, ``more`` says why."""
        path = self._path(question, contender, number)
        path.parent.mkdir(parents=True, exist_ok=True)
        record: Record = {
            "question": dict(question),
            "contender": contender,
            "round": number,
            "code": code,
            "cost": asdict(cost) if cost else None,
            "machine": machine(),
            "versions": versions(),
            "load": os.getloadavg()[0],
            **more,
        }
        staged = path.with_suffix(".tmp")
        staged.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        staged.rename(path)

    def all(self) -> Iterator[Record]:
        """Every measurement there is."""
        for path in sorted(self._folder.glob("*/*.json")):
            yield json.loads(path.read_text(encoding="utf-8"))

    def _path(self, question: Mapping[str, Any], contender: str, number: int) -> Path:
        name = "-".join(str(value) for value in question.values())
        return self._folder / name / f"{contender}-{number}.json"


@cache
def machine() -> Record:
    """What was measured on: kind and size, no names."""
    return {
        "cores": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "system": f"{platform.system()} {platform.release().split('-')[0]}",
        "processor": platform.machine(),
    }


@cache
def versions() -> Record:
    """Python and the packages that compute; those of contenders where they are in place."""
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
