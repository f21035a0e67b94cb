"""Where the time of a run goes: ``python -m benchmarks.profile_run HOME [--select TABLE ...]``.

Runs the home as ``tidemark run`` does and prints a row per table: wall and CPU seconds, the slices
rebuilt, and what the CPU time was spent on. *compute* is reading and computing (polars collects),
*promise* the check of the schema, *write* checksums, sorting, writing and syncing. *rest* is what
remains: staleness, the manifest, Python. Landing reads in a thread of its own beside filing, so
that its kinds blur; of all other phases each CPU second is where it was spent.
"""

import argparse
import functools
import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

# First of all, as the command does: polars reads settings that this makes when it is loaded.
from pipelines import run as running  # isort: split

import polars as pl

from pipelines.home import open_home
from pipelines.publish import publication, shelf
from pipelines.session import Session
from pipelines.warehouse import bring_up, disk, store

_KINDS = ("compute", "promise", "write")
_WATCHED: Sequence[tuple[str, Any, str]] = (
    ("compute", pl.LazyFrame, "collect"),
    ("promise", bring_up, "check_promise"),
    ("write", store.Store, "put"),
    ("write", disk.Staging, "place"),
    ("write", publication, "parquet_bytes"),
    ("write", publication, "write"),
    ("write", shelf, "sync_file_system"),
)


@dataclass
class Phase:
    """What a table, landing, checks or publication took; ``spent`` is CPU time by kind."""

    name: str
    wall: float = 0.0
    cpu: float = 0.0
    rebuilt: int = 0
    rows: int = 0
    spent: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    @property
    def rest(self) -> float:
        """CPU time of no kind: orchestration and bookkeeping."""
        return self.cpu - sum(self.spent.values())


class Watch:
    """Phases of a run, and within each the time of the innermost watched call."""

    def __init__(self) -> None:
        self.phases: list[Phase] = []
        self._open: list[float] = []

    @contextmanager
    def phase(self, name: str) -> Iterator[Phase]:
        """Everything within is this phase's."""
        phase = Phase(name)
        self.phases.append(phase)
        wall, cpu = time.perf_counter(), time.process_time()
        try:
            yield phase
        finally:
            phase.wall, phase.cpu = time.perf_counter() - wall, time.process_time() - cpu

    def spends(self, kind: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, whose time is told apart from that of the watched calls within it."""

        @functools.wraps(function)
        def watched(*args: Any, **kwargs: Any) -> Any:
            started = time.process_time()
            self._open.append(0.0)
            try:
                return function(*args, **kwargs)
            finally:
                took = time.process_time() - started
                within = self._open.pop()
                if self._open:
                    self._open[-1] += took
                if self.phases:
                    self.phases[-1].spent[kind] += took - within

        return watched


def profiled(home: Path, **options: Any) -> list[Phase]:
    """The phases of one run of a home."""
    watch = Watch()

    def as_phase(function: Callable[..., Any], name: str) -> Callable[..., Any]:
        def named(*args: Any, **kwargs: Any) -> Any:
            with watch.phase(name or args[1].name) as phase:
                result = function(*args, **kwargs)
            if not name:
                phase.rebuilt, phase.rows = result.rebuilt, result.rows
            return result

        return named

    with ExitStack() as patched:
        for kind, owner, name in _WATCHED:
            watched = watch.spends(kind, getattr(owner, name))
            patched.enter_context(patch.object(owner, name, watched))
        for owner, name, phase in (
            (Session, "land", "landing"),
            (Session, "bring_up", ""),
            (Session, "publish", "publication"),
            (running, "newly_broken_checks", "checks"),
        ):
            patched.enter_context(patch.object(owner, name, as_phase(getattr(owner, name), phase)))
        running.run(open_home(home), **options)
    return watch.phases


def table_of(phases: Sequence[Phase]) -> pl.DataFrame:
    """The phases as a table, the dearest first, with their sum at the end."""
    total = Phase("together")
    for phase in phases:
        total.wall, total.cpu = total.wall + phase.wall, total.cpu + phase.cpu
        total.rebuilt += phase.rebuilt
        for kind, seconds in phase.spent.items():
            total.spent[kind] += seconds
    dearest = sorted(phases, key=lambda phase: -phase.cpu)
    return pl.DataFrame(
        {
            "phase": each.name,
            "cpu": each.cpu,
            "wall": each.wall,
            **{kind: each.spent[kind] for kind in _KINDS},
            "rest": each.rest,
            "rebuilt": each.rebuilt,
            "rows": each.rows,
        }
        for each in [*dearest, total]
    )


def main() -> None:
    """Run the home, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("home", type=Path)
    parser.add_argument("--select", nargs="*", default=())
    parser.add_argument("--force", action="store_true")
    parser.add_argument("--json", type=Path, help="write the phases here instead of printing")
    options = parser.parse_args()
    phases = profiled(options.home, select=options.select, force=options.force)
    if options.json:
        options.json.write_text(json.dumps(table_of(phases)[:-1].to_dicts()), encoding="utf-8")
        return
    with pl.Config(
        tbl_rows=-1,
        tbl_cols=-1,
        tbl_width_chars=120,
        tbl_hide_dataframe_shape=True,
        tbl_hide_column_data_types=True,
        float_precision=2,
        thousands_separator=",",
    ):
        print(table_of(phases))


if __name__ == "__main__":
    main()
