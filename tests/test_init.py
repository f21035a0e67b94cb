"""``tidemark init``: a file that loads, a proposal that fits, and nothing written over."""

import re
import shutil
import tomllib
from datetime import date
from decimal import Decimal

import polars as pl
import pytest
from homes import command, land, land_bytes, table
from preset_rows import RECORDS

from pipelines.commands.settings_file import settings_text
from pipelines.home import open_home
from pipelines.landing.presets import load_preset, preset_names
from pipelines.settings import Settings, load_settings

# Rows that land of each vendor's records, doubled ones with them.
LANDED = {
    "amplitude": 5,
    "delighted": 10,
    "ga4": 5,
    "mixpanel": 4,
    "posthog": 7,
    "rudderstack": 5,
    "segment": 5,
    "shopify": 9,
    "shopify_csv": 2,
    "snowplow": 7,
    "stripe": 7,
    "typeform": 4,
    "zendesk": 5,
}
ORDERS = [
    {"order_id": "1", "customer_id": "c", "ordered_ts": "2025-03-31T10:00:00Z", "amount": 5}
    | {"currency": "EUR"}
]


def settings_of(home):
    return tomllib.loads((home / "tidemark.toml").read_text(encoding="utf-8"))


def sound_records(preset):
    return [path for path in (RECORDS / preset).iterdir() if not path.name.startswith("refused")]


def test_every_setting_stands_in_the_file_at_its_default():
    text = settings_text()
    assert tomllib.loads(text) == {}
    assert max(map(len, text.splitlines()[:10])) <= 100
    # Without the marks of comments it says what the defaults are; two have none.
    lines = [line[2:] for line in text.splitlines() if line.startswith("# ")]
    without = [line for line in lines if not re.fullmatch(r"\w+ =", line)]
    assert Settings(**tomllib.loads("\n".join(without))) == Settings()
    said = {re.split(r" =|\]", line.lstrip("["))[0] for line in lines}
    assert set(Settings.model_fields) - {"sources"} <= said
    for name, field in Settings.model_fields.items():
        if name != "sources":
            assert (field.description or "").split()[0] in text


def test_a_new_home_is_made_and_says_what_comes_next(tmp_path):
    home = tmp_path / "new" / "home"
    done = command(home, "init")
    assert (done.status, done.err) == (0, "")
    assert "Nothing has landed yet." in done.out
    assert load_settings(home / "tidemark.toml") == Settings()
    assert open_home(home).landing.is_dir()


def test_the_folder_can_be_named_instead_of_the_home(tmp_path):
    assert command(tmp_path / "other", "init", str(tmp_path / "named")).status == 0
    assert (tmp_path / "named" / "tidemark.toml").exists()
    assert not (tmp_path / "other").exists()


def test_settings_that_are_there_stay(tmp_path):
    (tmp_path / "tidemark.toml").write_text('currency = "USD"\n')
    done = command(tmp_path, "init")
    assert done.status == 1
    assert "tidemark.toml is there already and stays as it is: to have one proposed, rename" in (
        done.err
    )
    assert settings_of(tmp_path) == {"currency": "USD"}


def test_files_with_canonical_columns_need_no_mapping(tmp_path):
    land(tmp_path, "2025-03-31", ORDERS, source="orders")
    done = command(tmp_path, "init")
    assert "orders: events.ndjson: needs no mapping" in done.out
    assert settings_of(tmp_path) == {"sources": {"orders": [{}]}}
    assert load_settings(tmp_path / "tidemark.toml").sources["orders"][0].columns == {}


