"""Published data sets, turned into landing folders. Never part of the project: see the variable."""

import gzip
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl
import pytest
from homes import LONG, only_tables, run_home, scratch
from oracle.activity import TABLES

VARIABLE = "TIDEMARK_REAL_DATA"
_FOLDER = Path(os.environ.get(VARIABLE, ""))

needs_real_data = pytest.mark.skipif(
    not os.environ.get(VARIABLE), reason=f"{VARIABLE} names no folder of published data sets"
)

GIT_SETTINGS = """\
refused_rows_limit = 1.0

[sources.events]
path = "commits.csv"

[sources.events.columns]
event_id = { concat = ["repo", "commit"] }
event_name = "kind"
event_ts = "author_time"
received_ts = "commit_time"
user_id = "author_id"
platform = "repo"
is_bot = "is_bot"
"""

OULAD_STARTS = {"2013B": "2013-02-01", "2013J": "2013-10-01", "2014J": "2014-10-01"}
_STARTS = ", ".join(f'"{code}" = "{day}"' for code, day in OULAD_STARTS.items())
OULAD_SETTINGS = f"""\
timezone = "Europe/London"
week_start = "sunday"
refused_rows_limit = 1.0

[sources.events]
path = "clicks.tsv"

[sources.events.columns]
event_name = {{ constant = "click" }}
user_id = "id_student"
feature = "id_site"
value = "sum_click"
platform = "code_module"
channel = "code_presentation"
event_ts = {{ base = {{ column = "code_presentation", values = {{ {_STARTS} }} }}, days = "date" }}
"""


def read(*names: str, separator: str = ",") -> pl.DataFrame:
    """A packed table of a data set, every column as text."""
    with gzip.open(_FOLDER.joinpath(*names)) as stream:
        return pl.read_csv(stream.read(), infer_schema=False, separator=separator)


def git_commits() -> pl.DataFrame:
    """Commits of twelve projects, with the day on which each arrived (UTC)."""
    commits = read("git_pydata", "commits.csv.gz")
    arrived = pl.col("commit_time").str.to_datetime("%+", time_zone="UTC").dt.date()
    return commits.with_columns(arrived=arrived)


def oulad_clicks() -> pl.DataFrame:
    """Clicks of students; a click of a day arrives on the day after it."""
    clicks = read("oulad_aaa_bbb", "studentVle.tsv.gz", separator="\t")
    start = pl.col("code_presentation").replace_strict(OULAD_STARTS)
    arrived = start.str.to_date() + pl.duration(days=pl.col("date").cast(pl.Int64) + 1)
    return clicks.with_columns(arrived=arrived)


# What tests read of the homes below; all tables where homes are compared byte by byte.
READ = () if LONG else (*TABLES, "ingest_ledger", "metric_alerts")


@contextmanager
def git_home() -> Iterator[Path]:
    """All commits at once, as one home."""
    with _home(GIT_SETTINGS) as home:
        land(git_commits(), home, "commits.csv")
        _run(home)
        yield home


@contextmanager
def oulad_home() -> Iterator[Path]:
    """All clicks at once, as one home."""
    with _home(OULAD_SETTINGS) as home:
        land(oulad_clicks(), home, "clicks.tsv", separator="\t")
        _run(home)
        yield home


def _run(home: Path) -> None:
    # Not beyond the run: a home of the session outlives the tests that ask for few tables.
    with only_tables(*READ):
        run_home(home)


@contextmanager
def _home(settings: str) -> Iterator[Path]:
    with scratch() as folder:
        (folder / "tidemark.toml").write_text(settings, encoding="utf-8")
        yield folder


def land(rows: pl.DataFrame, home: Path, name: str, separator: str = ",") -> None:
    """Write one file per day of arrival, with the columns as they came."""
    # Written once and cut into days: thousands of small files take seconds one by one.
    rows = rows.sort("arrived", maintain_order=True)
    header, *lines = rows.drop("arrived").write_csv(separator=separator).split("\n")
    assert len(lines) == rows.height + 1, "a text runs over several lines"
    done = 0
    for day, count in rows.group_by("arrived", maintain_order=True).len().iter_rows():
        folder = home / "landing" / "events" / day.isoformat()
        folder.mkdir(parents=True, exist_ok=True)
        text = "\n".join([header, *lines[done : done + count], ""])
        (folder / name).write_text(text, encoding="utf-8")
        done += count
