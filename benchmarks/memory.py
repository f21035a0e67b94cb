"""Peak memory when one large file lands, and when a whole run follows.

``python -m benchmarks.memory [--formats ndjson csv.gz parquet] [--gigabytes N ...] [--days N]``
makes a file of each format and size once and keeps it under build/bench. Landing and the run that
follows are measured in processes of their own; ``--days 1`` puts all events on one day. The run is
measured after the first format only: it is of the same events after the others.
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

_FORMATS = ("ndjson", "csv.gz", "parquet")
_FOLDER = Path("build/bench")


def main() -> None:
    """Make the files, land each, run, print."""
    options = _options()
    if options.land:
        _land(options.land)
        return
    print(
        f"One file with the events of {options.days} days, landed on"
        f" {LANDING_DATE}; {os.cpu_count()} cores, Python {platform.python_version()}, polars"
        f" {pl.__version__}. Sizes are of the same events as unpacked text."
    )
    for number, form in enumerate(options.formats):
        for gigabytes in options.gigabytes:
            is_run = number == 0 and not options.only_landing
            _measure(form, gigabytes, options.days, is_run=is_run)


def _measure(form: str, gigabytes: float, days: int, *, is_run: bool) -> None:
    data = _FOLDER / f"{gigabytes:g}-{days}-{form}"
    done = data / "done"
    if not done.exists():
        shutil.rmtree(data, ignore_errors=True)
        size = int(gigabytes * 1e9)
        write_large_file(data / "landing" / "events", form, size, days)
        done.touch()
    home = _FOLDER / "memory-home"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    (home / "landing").symlink_to((data / "landing").absolute())
    landing = cost_of([sys.executable, "-m", "benchmarks.memory", "--land", str(home)])
    files = (home / "warehouse" / "landed_events").glob("*.parquet")
    rows = sum(pl.scan_parquet(path).select(pl.len()).collect().item() for path in files)
    said = f"{form:8} {gigabytes:5g} GB {rows:12,} events"
    print(f"{said}  landing      {landing}", flush=True)
    if is_run:
        run = cost_of(tidemark("--home", str(home), "run"))
        print(f"{said}  tidemark run {run}", flush=True)


def _land(home: Path) -> None:
    with writing(open_home(home)) as session:
        session.land()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--formats", nargs="+", choices=_FORMATS, default=_FORMATS)
    parser.add_argument("--gigabytes", type=float, nargs="+", default=[0.67, 2.14])
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--only-landing", action="store_true")
    parser.add_argument("--land", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
