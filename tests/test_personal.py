"""Personal data in what is published: addresses have stand-ins, and tables still join."""

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from homes import (
    LONG,
    ROOT,
    Kept,
    assert_same_state,
    command,
    event,
    land,
    make_home,
    run_home,
    stored,
    table,
    warehouse_table,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines import registry
from pipelines.publish.personal import without_addresses

HIDDEN = "report = false\n"
SHOWN = HIDDEN + "publish_personal_data = true\n"
JANE, SIX = "Jane.Doe+x@example.co.uk", "2001:db8::8a2e:370:7334"
ADDRESSES = (JANE, "jane@shop.example", "203.0.113.9", SIX, "Jane.Doe+x%40example.co.uk")


def email(address: str) -> str:
    return f"email:{hashlib.sha256(address.encode()).hexdigest()[:16]}"


def ip(address: str) -> str:
    return f"ip:{hashlib.sha256(address.encode()).hexdigest()[:16]}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (JANE, email(JANE)),
        ("o'brien@x.ie", email("o'brien@x.ie")),
        ("müller@bücher.example", email("müller@bücher.example")),
        ("a@xn--bcher-kva.xn--p1ai", email("a@xn--bcher-kva.xn--p1ai")),
        (f"https://x.io/a?email={JANE}&b=1#t", f"https://x.io/a?email={email(JANE)}&b=1#t"),
        ("/a?m=j%40x.io&n=1", f"/a?m={email('j@x.io')}&n=1"),
        ("/a?u=%2Fb%3Fm%3Dj%2540x.io", f"/a?u={email('%2Fb%3Fm%3Dj@x.io')}"),
        ("a@x.io,b@x.io", f"{email('a@x.io')},{email('b@x.io')}"),
        ("mail me: a@x.io.", f"mail me: {email('a@x.io')}."),
        ("203.0.113.9", ip("203.0.113.9")),
        ("http://203.0.113.9:8080/x", f"http://{ip('203.0.113.9')}:8080/x"),
        ("log.203.0.113.9.csv", f"log.{ip('203.0.113.9')}.csv"),
        (SIX, ip(SIX)),
        (f"http://[{SIX}]:80/", f"http://[{ip(SIX)}]:80/"),
        ("1:2:3:4:5:6:7:8", ip("1:2:3:4:5:6:7:8")),
        ("::ffff:203.0.113.9", ip("::ffff:203.0.113.9")),
    ],
)
def test_an_address_within_a_text_becomes_its_stand_in(text: str, expected: str) -> None:
    assert without_addresses(pl.DataFrame({"page": [text]})).item() == expected


@pytest.mark.parametrize(
    "text",
    [
        "@acme",
        "jane@localhost",
        "a @ b.io",
        "1.2.3",
        "1.2.3.4.5",
        "300.1.1.1",
        "v1.2.3.4",
        "10:30:00",
        "2025-01-02T10:30:00",
        "aa:bb:cc:dd:ee:ff",
        "Brand::DE",
        "ad::fb",
        "::",
        "utm:a:b",
        email(JANE),
        ip(SIX),
    ],
)
def test_what_is_no_address_stays(text: str) -> None:
    rows = pl.DataFrame({"page": [text]})
    assert without_addresses(rows) is rows


def test_ids_that_differ_stay_apart_and_null_stays_null() -> None:
    rows = pl.DataFrame({"customer_id": ["a@x.io", "A@x.io", None, "a"], "n": [1, 2, 3, 4]})
    assert without_addresses(rows).rows() == [
        (email("a@x.io"), 1),
        (email("A@x.io"), 2),
        (None, 3),
        ("a", 4),
    ]