@pytest.mark.parametrize("preset", preset_names())
def test_a_vendors_files_are_known_and_a_run_takes_them_in(tmp_path, preset):
    source = load_preset(preset).source
    for path in sound_records(preset):
        land_bytes(tmp_path, "2025-03-31", path.read_bytes(), path.name, source)
    done = command(tmp_path, "init")
    assert f": preset {preset}\n" in done.out, done.out + done.err
    assert settings_of(tmp_path) == {"sources": {source: [{"preset": preset}]}}
    ran = command(tmp_path, "run", "--select", "ingest_ledger")
    assert ran.status == 0, ran.out + ran.err
    ledger = table(tmp_path, "ingest_ledger")
    accepted = ledger["accepted_rows"].sum() + ledger["duplicate_rows"].sum()
    assert (accepted, ledger["quarantined_rows"].sum()) == (LANDED[preset], 0)


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    """A home into which the files of all vendors have landed, each in a folder of its own."""
    home = tmp_path_factory.mktemp("everything")
    for preset in preset_names():
        day = home / "landing" / load_preset(preset).source / "2025-03-31"
        shutil.copytree(RECORDS / preset, day / preset, ignore=shutil.ignore_patterns("refused*"))
    return home, command(home, "init")


def test_files_of_many_vendors_have_a_feed_and_a_path_each(everything):
    home, done = everything
    assert done.status == 0, done.err
    feeds = settings_of(home)["sources"]
    found = {feed["preset"]: feed.get("path") for each in feeds.values() for feed in each}
    # A source with files of one kind needs no path.
    alone = {"stripe", "zendesk"}
    assert found == {p: None if p in alone else f"{p}/**/*" for p in preset_names()}


def test_a_first_run_after_init_publishes_what_the_vendors_sent(everything):
    home, _ = everything
    tables = ("ingest_ledger", "active_users_daily", "mrr_movements_monthly", "survey_scores")
    ran = command(home, "run", *(part for name in tables for part in ("--select", name)))
    assert ran.status == 0, ran.out + ran.err
    ledger = table(home, "ingest_ledger")
    assert ledger["quarantined_rows"].sum() == 0
    per_vendor = ledger.group_by(pl.col("file").str.split("/").list.first()).agg(
        rows=pl.col("accepted_rows").sum() + pl.col("duplicate_rows").sum()
    )
    assert dict(per_vendor.rows()) == LANDED
    # Segment u-7 and 42, RudderStack u-8 and 43, GA4 u-9, PostHog u-1 and 77, Mixpanel u-2 and 88,
    # Amplitude u-3 and 99, Snowplow u-4, mob-1 and net-1; anonymous ids are those of users.
    active = table(home, "active_users_daily").filter(dimension="all")
    assert active.select("date", "dau").rows() == [(date(2025, 3, 31), 14)]
    # Two at 29, three seats at 5, one at 1200 a year: 58 + 15 + 100. The trial is none yet.
    march = table(home, "mrr_movements_monthly").filter(dimension="all", month=date(2025, 3, 1))
    assert march["closing_mrr_amount"].to_list() == [Decimal("173.0000")]
    # Delighted: 9, 0 and 10, two promoters and a detractor of three. Typeform: 9 and 0.
    scores = table(home, "survey_scores").filter(kind="nps", grain="day", dimension="all")
    counted = scores.select("survey", "promoters", "detractors", "responses").sort("survey")
    assert counted.rows() == [("delighted nps", 2, 1, 3), ("exit/recommend", 1, 1, 2)]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("t.xlsx", b"PK\x03\x04\x14\0", "t.xlsx: cannot be read"),
        ("t.csv", b"<html><body>502</body></html>", "it is an HTML page"),
        ("t.csv", b'"a\nb",\x03\n1,2\n', "nothing was found for ticket_id, which is required"),
        ("a\nb.csv", b"opened\x1b at;id\n2024-01-01T00:00:00Z;5\n", "look it over"),
    ],
)
def test_whatever_lies_in_landing_the_settings_load(tmp_path, name, content, said):
    land_bytes(tmp_path, "2025-03-31", content, name, "tickets")
    outcome = command(tmp_path, "init")
    assert (outcome.status, outcome.err) == (0, "")
    assert said in outcome.out
    load_settings(tmp_path / "tidemark.toml")
