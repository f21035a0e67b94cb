"""``tidemark quarantine``: what was refused and why, with samples, for people and for scripts."""

import json
from pathlib import Path
from typing import Any

import pytest
from homes import Kept, command, event, land, land_bytes, make_home, run_home

RAW = {"event_id": "b", "event_name": "click", "event_ts": "soon", "user_id": "ada"}
WITHOUT_NAME = {"event_id": "c", "event_ts": "2025-01-09T00:00:00Z", "user_id": "ada"}
CLICKS = b"event,event_ts,user_id\nclick,2025-01-03T00:00:00Z,ada\n"
TIMES = "event_ts is not an ISO 8601 timestamp such as 2024-03-05T12:34:56+01:00"
ORDERS = "orders.ndjson"
EARLY = "event_ts lies more than a day after the landing date"


def order(order_id: str, **columns: Any) -> dict[str, Any]:
    row = {"order_id": order_id, "customer_id": "ada", "ordered_ts": "2025-01-03T12:00:00Z"}
    return {**row, "amount": 9, "currency": "XAU", **columns}


@pytest.fixture(scope="module")
def kept(module_folder: Path) -> Kept:
    root = make_home(module_folder / "home", "refused_rows_limit = 1.0\n")
    land(root, "2025-01-02", [event("a", "2025-01-01T10:00:00"), RAW, WITHOUT_NAME])
    land(root, "2025-01-03", [{**RAW, "event_id": "f"}, {**RAW, "event_id": "e" * 200}])
    land_bytes(root, "2025-01-03", CLICKS, "clicks.csv")
    land(root, "2025-01-04", [order("o1"), order("o2", currency="EUR")], ORDERS, "orders")
    run_home(root, select=["orders"])
    return Kept(root)


@pytest.fixture
def home(kept: Kept) -> Path:
    """Four rows with five flaws, a file with a flaw of its own, and an order in gold."""
    return kept.restore()


def test_every_reason_stands_with_its_rows_files_days_and_the_last_of_its_rows(home: Path) -> None:
    third = '    events/2025-01-02/events.ndjson:3  {"event_id": "c", "event_ts": '
    third += '"2025-01-09T00:00:00Z", "user_id": "ada"}'
    assert command(home, "quarantine", "events").out.splitlines() == [
        "events: 1 files refused, 4 rows refused in 2 files, 0 rows waiting",
        "  file refused: events/2025-01-03/clicks.csv: the file has no column event_name, which "
        "[sources.events] does not map either; did you mean event_ts?",
        f"  refused 3 in 2 files, landed 2025-01-02 to 2025-01-03: {TIMES}",
        '    events/2025-01-03/events.ndjson:1  {"event_id": "f", "event_name": "click", '
        '"event_ts": "soon", "user_id": "ada"}',
        f'    events/2025-01-03/events.ndjson:2  {{"event_id": "{"e" * 64}...',
        "  refused 1 in 1 files, landed 2025-01-02: event_name is missing",
        third,
        f"  refused 1 in 1 files, landed 2025-01-02: {EARLY}",
        third,
        "  a row with several reasons is counted under each of them",
    ]


def test_money_without_a_rate_waits_beside_what_is_refused(home: Path) -> None:
    assert command(home, "quarantine", "orders").out.splitlines() == [
        "orders: 0 files refused, 0 rows refused in 0 files, 1 rows waiting",
        "  waiting 1 in 1 files, landed 2025-01-04: no rate of XAU on the day or in the seven days "
        "before",
        "    orders/2025-01-04/orders.ndjson:1",
        "  what waits comes back by itself when exchange_rates has a rate",
    ]


def test_all_sources_are_shown_where_none_is_named(home: Path) -> None:
    said = command(home, "quarantine", "--samples", "0").out
    assert [line for line in said.splitlines() if not line.startswith(" ")] == [
        "events: 1 files refused, 4 rows refused in 2 files, 0 rows waiting",
        "orders: 0 files refused, 0 rows refused in 0 files, 1 rows waiting",
    ]
    assert ".ndjson:" not in said


def test_a_day_or_a_part_of_the_reason_narrows_what_is_shown(home: Path) -> None:
    def firsts(*options: str) -> list[str]:
        said = command(home, "quarantine", "events", "--samples", "0", *options).out
        return said.splitlines()

    assert firsts("--landing-date", "2025-01-02", "--reason", "iso 8601") == [
        "events: 0 files refused, 1 rows refused in 1 files, 0 rows waiting",
        f"  refused 1 in 1 files, landed 2025-01-02: {TIMES}",
    ]
    assert firsts("--reason", "does not map")[0] == (
        "events: 1 files refused, 0 rows refused in 0 files, 0 rows waiting"
    )
    assert firsts("--landing-date", "2025-02-01") == [
        "nothing of events that was asked for is in quarantine"
    ]


def test_scripts_get_every_row_once_with_its_reasons_as_a_line_of_json(home: Path) -> None:
    said = command(home, "quarantine", "--format", "json").out
    found = [json.loads(line) for line in said.splitlines()]
    places = [(row["kind"], row["landing_date"], row["file"], row["line"]) for row in found]
    assert places == [
        ("file refused", "2025-01-03", "clicks.csv", 0),
        ("row refused", "2025-01-02", "events.ndjson", 2),
        ("row refused", "2025-01-02", "events.ndjson", 3),
        ("row refused", "2025-01-03", "events.ndjson", 1),
        ("row refused", "2025-01-03", "events.ndjson", 2),
        ("waiting", "2025-01-04", ORDERS, 1),
    ]
    assert found[2]["reasons"] == ["event_name is missing", EARLY]
    assert json.loads(found[3]["raw"]) == {**RAW, "event_id": "f"}
    assert found[5]["source"] == "orders"


def test_what_moves_a_cursor_is_shown_and_not_done(home: Path) -> None:
    line = b'click\x1b[2J,"[bold]x[/bold]"\n'
    land_bytes(home, "2025-01-05", b"event_name,event_ts\n" + line, "odd.csv")
    run_home(home, select=["events"])
    said = command(home, "quarantine", "events", "--landing-date", "2025-01-05").out
    assert "\x1b" not in said
    assert 'odd.csv:2  click\\x1b[2J,"[bold]x[/bold]"' in said


def test_a_source_that_is_none_is_an_error_that_names_those_there_are(home: Path) -> None:
    outcome = command(home, "quarantine", "event")
    assert outcome.status == 1
    assert outcome.err == (
        "tidemark: there is no source event (did you mean events?); there are: events, "
        "surveys, subscriptions, orders, social_posts, social_accounts, tickets, campaign_costs, "
        "exchange_rates, customers\n"
    )


def test_an_empty_quarantine_says_so(folder: Path) -> None:
    home = make_home(folder / "home", files={"2025-01-01": [event("a", "2025-01-01T10:00:00")]})
    assert "nothing was run yet" in command(home, "quarantine").err
    run_home(home, select=["events"])
    assert command(home, "quarantine").out == "nothing is in quarantine\n"
    assert command(home, "quarantine", "orders").out == "nothing of orders is in quarantine\n"