@settings(max_examples=1_000 if LONG else 200)
@given(st.lists(st.text("ab1:.@%40 /?=v", max_size=20), unique=True))
def test_stand_ins_hide_all_there_is_at_once_and_keep_texts_apart(texts: list[str]) -> None:
    once = without_addresses(pl.DataFrame({"a": texts}, schema={"a": pl.String}))
    assert without_addresses(once).equals(once)
    # %40 and @ are one address: only texts that say the same may become the same.
    assert once["a"].n_unique() >= len({re.sub("%(25)*40", "@", text) for text in texts})


def test_a_version_of_four_numbers_stays_a_version() -> None:
    rows = [("app_version", "1.2.3.4"), ("country", "1.2.3.4")]
    table = pl.DataFrame(rows, schema=["dimension", "segment"], orient="row")
    assert without_addresses(table).rows() == [rows[0], ("country", ip("1.2.3.4"))]


def test_the_stand_ins_that_the_page_shows_are_those_that_are_made() -> None:
    page = (ROOT / "docs" / "privacy.md").read_text(encoding="utf-8")
    shown = re.findall(r"^\| `([^`]+)` \| `([^`]+)` \|$", page, re.MULTILINE)
    assert len(shown) == 3
    for text, expected in shown:
        assert without_addresses(pl.DataFrame({"a": [text]})).item() == expected


def test_no_published_table_has_a_column_of_free_text() -> None:
    free = {"comment", "page_title", "user_agent", "properties", "extra", "raw", "page_url"}
    for spec in registry.PUBLISHED:
        assert not free & set(spec.schema), spec.name


def order(order_id: str, day: str, customer: str, **columns: Any) -> dict[str, Any]:
    row = {"order_id": order_id, "customer_id": customer, "ordered_ts": f"{day}T12:00:00Z"}
    return {**row, "amount": 9, "currency": "EUR", "campaign": "mail 203.0.113.9", **columns}


@pytest.fixture(scope="module")
def kept(module_folder: Path) -> Kept:
    """Three days of a customer whose id is an address, on pages that hold addresses."""
    root = make_home(module_folder / "home", HIDDEN)
    page = f"https://x.io/a/{ADDRESSES[4]}?email={JANE}&ip={SIX}"
    for day in ("2025-01-30", "2025-01-31", "2025-02-01"):
        visit = event(day, f"{day}T10:00:00", user_id=JANE, page_url=page)
        land(root, day, [visit, event(f"{day}-b", f"{day}T10:00:00", user_id=f"u-{day}")])
        rows = [order(f"o-{day}", day, JANE), order(f"p-{day}", day, "jane@shop.example")]
        land(root, day, rows, "orders.ndjson", "orders")
    land(root, "2025-01-30", [{"customer_id": JANE}], source="customers")
    subscription = {"subscription_id": "s", "customer_id": JANE, "plan": "pro", "amount": 9}
    subscription |= {"currency": "EUR", "interval": "month", "started_ts": "2025-01-01T00:00:00Z"}
    land(root, "2025-02-01", [subscription], source="subscriptions")
    run_home(root)
    return Kept(root)


@pytest.fixture
def home(kept: Kept) -> Path:
    return kept.restore()


def leaks(folder: Path) -> set[tuple[str, str]]:
    """Addresses that any file of the folder holds, in its bytes or in what they mean."""
    found = set()
    for path in (each for each in folder.rglob("*") if each.is_file()):
        text = path.read_bytes().decode("latin-1")
        if path.suffix == ".parquet":
            text += repr(pl.read_parquet(path).to_dicts())
        found |= {(path.name, address) for address in ADDRESSES if address in text}
    return found


def test_no_address_is_in_any_byte_that_is_published(home: Path) -> None:
    assert leaks(home / "bi") == set()
    assert {name for _, name in leaks(home / "warehouse")} == set(ADDRESSES)
    assert warehouse_table(home, "customers")["customer_id"].to_list() == [JANE]


