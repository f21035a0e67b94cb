"""Staff whose flag arrives late: gone from every table, and nothing else is rebuilt for it."""

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from homes import (
    assert_same_state,
    event,
    land,
    make_home,
    run_home,
    scratch,
    stored,
    table,
    warehouse_table,
)

from pipelines.registry import PUBLISHED

NIGHT = "2025-01-04"
BOB = {"user_id": "bob"}
EVENTS = [
    event("a1", "2025-01-01T10:00:00"),
    event("a2", "2025-01-02T10:00:00"),
    event("b1", "2025-01-02T11:00:00", **BOB),
    event("b2", "2025-01-02T12:00:00", **BOB, anonymous_id="phone"),
    event("b3", "2025-01-03T09:00:00", user_id=None, anonymous_id="phone"),
    event("x1", "2025-01-03T09:00:00", user_id=None, anonymous_id="tablet"),
    event("a3", "2025-01-04T10:00:00", anonymous_id="tablet"),
]
OTHERS = {
    "orders": {"order_id": "o", "ordered_ts": "2025-01-02T10:00:00Z", "amount": 5},
    "subscriptions": {
        "subscription_id": "s",
        "plan": "pro",
        "amount": 10,
        "interval": "month",
        "started_ts": "2025-01-01T00:00:00Z",
    },
    "tickets": {"ticket_id": "t", "opened_ts": "2025-01-02T10:00:00Z"},
    "surveys": {
        "response_id": "r",
        "survey": "s",
        "kind": "nps",
        "score": 9,
        "answered_ts": "2025-01-02T10:00:00Z",
    },
}
# Told of files and of runs, not of people.
LEDGERS = {"ingest_ledger", "excluded_daily", "restatements"}


def lands(home: Path) -> None:
    land(home, NIGHT, EVENTS)
    for source, row in OTHERS.items():
        who = "respondent_id" if source == "surveys" else "customer_id"
        money = {"currency": "EUR"} if "amount" in row else {}
        ids = {"orders": "order_id", "subscriptions": "subscription_id"}
        own = ids.get(source) or ("ticket_id" if source == "tickets" else "response_id")
        rows = [{**row, **money, who: name, own: f"{row[own]}-{name}"} for name in ("ada", "bob")]
        land(home, NIGHT, rows, source=source)


def lands_flag(home: Path) -> None:
    flag = {"customer_id": "c7", "user_id": "bob", "is_staff": True}
    land(home, "2025-01-05", [flag, {"customer_id": "ada"}], source="customers")


@pytest.fixture(scope="module")
def homes() -> Iterator[tuple[Path, Path, dict[str, tuple[int, int]]]]:
    """A home that learns of the flag late, one that always knew it, and what the late run did."""
    with scratch() as folder:
        late = make_home(folder / "late")
        lands(late)
        run_home(late)
        assert names(late, "user_days") == {"ada", "bob"}
        lands_flag(late)
        report = run_home(late)
        once = make_home(folder / "once")
        lands(once)
        lands_flag(once)
        run_home(once)
        yield late, once, {each.table: (each.rebuilt, each.changed) for each in report.built}


Homes = tuple[Path, Path, dict[str, tuple[int, int]]]


def names(home: Path, name: str) -> set[str]:
    return set(warehouse_table(home, name)["user_id"])


def test_no_table_knows_them_any_more(homes: Homes) -> None:
    for spec in PUBLISHED:
        if spec.name in LEDGERS or not (homes[0] / "bi" / f"{spec.name}.parquet").exists():
            continue
        rows = table(homes[0], spec.name)
        texts = rows.select(pl.col(pl.String)).rows()
        assert not {"bob", "c7", "phone"} & {text for row in texts for text in row}, spec.name
    assert names(homes[0], "user_days") == {"ada"}
    assert set(table(homes[0], "customer_profiles")["customer_id"]) == {"ada"}
    scores = table(homes[0], "survey_scores").filter(grain="month", dimension="all")
    assert scores["responses"].to_list() == [1]
    months = table(homes[0], "churn_monthly").filter(dimension="all")
    assert months["customers_end"].max() == 1


def test_what_is_left_out_is_counted_by_rule_and_by_file(homes: Homes) -> None:
    # Two by name, on the day after one of the device that was linked to bob the day before.
    daily = table(homes[0], "excluded_daily").sort("date")
    assert daily.select(pl.col("date").dt.day(), "rule", "events", "users").rows() == [
        (2, "staff", 2, 1),
        (3, "staff", 1, 1),
        (4, "staff", 0, 0),
    ]
    ledger = table(homes[0], "ingest_ledger")
    assert dict(ledger.select("source", "excluded_rows").rows()) == {
        "events": 2,
        "orders": 1,
        "subscriptions": 1,
        "tickets": 1,
        "surveys": 1,
        "customers": 1,
    }
    assert table(homes[0], "identities").rows(named=True) == [
        {
            "anonymous_id": "tablet",
            "user_id": "ada",
            "first_link_ts": EVENT_A3,
            "last_link_ts": EVENT_A3,
            "linked_days": 1,
            "events": 1,
        }
    ]


EVENT_A3 = pl.select(pl.datetime(2025, 1, 4, 10, time_zone="UTC")).item()


def test_only_days_on_which_they_did_something_are_rebuilt(homes: Homes) -> None:
    built = homes[2]
    # Every day is judged anew, for anybody might be of staff; two days' people are others then.
    assert built["excluded_events"] == (4, 1)
    assert built["events"] == (1, 1)
    assert built["links"][0] == 1
    # The day whose device was linked to them, and the one on which they were named.
    assert built["user_days"] == (2, 2)
    assert built["duplicate_events"] == (0, 0)


def test_it_is_as_if_it_had_been_known_from_the_start(homes: Homes) -> None:
    assert_same_state(stored(homes[0]), stored(homes[1]))


def test_a_late_link_rebuilds_only_days_of_the_anonymous_id() -> None:
    with scratch() as folder:
        home = make_home(folder / "home")
        phone = {"user_id": None, "anonymous_id": "phone"}
        rows = [event("x1", "2025-01-01T10:00:00", **phone), event("a1", "2025-01-02T10:00:00")]
        rows += [event("x2", "2025-01-03T10:00:00", **phone), event("a2", "2025-01-04T10:00:00")]
        land(home, NIGHT, rows)
        run_home(home, select=["user_days"])
        land(home, "2025-01-05", [event("b1", "2025-01-05T10:00:00", anonymous_id="phone")])
        built = {each.table: each for each in run_home(home, select=["user_days"]).built}
        # The 5th is new, and without an event to stitch.
        assert [f"{day:%d}" for day in built["stitches"].changed_periods] == ["01", "03", "05"]
        assert [f"{day:%d}" for day in built["user_days"].changed_periods] == ["01", "03", "05"]
        # Days without the device are not even looked at again.
        assert built["user_days"].rebuilt == 3
        assert built["events"].rebuilt == 1
