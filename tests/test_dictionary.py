"""The dictionary: written from the schemas, of what is published, with nobody's data in it."""

import json
import re
import shutil
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path

import polars as pl
import pytest
from homes import ROOT, command, event, land, make_home, run_home, scratch

from pipelines import registry
from pipelines.commands.dictionary_page import dictionary_page
from pipelines.dictionary.entries import ColumnEntry, TableEntry, all_entries
from pipelines.dictionary.examples import LEFT_OUT, PEOPLE, Shown, example_of
from pipelines.dictionary.page import DICTIONARY
from pipelines.publish.restatements import LOG_SPEC

ENTRIES = all_entries()
STOP_WORDS = set(
    re.findall(
        r"\w+",
        "a an and are at by for from in is it its of on or so that the their them these they this "
        "those to was were with",
    )
)

entries = pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)


def words(text: str) -> set[str]:
    """Words in the singular, without those that say nothing by themselves."""
    found = re.findall(r"[a-z0-9]+", text.lower())
    return {
        word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word
        for word in found
    } - STOP_WORDS


@entries
def test_every_description_says_more_than_the_name(entry: TableEntry) -> None:
    for said in (entry.title, entry.summary):
        assert words(said) - words(entry.name.replace("_", " ")), said
    for column in entry.columns:
        told = words(column.description) - words(column.name.replace("_", " "))
        assert told, f"{column.name}: {column.description!r}"


@pytest.mark.parametrize(
    ("name", "description"),
    [("page_views", "Views of the page"), ("new_user", "The new users"), ("clicks", "")],
)
def test_a_description_that_repeats_the_name_is_found(name: str, description: str) -> None:
    assert not words(description) - words(name.replace("_", " "))


@entries
def test_grain_key_and_origin_of_every_table_are_told(entry: TableEntry) -> None:
    assert entry.grain.startswith("one row per ")
    assert {column.name for column in entry.columns if column.is_key} == set(entry.key)
    if entry.name != LOG_SPEC.name:
        assert entry.made_from
        assert entry.sources


def test_the_words_of_a_column_come_from_its_schema() -> None:
    (entry,) = (entry for entry in ENTRIES if entry.name == "active_users_daily")
    columns = {column.name: column for column in entry.columns}
    assert entry.key == ("date", "dimension", "segment")
    assert entry.warnings[0].startswith("Distinct people do not add up")
    assert entry.made_from == ("user_months", "users", "segments", "plan_months")
    assert entry.settings == ("dimensions", "wau_window_days", "mau_window_days")
    assert {"active_events", "timezone", "stitch_days"} <= set(entry.inherited_settings)
    assert columns["stickiness_ratio"] == ColumnEntry(
        name="stickiness_ratio",
        kind="number",
        unit="fraction",
        description="How much of the month's audience comes on the day",
        formula="dau / mau",
        allowed="at least 0, at most 1",
        nulls="Null where mau is 0 or unknown.",
        warnings=(),
        is_key=False,
    )
    assert columns["days_in_window"].allowed == "at least 1, at most 31"
    # At least none is no news.
    assert columns["dau"].allowed == ""
    assert columns["paying_users"].warnings[0].startswith("By customers' own country")


def test_the_page_of_the_documentation_is_written_from_the_schemas() -> None:
    page = (ROOT / "docs" / "dictionary.md").read_text(encoding="utf-8")
    assert page == dictionary_page()
    for entry in ENTRIES:
        assert f"\n### {entry.name}\n" in page


def column(name: str, formula: str = "") -> ColumnEntry:
    return ColumnEntry(name, "integer", "", "", formula, "", "", (), is_key=False)


def example(folder: Path, frame: pl.DataFrame, **formulas: str) -> tuple[Shown, ...]:
    path = folder / "table.parquet"
    frame.write_parquet(path)
    return example_of(path, tuple(column(n, formulas.get(n, "")) for n in frame.columns))


def test_the_example_is_the_last_complete_row_of_everybody_with_its_formulas_worked(
    folder: Path,
) -> None:
    frame = pl.DataFrame(
        {
            "date": [date(2025, 1, day) for day in (1, 2, 2, 3)],
            "segment": ["all", "all", "web", "all"],
            "dau": [12, 13, 5, 14],
            "mau": [90, 100, 40, 110],
            "stickiness_ratio": [12 / 90, 0.13, 0.125, 14 / 110],
            "mrr_amount": [Decimal("1.5")] * 4,
            "is_complete": [True, True, True, False],
        },
        schema_overrides={"mrr_amount": pl.Decimal(18, 4)},
    )
    # 3 January is not complete, web is not everybody: 2 January of all, 13 / 100.
    assert example(folder, frame, stickiness_ratio="dau / mau", dau="as told") == (
        Shown("2025-01-02"),
        Shown("all"),
        Shown("13"),
        Shown("100"),
        Shown("0.13", "13 / 100"),
        Shown("1.5000"),
        Shown("true"),
    )


def test_of_rows_alike_the_example_is_the_one_that_tells_most(folder: Path) -> None:
    frame = pl.DataFrame({"n": [1, 2, 0, None], "rate": [None, 0.5, None, None]})
    assert example(folder, frame, rate="n / m") == (Shown("2"), Shown("0.5"))
    alike = pl.DataFrame({"n": [1, 2, 3]})
    assert example(folder, alike) == (Shown("3"),)


def test_what_cannot_be_worked_is_not(folder: Path) -> None:
    frame = pl.DataFrame({"n": [4], "m": [None], "rate": [None], "half": [2.0]})
    frame = frame.cast({"m": pl.Int64, "rate": pl.Float64})
    shown = example(folder, frame, rate="n / m", half="median of n")
    assert shown == (Shown("4"), Shown("null"), Shown("null"), Shown("2"))