def test_tables_join_on_stand_ins_as_they_did_on_ids(home: Path) -> None:
    known = {email(JANE), email("jane@shop.example")}
    assert set(table(home, "customer_lifetime_value")["customer_id"]) >= known
    assert set(table(home, "customer_months")["customer_id"]) == {email(JANE)}
    assert email(JANE) in set(table(home, "customer_profiles")["customer_id"])
    assert email(JANE) in set(table(home, "sessions")["user_id"])
    page = f"https://x.io/a/{email(ADDRESSES[4].replace('%40', '@'))}"
    assert page in set(table(home, "pages_daily")["page"])
    entries = table(home, "sessions").filter(user_id=email(JANE))["entry_page"].unique()
    assert entries.to_list() == [f"{page}?email={email(JANE)}&ip={ip(SIX)}"]
    assert set(table(home, "campaigns_daily")["campaign"]) == {f"mail {ip('203.0.113.9')}"}


def test_published_tables_keep_their_keys_and_their_order(home: Path) -> None:
    for spec in registry.PUBLISHED:
        if (home / "bi" / f"{spec.name}.parquet").exists():
            shown = table(home, spec.name)
            assert not shown.select(spec.promise.key).is_duplicated().any(), spec.name
            order = shown.select(spec.promise.order)
            assert order.equals(order.sort(order.columns)), spec.name


def test_a_setting_publishes_addresses_and_takes_them_back_without_a_restatement(
    home: Path,
) -> None:
    before = stored(home)
    (home / "tidemark.toml").write_text(SHOWN)
    said = command(home, "run").out
    assert "are others now" not in said
    assert JANE in set(table(home, "customer_months")["customer_id"])
    assert table(home, "restatements").is_empty()
    (home / "tidemark.toml").write_text(HIDDEN)
    assert "are others now" not in command(home, "run").out
    assert table(home, "restatements").is_empty()
    # Nor are they in the publications that are kept for readers in the middle of one.
    assert leaks(home / "bi") == set()
    assert_same_state(stored(home), before)


def test_restatements_name_the_rows_by_what_the_tables_call_them(home: Path) -> None:
    late = order("late", "2025-01-30", JANE, amount=5)
    land(home, "2025-02-02", [late], "orders.ndjson", "orders")
    visits = [event("late", "2025-01-30T11:00:00", user_id=JANE, page_url=f"/b/{JANE}")]
    land(home, "2025-02-02", visits)
    run_home(home)
    log = table(home, "restatements")
    assert f'"page":"/b/{email(JANE)}"' in " ".join(log["key"])
    assert leaks(home / "bi") == set()


def test_a_log_that_named_addresses_names_them_no_more_once_they_are_taken_back(
    home: Path,
) -> None:
    (home / "tidemark.toml").write_text(SHOWN)
    run_home(home)
    visits = [event("late", "2025-01-30T11:00:00", user_id=JANE, page_url=f"/b/{JANE}")]
    land(home, "2025-02-02", visits)
    land(home, "2025-02-02", [], "orders.ndjson", "orders")
    run_home(home)
    log = table(home, "restatements")
    assert JANE in " ".join(log["key"])
    (home / "tidemark.toml").write_text(HIDDEN)
    run_home(home)
    assert leaks(home / "bi") == set()
    after = table(home, "restatements")
    assert (
        after.drop("key", "published_at")
        .sort(pl.all())
        .equals(log.drop("key", "published_at").sort(pl.all()))
    )


def test_a_narrow_run_leaves_what_it_does_not_touch_and_says_so(home: Path) -> None:
    (home / "tidemark.toml").write_text(SHOWN)
    run_home(home)
    (home / "tidemark.toml").write_text(HIDDEN)
    run_home(home, select=["customer_months"])
    said = json.loads((home / "bi" / "publication.json").read_text())["tables"]
    assert not said["customer_months"]["with_addresses"]
    assert said["sessions"]["with_addresses"]
    assert email(JANE) in set(table(home, "customer_months")["customer_id"])
    run_home(home)
    assert leaks(home / "bi") == set()
