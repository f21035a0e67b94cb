"""Tidemark against a DuckDB script: the same landed files in, the same activity tables out.

``python -m benchmarks.activity [--events N] [--days N] [--users N]`` makes the events once and
keeps them under build/bench. Each side runs in a process of its own, from nothing; the tables are
compared cell by cell before a time counts.
"""

import argparse
import os
import platform
import resource
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import duckdb
import polars as pl

from pipelines.sample.options import LAST_DAY
from pipelines.sample.sample import write_sample
from tests.oracle.activity import TABLES
from tests.oracle.compare import assert_equal_tables

_FOLDER = Path("build/bench")


@dataclass(frozen=True)
class Cost:
    """What a process took, by the operating system's account."""

    seconds: float
    cpu_seconds: float
    peak_bytes: int


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
    tidemark = _cost(_tidemark("--home", str(home), "run", *chosen))
    script = [sys.executable, "-m", "benchmarks.duckdb_script"]
    duck = _cost([*script, str(landing / "events"), str(out), LAST_DAY.isoformat()])
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


def _tidemark(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "pipelines.cli", *arguments]


def _cost(command: list[str]) -> Cost:
    """Run a command to its end; its own output is only shown where it fails."""
    started = time.perf_counter()
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
    )
    output = process.stdout.read() if process.stdout else b""
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    if status:
        sys.exit(f"{' '.join(command)} failed:\n{output.decode()}")
    return Cost(seconds, usage.ru_utime + usage.ru_stime, _peak_bytes(usage))


def _peak_bytes(usage: resource.struct_rusage) -> int:
    return usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


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
        print(
            f"{name:<14} {cost.seconds:8.1f} s wall {cost.cpu_seconds:8.1f} s cpu"
            f" {cost.peak_bytes / 2**20:8.0f} MiB peak"
        )
    print(f"DuckDB / Tidemark: {duck.seconds / tidemark.seconds:.2f} wall")


if __name__ == "__main__":
    main()
