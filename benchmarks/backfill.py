"""A backfill of years, by the command line and by Dagster: how long, and which share is overhead.

``python -m benchmarks.backfill [--days N] [--users N] [--ways cli,sqlite,postgres]`` makes the
sample once and keeps it under build/bench. Each way builds all tables of all days from nothing, in
a process of its own: ``cli`` is ``tidemark run``, the others run Dagster's job over every event day
with its storage in SQLite or in PostgreSQL, whose server is started for it. All ways have to give
the same bytes. Overhead is everything that is not reading, computing, checking and writing data.
"""

import argparse
import json
import os
import platform
import shutil
import sys
from collections import Counter
from contextlib import nullcontext, suppress
from datetime import timedelta
from pathlib import Path

import polars as pl

from benchmarks.cost import Cost, cost_of
from benchmarks.shares import WORK, watched
from pipelines.commands.sample import fill_new_home
from pipelines.sample.options import LAST_DAY

_FOLDER = Path("build/bench")
_SEED = 7


def main() -> None:
    """Make the sample, backfill it in every way, compare, print."""
    options = _options()
    if options.way:
        _backfill(options.way, options.home)
        return
    data = _FOLDER / f"backfill-{options.days}-{options.users}"
    if not (data / "sample_truths.json").exists():
        shutil.rmtree(data, ignore_errors=True)
        fill_new_home(data, days=options.days, users=options.users, seed=_SEED)
    print(
        f"{options.days} days of {options.users:,} users, all sources and tables;"
        f" {os.cpu_count()} cores, Python {platform.python_version()}, polars {pl.__version__}."
    )
    bytes_of_ways = [_measure(way, data) for way in options.ways.split(",")]
    if any(each != bytes_of_ways[0] for each in bytes_of_ways):
        sys.exit("the ways do not give the same bytes")
    print(f"All ways give the same bytes: {len(bytes_of_ways[0])} files.")


def _measure(way: str, data: Path) -> dict[str, bytes]:
    home = _FOLDER / f"backfill-{way}"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    (home / "landing").symlink_to((data / "landing").absolute())
    shutil.copyfile(data / "tidemark.toml", home / "tidemark.toml")
    server = nullcontext({})
    if way == "postgres":
        from tests.postgres import postgres

        server = postgres()
    with server as environment:
        own = [sys.executable, "-m", "benchmarks.backfill", "--way", way, "--home", str(home)]
        os.environ.update(environment)
        cost = cost_of(own)
    _print(way, cost, Counter(json.loads((home / "shares.json").read_text())))
    paths = [
        path for pattern in ("warehouse/*/*.parquet", "bi/*.parquet") for path in home.glob(pattern)
    ]
    return {str(path.relative_to(home)): path.read_bytes() for path in sorted(paths)}


def _backfill(way: str, home: Path) -> None:
    with watched() as shares:
        if way == "cli":
            from pipelines.cli import cli

            sys.argv = ["tidemark", "--home", str(home), "run"]
            with suppress(SystemExit):
                cli()
        else:
            _by_dagster(home)
    (home / "shares.json").write_text(json.dumps(shares))


def _by_dagster(home: Path) -> None:
    import dagster as dg

    from pipelines.home import open_home
    from pipelines.orchestration.nightly import run_in_process
    from pipelines.orchestration.prepare import prepare

    opened, place = open_home(home), (home / "dagster").absolute()
    prepare(Path(__file__).parents[1], place, opened)
    with dg.DagsterInstance.from_config(str(place)) as instance:
        # A month more than landed: what is filed by month has no days left out.
        run_in_process(opened, instance, last=LAST_DAY + timedelta(days=31))


def _print(way: str, cost: Cost, shares: Counter[str]) -> None:
    print(f"{way:<9} {cost}")
    total = shares.total()
    for kind, seconds in shares.most_common():
        print(f"          {seconds:8.1f} s cpu {seconds / total:6.1%}  {kind}")
    print(f"          overhead {1 - shares[WORK] / total:.1%}", flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=1095)
    parser.add_argument("--users", type=int, default=2000)
    parser.add_argument("--ways", default="cli,sqlite")
    parser.add_argument("--way", help=argparse.SUPPRESS)
    parser.add_argument("--home", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
