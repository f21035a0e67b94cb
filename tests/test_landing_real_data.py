"""Published data through landing alone, held against the figures published with it."""

import os
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
from landing_support import is_conserved, receipt, taken
from real_data import VARIABLE, needs_real_data

from pipelines.landing.files import RawFile

PUBLISHED = Path(os.environ.get(VARIABLE, ""))
pytestmark = needs_real_data


def test_git_commits_arrive_as_late_as_their_publisher_says():
    landed = RawFile(date(2026, 9, 1), "commits.csv.gz", PUBLISHED / "git_pydata/commits.csv.gz")
    columns = {
        "event_id": {"concat": ["repo", {"constant": ":"}, "commit"]},
        "event_name": "kind",
        "event_ts": "author_time",
        "received_ts": "commit_time",
        "user_id": "author_id",
        "platform": "repo",
    }
    result = taken(landed, {"columns": columns}, earliest_event_date=date(1990, 1, 1))
    assert is_conserved(result)
    # Late: arrival less event time, in whole days. By calendar days it would be 58,411 and 19,759.
    assert receipt(result) | {"landing_date": None, "file": None} == {
        "landing_date": None,
        "file": None,
        "status": "read",
        "raw_rows": 303_971,
        "filtered_rows": 0,
        "read_rows": 303_971,
        "landed_rows": 302_671,
        # The commits without an e-mail address: nobody is named.
        "quarantined_rows": 1_300,
        "late_1d_rows": 52_920,
        "late_7d_rows": 36_569,
        "late_30d_rows": 19_554,
        "future_rows": 0,
        "forgotten_rows": 0,
        "unmapped_columns": '["area", "author_name_id", "committer_id", "n_files", "tag"]',
    }
    early = result.landed.filter(pl.col("received_ts") < pl.col("event_ts"))
    assert early.height == 73


def test_oulad_clicks_lie_on_the_days_counted_from_the_start_of_their_course():
    name = "studentVle.tsv.gz"
    landed = RawFile(date(2026, 9, 1), name, PUBLISHED / "oulad_aaa_bbb" / name)
    starts = {"2013B": "2013-02-01", "2013J": "2013-10-01", "2014J": "2014-10-01"}
    columns = {
        "event_name": {"constant": "click"},
        "event_ts": {"base": {"column": "code_presentation", "values": starts}, "days": "date"},
        "user_id": "id_student",
        "platform": {"concat": ["code_module", {"constant": " "}, "code_presentation"]},
        "value": "sum_click",
    }
    filters = [{"column": "code_module", "in": ["AAA"]}]
    result = taken(landed, {"columns": columns, "filters": filters}, timezone="Europe/London")
    assert is_conserved(result)
    per_course = result.landed.group_by("platform").agg(pl.len(), pl.col("user_id").n_unique())
    assert sorted(per_course.rows()) == [("AAA 2013J", 180_982, 378), ("AAA 2014J", 169_316, 357)]
    # Two equal rows are two clicks: each has its own id.
    assert result.landed["event_id"].is_unique().all()
    first = result.landed.filter(pl.col("line") == 2).select("event_ts", "event_date", "extra")
    # Ten days before 1 October 2013, at noon in summer time.
    assert first.row(0) == (
        datetime(2013, 9, 21, 11, tzinfo=UTC),
        date(2013, 9, 21),
        '{"id_site":"546652"}',
    )