@pytest.mark.parametrize("name", sorted(PEOPLE))
def test_a_table_of_people_has_no_example(folder: Path, name: str) -> None:
    assert example(folder, pl.DataFrame({name: ["ada"], "orders": [3]})) == ()


def test_ids_are_left_out_and_an_empty_table_has_no_example(folder: Path) -> None:
    frame = pl.DataFrame({"post_id": ["p1"], "likes": [3]})
    assert example(folder, frame) == (Shown(LEFT_OUT), Shown("3"))
    assert example(folder, frame.clear()) == ()


class Page(HTMLParser):
    """What a page says: its sections, the cells of their tables, and what it loads."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tables: dict[str, list[list[str]]] = {}
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.loads: list[str] = []
        self._table = ""
        self._row: list[str] | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        self.ids |= {said["id"]} if "id" in said else set()
        if tag == "a":
            self.links.append(said["href"])
        elif "src" in said or "href" in said:
            self.loads.append(said.get("src") or said["href"])
        if tag == "section" and said.get("class") == "table":
            self._table = said["id"]
            self.tables[self._table] = []
        if tag == "tr" and self._table:
            self._row = []
            self.tables[self._table].append(self._row)
        if tag in ("td", "th") and self._row is not None:
            self._row.append("")

    def handle_endtag(self, tag: str) -> None:
        if tag == "tr":
            self._row = None
        if tag == "table":
            self._table = ""

    def handle_data(self, data: str) -> None:
        if self._row:
            self._row[-1] = " ".join(f"{self._row[-1]} {data}".split())


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """Two days: ada on both, bob on the second. Published."""
    with scratch() as folder:
        days = {
            "2025-01-01": [event("1", "2025-01-01T10:00:00")],
            "2025-01-02": [
                event("2", "2025-01-02T10:00:00"),
                event("3", "2025-01-02T10:00:00", user_id="bob-the-<b>"),
            ],
        }
        root = make_home(folder / "home", files=days)
        run_home(root)
        yield root


def page_of(home: Path) -> Page:
    return Page((home / "bi" / DICTIONARY).read_text(encoding="utf-8"))


def test_the_page_holds_what_is_published_and_nothing_else(home: Path) -> None:
    page = page_of(home)
    published = json.loads((home / "bi" / "publication.json").read_text())["tables"]
    assert set(page.tables) == {*published, LOG_SPEC.name}
    assert "survey_scores" not in page.tables
    for name, rows in page.tables.items():
        names = [row[0].split()[0] for row in rows[1:]]
        assert names == pl.read_parquet_schema(home / "bi" / f"{name}.parquet").names()
    # Every link leads to a place on the page, and nothing is loaded.
    assert {link.removeprefix("#") for link in page.links} <= page.ids
    assert page.loads == ["data:,"]


def test_the_example_of_the_page_is_a_row_of_the_published_table(home: Path) -> None:
    cells = {row[0].split()[0]: row[3] for row in page_of(home).tables["active_users_daily"][1:]}
    # ada and bob on the second day, two people in all: 2 / 2; bob is new, ada comes again.
    assert (cells["date"], cells["segment"]) == ("2025-01-02", "all")
    assert (cells["dau"], cells["mau"], cells["new_users"]) == ("2", "2", "1")
    assert cells["stickiness_ratio"] == "1 = 2 / 2"
    assert cells["returning_users"] == "1 = 2 - 1"


def test_nobody_is_named_on_the_page(home: Path) -> None:
    text = (home / "bi" / DICTIONARY).read_text(encoding="utf-8")
    assert "bob" not in text
    rows = page_of(home).tables["sessions"][1:]
    assert {row[3] for row in rows} == {""}


def test_the_page_changes_with_what_is_published_and_with_nothing_else(
    home: Path, folder: Path
) -> None:
    copy = folder / "home"
    shutil.copytree(home, copy, symlinks=True)
    before = (copy / "bi" / DICTIONARY).read_bytes()
    run_home(copy)
    assert (copy / "bi" / DICTIONARY).stat().st_mtime_ns == (
        (home / "bi" / DICTIONARY).stat().st_mtime_ns
    )
    path = copy / "bi" / DICTIONARY
    path.resolve().write_text("something else")
    run_home(copy)
    assert path.read_bytes() == before
    path.resolve().write_text("something else")
    outcome = command(copy, "dictionary")
    assert outcome.status == 0
    assert "tables" in outcome.out
    assert path.read_bytes() == before
    moment = "2025-01-03T10:00:00"
    land(copy, "2025-01-03", [event("4", moment), event("5", moment, user_id="zoe")])
    run_home(copy)
    cells = {row[0].split()[0]: row[3] for row in page_of(copy).tables["active_users_daily"][1:]}
    # ada and zoe, of three in the month.
    assert (cells["date"], cells["stickiness_ratio"]) == ("2025-01-03", "0.666667 = 2 / 3")


def test_a_home_without_a_publication_has_no_dictionary_and_is_told_how(folder: Path) -> None:
    outcome = command(make_home(folder / "home"), "dictionary")
    assert outcome.status == 1
    assert "`tidemark run`" in outcome.err


def test_every_setting_that_shapes_a_table_is_one(home: Path) -> None:
    known = {name for entry in ENTRIES for name in entry.settings}
    for spec in registry.PUBLISHED:
        (entry,) = (entry for entry in ENTRIES if entry.name == spec.name)
        references = {"data_through", *spec.references}
        assert set(entry.settings) == set(spec.options) - references
    assert {link for link in page_of(home).links if link.startswith("#setting-")} <= {
        f"#setting-{name}" for name in known | {n for e in ENTRIES for n in e.inherited_settings}
    }
