"""The pages in a real browser: nothing breaks, and people see what the tables say."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import Tab, browser, needs_browser
from frames import day, frame
from homes import scratch
from report_rows import TABLES, publish, read_page, rows_shown

from pipelines import registry
from pipelines.dictionary.page import DICTIONARY, write_dictionary
from pipelines.report.published import CONTENTS
from pipelines.report.report import report_page
from pipelines.report.write import REPORT

CHARTS = 18
DESK, PHONE = 1280, 390


@pytest.fixture(scope="module")
def pages() -> Iterator[Path]:
    """A folder with a report and a dictionary."""
    with scratch() as folder:
        page = report_page(publish(folder / "report", TABLES), timezone="UTC", currency="EUR")
        (folder / "report" / REPORT).write_text(page, encoding="utf-8")
        write_example(folder / "dictionary")
        yield folder


def write_example(folder: Path) -> None:
    """A dictionary of all tables, of which one is published."""
    folder.mkdir()
    everybody = {"date": day("2025-01-02"), "dimension": "all", "segment": "all"}
    rows = frame(
        registry.BY_NAME["active_users_daily"].model,
        [{**everybody, "dau": 1, "mau": 4, "stickiness_ratio": 0.25, "is_complete": True}],
    )
    rows.collect().write_parquet(folder / "active_users_daily.parquet")
    told = {"sha256": "1", "rows": 1, "data_through": "2025-01-02"}
    said = {"publication": "abcdef", "tables": {"active_users_daily": told}}
    (folder / CONTENTS).write_text(json.dumps(said), encoding="utf-8")
    write_dictionary(registry.PUBLISHED, folder, CONTENTS)


@pytest.fixture(scope="module")
def tab() -> Iterator[Tab]:
    """One browser for all tests."""
    with scratch() as folder, browser(folder / "profile") as opened:
        yield opened


@pytest.fixture
def report(tab: Tab, pages: Path) -> Tab:
    tab.open(pages / "report" / REPORT, DESK)
    return tab


@pytest.fixture
def dictionary(tab: Tab, pages: Path) -> Tab:
    tab.open(pages / "dictionary" / DICTIONARY, PHONE)
    return tab


def boxes(tab: Tab, selector: str) -> Any:
    """Widths and heights of what is drawn."""
    return tab.value(
        f"[...document.querySelectorAll({json.dumps(selector)})]"
        ".map(each => each.getBoundingClientRect()).map(each => [each.width, each.height])"
    )


def test_every_chart_has_ids_of_its_own(pages: Path) -> None:
    read = read_page((pages / "report" / REPORT).read_text(encoding="utf-8"))
    assert read.svgs == len(read.alternatives) == CHARTS
    assert len(set(read.ids)) == len(read.ids)


@needs_browser
@pytest.mark.parametrize("width", [DESK, PHONE])
def test_every_chart_is_drawn_whole_and_nothing_runs_over_the_edge(
    tab: Tab, pages: Path, width: int
) -> None:
    tab.open(pages / "report" / REPORT, width)
    assert tab.value("document.documentElement.scrollWidth") == width
    charts = boxes(tab, "svg")
    assert len(charts) == CHARTS
    assert all(w > 300 and h > 40 for w, h in charts)
    # Letters that lie outside of their chart would be cut off.
    cut = tab.value(
        "[...document.querySelectorAll('svg text')].filter(t => {"
        " const a = t.getBoundingClientRect(), b = t.ownerSVGElement.getBoundingClientRect();"
        " return a.width && (a.left < b.left - 1 || a.right > b.right + 1 ||"
        " a.top < b.top - 1 || a.bottom > b.bottom + 1) }).map(t => t.textContent)"
    )
    assert cut == []
    small = tab.value(
        "[...document.querySelectorAll('svg text')].filter(t => t.textContent &&"
        " t.getBoundingClientRect().height < 9).map(t => t.textContent)"
    )
    assert small == []


@needs_browser
def test_bars_are_as_long_as_their_numbers(report: Tab) -> None:
    # Of 15 and of 4 sessions; of 50 people so far and of 1,182.
    email, direct = boxes(report, "#channel-sessions .mark-rect path")
    assert email[0] / direct[0] == pytest.approx(15 / 4, rel=0.01)
    february, march = boxes(report, "#active-periods .mark-rect path")
    assert february[1] / march[1] == pytest.approx(1182 / 50, rel=0.01)


@needs_browser
def test_people_see_the_numbers_behind_every_chart(report: Tab, pages: Path) -> None:
    read = read_page((pages / "report" / REPORT).read_text(encoding="utf-8"))
    seen = report.value(
        "[...document.querySelectorAll('details')].forEach(each => each.open = true);"
        "Object.fromEntries([...document.querySelectorAll('figure')].map(each => [each.id,"
        " [...each.querySelectorAll('tbody tr')].map(row => [...row.cells].map("
        "  cell => cell.innerText.replaceAll('\\u00a0', ' ')))]))"
    )
    assert len(seen) == CHARTS
    assert seen == {name: rows_shown(read, name) for name in seen}
    assert seen["channel-sessions"] == [
        ["Email", "15", "3", "20.0 %"],
        ["Direct", "4", "0", "0.0 %"],
    ]


@needs_browser
def test_those_who_do_not_see_charts_are_told_of_each(report: Tab, pages: Path) -> None:
    read = read_page((pages / "report" / REPORT).read_text(encoding="utf-8"))
    nodes = report.ask("Accessibility.getFullAXTree")["nodes"]
    told = [
        node["name"]["value"]
        for node in nodes
        if node["role"]["value"] in ("image", "img", "graphics-document", "SvgRoot")
        and node.get("name", {}).get("value")
    ]
    assert sorted(told) == sorted(read.alternatives.values())


@needs_browser
def test_on_a_phone_the_dictionary_stays_within_the_edges(dictionary: Tab) -> None:
    assert dictionary.value("document.documentElement.scrollWidth") == PHONE
    wide = dictionary.value(
        "[...document.querySelectorAll('main *')].filter(each => each.getClientRects().length"
        f" && each.getBoundingClientRect().right > {PHONE + 1} && !each.closest('thead'))"
        ".map(each => each.outerHTML.slice(0, 80))"
    )
    assert wide == []


def found(tab: Tab, words: str) -> list[str]:
    """The tables that are left when somebody types into the box."""
    tab.value("document.getElementById('find').value = ''; document.getElementById('find').focus()")
    tab.ask("Input.insertText", text=words)
    left: list[str] = tab.value(
        "[...document.querySelectorAll('section.table')]"
        ".filter(each => each.getClientRects().length).map(each => each.id)"
    )
    return left


@needs_browser
def test_the_dictionary_finds_tables_by_the_words_of_a_column(dictionary: Tab) -> None:
    left = found(dictionary, "stickiness_ratio DAU")
    assert "active_users_daily" in left
    assert "active_days_histogram" not in left
    assert dictionary.value("document.getElementById('found').innerText").endswith(
        f"in {len(left)} tables"
    )
    assert found(dictionary, "no such word") == []


@needs_browser
def test_a_link_leads_to_its_table_also_while_others_are_hidden(dictionary: Tab) -> None:
    assert found(dictionary, "stickiness_ratio") != []
    dictionary.value("location.hash = '#ingest_ledger'")
    seen = dictionary.value(
        "new Promise(done => setTimeout(() => done("
        "document.getElementById('ingest_ledger').getClientRects().length), 50))"
    )
    assert seen == 1


@needs_browser
def test_pages_load_nothing_and_complain_of_nothing(tab: Tab, pages: Path) -> None:
    for page in (pages / "report" / REPORT, pages / "dictionary" / DICTIONARY):
        tab.requests.clear()
        tab.open(page, DESK)
        assert tab.complaints == []
        assert {url for url in tab.requests if not url.startswith("data:")} == {page.as_uri()}


@needs_browser
@pytest.mark.parametrize(
    "broken",
    ["<script>console.error('x')</script>", "<script>no.such()</script>", "<img src='gone.png'>"],
)
def test_the_browser_tells_of_what_breaks_in_a_page(tab: Tab, folder: Path, broken: str) -> None:
    (folder / "page.html").write_text(f"<!doctype html><title>a</title>{broken}", encoding="utf-8")
    tab.open(folder / "page.html", DESK)
    assert tab.complaints != []
