"""Pseudonyms at the door: no id of a person reaches the warehouse, and people stay who they are."""

import hashlib
import hmac
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from homes import (
    assert_same_state,
    command,
    event,
    land,
    land_bytes,
    make_home,
    run_home,
    stored,
    table,
    warehouse_table,
)
from polars.testing import assert_frame_equal

from pipelines.landing.pseudonyms import fingerprint, pseudonymized, without_values
from pipelines.landing.sources import SOURCES
from schemas.base import dtypes

pytestmark = pytest.mark.only_tables(
    "customer_profiles", "ingest_ledger", "active_users_daily", "lifecycle", "survey_scores"
)
KEY, OTHER = "0123456789abcdef", "fedcba9876543210"
ON = "pseudonymize_ids = true\nrefused_rows_limit = 1.0\n"
PEOPLE = ("ada-lovelace", "bob-anon-7", "cust-ada-1", "cust-bob-2")


def pseudonym(text: str, key: str = KEY) -> str:
    """As the page says: HMAC-SHA256 under the key, the first 32 hexadecimal digits."""
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()[:32]


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Sets the key; it is KEY at first."""

    def give(value: str) -> None:
        monkeypatch.setenv("TIDEMARK_PSEUDONYM_KEY", value)

    give(KEY)
    return give


def landed(root: Path, settings: str = ON) -> Path:
    """Ids of all sources, in columns, extra columns, properties, refused rows and a bare file."""
    ada, bob, cust_ada, cust_bob = PEOPLE
    home = make_home(root, settings)
    first = event("e1", "2025-01-01T10:00:00", user_id=ada, anonymous_id=bob, mail=f"to {ada}")
    second = event(None, "2025-01-01T11:00:00", user_id=ada, properties={"who": ada})  # type: ignore[arg-type]
    refused = {"event_id": "e3", "event_ts": "2025-01-01T12:00:00Z", "user_id": ada, "x": ada}
    land(home, "2025-01-01", [first, second, second, refused])
    twice = f'{{"event_name": "x", "{ada}": 1, "{ada}": 2}}\n'.encode()
    land_bytes(home, "2025-01-01", twice, "twice.ndjson")
    land_bytes(home, "2025-01-01", f"{ada},click,{bob}\n".encode(), "headerless.csv")
    land_bytes(home, "2025-01-01", f"{ada},{ada}\n".encode(), "doubled.csv")
    order: dict[str, Any] = {"order_id": "o1", "customer_id": cust_ada, "amount": 5}
    order |= {"currency": "EUR", "ordered_ts": "2025-01-01T12:00:00Z"}
    land(home, "2025-01-01", [order], source="orders")
    same = {"customer_id": cust_ada, "user_id": ada}
    land(home, "2025-01-01", [same, {"customer_id": cust_bob}], source="customers")
    answer = {"response_id": "r", "survey": "s", "kind": "nps", "score": 9, "respondent_id": ada}
    answer["answered_ts"] = "2025-01-01T12:00:00Z"
    land(home, "2025-01-01", [answer], source="surveys")
    return home


def test_person_ids_are_columns_of_their_contracts_and_no_other_column_looks_like_one() -> None:
    named = {name: source.person_ids for name, source in SOURCES.items() if source.person_ids}
    assert named == {
        "events": ("user_id", "anonymous_id"),
        "surveys": ("respondent_id",),
        "subscriptions": ("customer_id",),
        "orders": ("customer_id",),
        "tickets": ("customer_id",),
        "customers": ("customer_id", "user_id"),
    }
    people = {"user_id", "anonymous_id", "respondent_id", "customer_id"}
    for source in SOURCES.values():
        assert people & set(dtypes(source.contract)) == set(source.person_ids)


def test_equal_ids_get_equal_pseudonyms_in_every_column_and_null_stays_null() -> None:
    rows = pl.DataFrame({"a": ["x", None, "y"], "b": ["y", "x", None], "c": ["x", "x", "x"]})
    expected = pl.DataFrame(
        {
            "a": [pseudonym("x"), None, pseudonym("y")],
            "b": [pseudonym("y"), pseudonym("x"), None],
            "c": ["x", "x", "x"],
        }
    )
    assert_frame_equal(pseudonymized(rows, ["a", "b"], KEY.encode()), expected)
    assert_frame_equal(pseudonymized(rows, [], KEY.encode()), rows)


def test_a_pseudonym_is_what_any_hmac_says() -> None:
    # echo -n ada | openssl dgst -sha256 -hmac 0123456789abcdef
    rows = pl.DataFrame({"a": ["ada"]})
    assert pseudonymized(rows, ["a"], KEY.encode()).item() == pseudonym("ada")
    assert fingerprint(KEY.encode()) != fingerprint(OTHER.encode())


def test_reasons_lose_what_they_quote_and_keep_what_they_say() -> None:
    said = [
        "the file has no column event_name, from which event_name is mapped; did you mean ada?",
        "no row has the key user_id, which [sources.events] does not map either; there is ada, x",
        "the key ada stands twice in one object",
        "the header names the column ada twice",
        "the file has the column ada twice",
        "the file holds what was not foreseen (please report it): ada\nbob",
        "event_ts is missing; user_id is missing",
    ]
    assert without_values(pl.Series(said)).to_list() == [
        "the file has no column event_name, from which event_name is mapped",
        "no row has the key user_id, which [sources.events] does not map either",
        "a key stands twice in one object",
        "the header names a column twice",
        "the file has a column twice",
        "the file holds what was not foreseen (please report it)",
        "event_ts is missing; user_id is missing",
    ]


@pytest.mark.usefixtures("key", "whole_house")
def test_no_id_is_anywhere_in_the_warehouse_or_the_tables(folder: Path) -> None:
    home = landed(folder / "home")
    run_home(home)
    found = []
    for path in [*home.glob("warehouse/*/*.parquet"), *home.glob("bi/*.parquet")]:
        text = repr(pl.read_parquet(path).to_dicts())
        found += [(path.name, who) for who in PEOPLE if who in text]
    for path in (path for path in home.rglob("*") if path.is_file()):
        if "landing" not in path.parts:
            found += [(path.name, who) for who in PEOPLE if who.encode() in path.read_bytes()]
    assert found == []


@pytest.mark.usefixtures("key")
def test_people_are_the_same_people_under_other_names(folder: Path) -> None:
    home, plain = landed(folder / "home"), landed(folder / "plain", "refused_rows_limit = 1.0\n")
    run_home(home)
    run_home(plain)
    ada, _, cust_ada, cust_bob = PEOPLE
    orders = warehouse_table(home, "orders")["customer_id"].to_list()
    assert orders == [pseudonym(cust_ada)]
    assert set(warehouse_table(home, "customers")["customer_id"]) == {
        pseudonym(cust_ada),
        pseudonym(cust_bob),
    }
    assert set(warehouse_table(home, "events")["user_id"]) == {pseudonym(ada)}
    for name in ("active_users_daily", "lifecycle", "survey_scores", "ingest_ledger"):
        assert_frame_equal(table(home, name), table(plain, name))
    names = ["customer_id", "user_id"]
    known = table(plain, "customer_profiles").select(names).rows()
    assert sorted(table(home, "customer_profiles").select(names).rows()) == sorted(
        tuple(pseudonym(each) if each else each for each in row) for row in known
    )


@pytest.mark.usefixtures("key")
def test_ids_from_content_are_equal_for_equal_rows_and_tell_properties_apart(folder: Path) -> None:
    home = landed(folder / "home")
    row = event(None, "2025-01-01T11:00:00", user_id=PEOPLE[0], properties={"who": "x"})  # type: ignore[arg-type]
    land(home, "2025-01-01", [row], "other.ndjson")
    land(home, "2025-01-01", [row], "same.ndjson")
    run_home(home, select=["events"])
    ids = warehouse_table(home, "events").filter(pl.col("event_id") != "e1")["event_id"]
    # Two equal rows of one file stay two; the other one lands twice in two files and is one.
    bare = sorted(each.removesuffix("-2") for each in ids)
    assert len(ids) == 3
    assert len(set(bare)) == 2
    whole = warehouse_table(home, "landed_events")
    assert (whole.height, whole["properties"].null_count(), whole["extra"].null_count()) == (
        5,
        5,
        5,
    )


@pytest.mark.usefixtures("key")
def test_quarantine_keeps_place_and_reasons_and_no_row(folder: Path) -> None:
    home = landed(folder / "home")
    run_home(home, select=["events"])
    rows = warehouse_table(home, "quarantine_events").sort("file", "line")
    assert rows.select("file", "line", "reasons", "raw").rows() == [
        ("doubled.csv", 0, "the header names a column twice", None),
        ("events.ndjson", 4, "event_name is missing", None),
        (
            "headerless.csv",
            0,
            "the file has no column event_name, which [sources.events] does not map either",
            None,
        ),
        ("twice.ndjson", 1, "a key stands twice in one object", None),
    ]
    assert "events.ndjson:4\n" in command(home, "quarantine", "events").out


def test_without_a_key_nothing_is_taken_in_and_the_message_says_how_to_make_one(
    folder: Path, key: Callable[[str], None]
) -> None:
    home = landed(folder / "home")
    for value, said in (("", "is not set"), ("short", "has 5 characters of the 16")):
        key(value)
        outcome = command(home, "run")
        assert outcome.status == 1
        assert f"the environment variable TIDEMARK_PSEUDONYM_KEY {said}" in outcome.err
        assert "openssl rand -hex 32" in outcome.err
    assert not list(home.glob("warehouse/landed_*/*"))


def test_another_key_reads_everything_again_and_is_never_mixed_with_the_first(
    folder: Path, key: Callable[[str], None]
) -> None:
    home = landed(folder / "home")
    run_home(home)
    key(OTHER)
    run_home(home)
    once = landed(folder / "once")
    run_home(once)
    assert set(warehouse_table(home, "events")["user_id"]) == {pseudonym(PEOPLE[0], OTHER)}
    assert_same_state(stored(home), stored(once))


@pytest.mark.usefixtures("key")
def test_the_key_is_stored_nowhere(folder: Path) -> None:
    home = landed(folder / "home")
    run_home(home)
    holding = [p for p in home.rglob("*") if p.is_file() and KEY.encode() in p.read_bytes()]
    assert holding == []


@pytest.mark.usefixtures("key")
def test_turning_pseudonyms_off_ends_as_a_home_that_never_had_them(folder: Path) -> None:
    home = landed(folder / "home")
    run_home(home)
    (home / "tidemark.toml").write_text("refused_rows_limit = 1.0\n")
    run_home(home)
    plain = landed(folder / "plain", "refused_rows_limit = 1.0\n")
    run_home(plain)
    assert_same_state(stored(home), stored(plain))
