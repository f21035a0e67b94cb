"""``tidemark replay``: refused rows come back after a mapping was mended, and count once."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from homes import (
    Kept,
    assert_same_state,
    command,
    event,
    land,
    land_bytes,
    make_home,
    published,
    run_home,
    stored,
    table,
)

pytestmark = pytest.mark.only_tables("ingest_ledger", "active_users_daily", "lifecycle")
RULES = """\
refused_rows_limit = {limit}
report = false
dimensions = ["platform"]
retention_periods = {{ days = 2, weeks = 2, months = 2 }}
"""
MENDED = """
[sources.events]
columns.event_name = { coalesce = [
    { column = "event_name", optional = true }, { column = "event", optional = true }] }
"""
CLICKS = b"event,event_ts,user_id\nclick,2025-01-03T09:00:00Z,dora\n"


def unnamed(event_id: str, day: str, user: str) -> dict[str, Any]:
    row = event(event_id, f"2025-01-{day}T12:00:00", user_id=user, event=None, platform="web")
    del row["event_name"]
    return {**row, "event": "click"}


def landed(root: Path, settings: str) -> Path:
    """Two days without flaw, a row without a name on the second, and three on the third."""
    home = make_home(root, settings)
    for day in ("01", "02"):
        people = [event(f"{day}-{u}", f"2025-01-{day}T10:00:00", user_id=u) for u in ("ada", "bob")]
        land(home, f"2025-01-{day}", people)
    land(home, "2025-01-02", [unnamed("x", "02", "cyd")], "unnamed.ndjson")
    # x once more: it is the same event, whichever of the two was taken in first.
    third = [unnamed("x", "02", "cyd"), unnamed("y", "03", "ada"), {"event_id": "z"}]
    land(home, "2025-01-03", [*third, event("03-ada", "2025-01-03T10:00:00")])
    land_bytes(home, "2025-01-03", CLICKS, "clicks.csv")
    return home


@pytest.fixture(scope="module")
def kept(module_folder: Path) -> Kept:
    root = landed(module_folder / "home", RULES.format(limit=1.0))
    run_home(root)
    return Kept(root)


@pytest.fixture
def home(kept: Kept) -> Path:
    """Published, with four rows and a file in quarantine."""
    return kept.restore()


def mend(home: Path, limit: float = 1.0) -> None:
    (home / "tidemark.toml").write_text(RULES.format(limit=limit) + MENDED, encoding="utf-8")


def said_of(home: Path, source: str = "events") -> list[str]:
    """What replay says of the quarantine, after what a run says."""
    outcome = command(home, "replay", source)
    assert outcome.status == 0, outcome
    lines = outcome.out.splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith(source + ": "))
    return lines[first:]


def test_a_mended_mapping_brings_rows_and_files_back_and_counts_them_once(home: Path) -> None:
    before = table(home, "ingest_ledger").sort("landing_date", "file")
    counts = ["file", "read_rows", "accepted_rows", "quarantined_rows", "duplicate_rows"]
    assert before.select(counts).rows() == [
        ("events.ndjson", 2, 2, 0, 0),
        ("events.ndjson", 2, 2, 0, 0),
        ("unnamed.ndjson", 1, 0, 1, 0),
        ("clicks.csv", 0, 0, 0, 0),
        ("events.ndjson", 4, 1, 3, 0),
    ]
    mend(home)
    said = said_of(home)
    # x lands twice and is one event: 3 rows come back, of which one is a duplicate.
    assert said[:4] == [
        "events: 4 rows and 1 files were in quarantine; 3 rows and 1 files came back.",
        "  refused now: 1 rows and 0 files; `tidemark quarantine events` shows them",
        "  refused 1: event_name is missing",
        "  refused 1: event_ts is missing",
    ]
    after = table(home, "ingest_ledger").sort("landing_date", "file")
    assert after.select(counts).rows() == [
        ("events.ndjson", 2, 2, 0, 0),
        ("events.ndjson", 2, 2, 0, 0),
        ("unnamed.ndjson", 1, 1, 0, 0),
        ("clicks.csv", 1, 1, 0, 0),
        ("events.ndjson", 4, 2, 1, 1),
    ]


def test_a_replay_says_what_it_restated_and_logs_why(home: Path) -> None:
    dau = [pl.col("column") == "dau", pl.col("key").str.contains('"all"')]
    mend(home)
    assert any(line.startswith("  active_users_daily: ") for line in said_of(home))
    log = table(home, "restatements").filter(pl.col("table") == "active_users_daily")
    assert set(log["cause"]) == {"replay"}
    # cyd on the 2nd beside ada and bob; dora on the 3rd beside ada.
    cells = log.filter(dau).sort("period_start").select("old_value", "new_value")
    assert cells.rows() == [(2.0, 3.0), (1.0, 2.0)]


def test_a_second_replay_changes_nothing_and_says_why(home: Path) -> None:
    mend(home)
    said_of(home)
    before, log = stored(home), table(home, "restatements")
    assert said_of(home)[:3] == [
        "events: 1 rows and 0 files were in quarantine; 0 rows and 0 files came back.",
        "  every landing date was read by today's mapping and rules before, so that what is "
        "refused stays refused: mend [sources.events] in tidemark.toml first",
        "  refused now: 1 rows and 0 files; `tidemark quarantine events` shows them",
    ]
    assert_same_state(stored(home), before)
    assert table(home, "restatements").equals(log)


def test_a_replayed_home_is_byte_for_byte_one_that_was_mended_before_its_first_run(
    home: Path, folder: Path
) -> None:
    mend(home)
    said_of(home)
    once = landed(folder / "once", RULES.format(limit=1.0) + MENDED)
    run_home(once)
    assert_same_state(stored(home), stored(once))


def test_rows_that_a_filter_leaves_out_now_are_neither_back_nor_refused(home: Path) -> None:
    mend(home)
    path = home / "tidemark.toml"
    rule = 'filters = [{ column = "event_ts", not_null = true }]\n'
    path.write_text(path.read_text().replace("[sources.events]\n", "[sources.events]\n" + rule))
    assert said_of(home)[:3] == [
        "events: 4 rows and 1 files were in quarantine; 3 rows and 1 files came back.",
        "  1 rows are refused no more and did not land: filters leave them out, their whole file "
        "is refused now, or it is gone",
        "  refused now: 0 rows and 0 files; `tidemark quarantine events` shows them",
    ]


def test_what_was_withheld_for_its_refused_rows_is_published_after_a_replay(folder: Path) -> None:
    home = landed(folder / "home", RULES.format(limit=0.2))
    # 4 of 9 rows are refused; with the mapping mended 1 of 10.
    outcome = command(home, "run")
    assert outcome.status == 1
    assert "events: 4 of 9 rows landed since the last publication were refused" in outcome.err
    assert not (home / "bi").exists()
    mend(home, limit=0.2)
    assert command(home, "replay", "events").status == 0
    assert published(home)


def test_a_mend_that_is_none_fails_as_a_run_does_and_is_told(folder: Path) -> None:
    home = landed(folder / "home", RULES.format(limit=0.2))
    assert command(home, "run").status == 1
    outcome = command(home, "replay", "events")
    assert outcome.status == 1
    assert "events: 4 rows and 1 files were in quarantine; 0 rows and 0 files" in outcome.out
    assert "above refused_rows_limit = 0.2" in outcome.err


def test_a_source_without_refused_rows_has_nothing_to_replay(home: Path) -> None:
    outcome = command(home, "replay", "orders")
    assert (outcome.status, outcome.err) == (0, "")
    assert outcome.out == (
        "nothing of orders is in quarantine, and all of it was read by today's mapping: there is "
        "nothing to replay\n"
    )


def test_a_mapping_that_refuses_what_it_took_before_is_replayed_too(home: Path) -> None:
    mend(home)
    said_of(home)
    for name in ("events.ndjson", "clicks.csv"):
        (home / "landing/events/2025-01-03" / name).unlink()
    run_home(home, accept_removed=True)
    (home / "tidemark.toml").write_text(RULES.format(limit=1.0), encoding="utf-8")
    assert said_of(home)[:4] == [
        "events: 0 rows and 0 files were in quarantine; 0 rows and 0 files came back.",
        "  refused now: 1 rows and 0 files; `tidemark quarantine events` shows them",
        "  1 of these rows were not refused before: they had landed, or have come since",
        "  refused 1: event_name is missing",
    ]


def test_a_source_that_is_none_is_an_error(home: Path) -> None:
    outcome = command(home, "replay", "event")
    assert outcome.status == 1
    assert "there is no source event (did you mean events?)" in outcome.err
