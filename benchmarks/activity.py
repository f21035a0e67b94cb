"""Tidemark against a DuckDB script: the same landed files in, the same activity tables out.

``python -m benchmarks.activity [--events N] [--days N] [--users N]`` makes the events once and
keeps them under build/bench. Each side runs in a process of its own, from nothing; the tables are
compared cell by cell before a time counts.
"""

import argparse
import os
import platform
import shutil
import sys
from pathlib import Path

import duckdb
import polars as pl

from benchmarks.cost import Cost, cost_of
from benchmarks.cost import tidemark as tidemark_command
from pipelines.sample.options import LAST_DAY
from pipelines.sample.sample import write_sample
from tests.oracle.activity import TABLES
from tests.oracle.compare import assert_equal_tables

_FOLDER = Path("build/bench")


def main() -> None:
    """Make the events, run both, compare, print."""
    options = _options()
    data = _FOLDER / f"{options.events}-{options.days}-{options.users}"
    landing = data / "landing"
    if not (data / "truths.json").exists():
        _make(data, options)
    home, out = _FOLDER / "home", _FOLDER / "duckdb"
    for folder in (home, out):
        shutil.rmtree(folder, ignore_errors=True)
    home.mkdir(parents=True)
    (home / "landing").symlink_to(landing.absolute())
    # The tables that the script makes too, and no others.
    chosen = [option for name in TABLES for option in ("--select", name)]
    tidemark = cost_of(tidemark_command("--home", str(home), "run", *chosen))
    script = [sys.executable, "-m", "benchmarks.duckdb_script"]
    duck = cost_of([*script, str(landing / "events"), str(out), LAST_DAY.isoformat()])
    _compare(home / "bi", out)
    _print(options, tidemark, duck)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=20_000_000)
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--users", type=int, default=500_000)
    return parser.parse_args()


def _make(data: Path, options: argparse.Namespace) -> None:
    shutil.rmtree(data, ignore_errors=True)
    (data / "landing").mkdir(parents=True)
    write_sample(
        data / "landing",
        data / "truths.json",
        days=options.days,
        users=options.users,
        events=options.events,
        file_format="parquet",
    )


def _compare(bi: Path, out: Path) -> None:
    for path in sorted(out.glob("*.parquet")):
        found = pl.read_parquet(bi / path.name)
        assert_equal_tables(path.stem, found, pl.read_parquet(path))


def _print(options: argparse.Namespace, tidemark: Cost, duck: Cost) -> None:
    print(
        f"{options.events:,} events of {options.users:,} users over {options.days} days, Parquet;"
        f" {os.cpu_count()} cores, Python {platform.python_version()}, polars {pl.__version__},"
        f" DuckDB {duckdb.__version__}. The tables agree in every cell."
    )
    for name, cost in (("tidemark run", tidemark), ("DuckDB script", duck)):
        print(f"{name:<14} {cost}")
    print(f"DuckDB / Tidemark: {duck.seconds / tidemark.seconds:.2f} wall")


if __name__ == "__main__":
    main()
