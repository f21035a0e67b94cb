"""Peak memory when one large file lands, and when a whole run follows.

``python -m benchmarks.memory [--format ndjson|csv.gz|parquet] [--gigabytes N ...] [--days N]``
makes a file of each size once and keeps it under build/bench. Landing and the run that follows are
measured in processes of their own; ``--days 1`` puts all events on one day.
"""

import argparse
import os
import platform
import shutil
import sys
from pathlib import Path

import polars as pl

from benchmarks.cost import cost_of, tidemark
from benchmarks.large_files import LANDING_DATE, write_large_file
from pipelines.home import open_home
from pipelines.session import writing

_FOLDER = Path("build/bench")


def main() -> None:
    """Make the files, land each, run, print."""
    options = _options()
    if options.land:
        _land(options.land)
        return
    print(
        f"One file of {options.format} with the events of {options.days} days, landed on"
        f" {LANDING_DATE}; {os.cpu_count()} cores, Python {platform.python_version()}, polars"
        f" {pl.__version__}. Sizes are of the same events as unpacked text."
    )
    for gigabytes in options.gigabytes:
        _measure(gigabytes, options)


def _measure(gigabytes: float, options: argparse.Namespace) -> None:
    data = _FOLDER / f"{gigabytes:g}-{options.days}-{options.format}"
    done = data / "done"
    if not done.exists():
        shutil.rmtree(data, ignore_errors=True)
        size = int(gigabytes * 1e9)
        write_large_file(data / "landing" / "events", options.format, size, options.days)
        done.touch()
    home = _FOLDER / "memory-home"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    (home / "landing").symlink_to((data / "landing").absolute())
    landing = cost_of([sys.executable, "-m", "benchmarks.memory", "--land", str(home)])
    files = (home / "warehouse" / "landed_events").glob("*.parquet")
    rows = sum(pl.scan_parquet(path).select(pl.len()).collect().item() for path in files)
    said = f"{gigabytes:5g} GB {rows:12,} events"
    print(f"{said}  landing      {landing}", flush=True)
    if not options.only_landing:
        run = cost_of(tidemark("--home", str(home), "run"))
        print(f"{said}  tidemark run {run}", flush=True)


def _land(home: Path) -> None:
    with writing(open_home(home)) as session:
        session.land()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--format", choices=("ndjson", "csv.gz", "parquet"), default="ndjson")
    parser.add_argument("--gigabytes", type=float, nargs="+", default=[0.67, 2.14])
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--only-landing", action="store_true")
    parser.add_argument("--land", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
