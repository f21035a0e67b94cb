"""Tables for spreadsheets: every value as it is, and no text that acts as a formula."""

import csv
import zipfile
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest.mock import patch
from xml.etree import ElementTree

import duckdb
import polars as pl
import pytest
from homes import Outcome, command, event, make_home, run_home, table
from hypothesis import given
from hypothesis import strategies as st

from pipelines import registry
from pipelines.errors import TidemarkError
from pipelines.export import sheet
from pipelines.export.sheet import write_xlsx
from pipelines.export.text import write_csv
from pipelines.publish.restatements import LOG_SPEC

SPEC = registry.BY_NAME["campaigns_daily"]
SCHEMA = {
    "campaign": pl.String(),
    "clicks": pl.Int64(),
    "rate": pl.Float64(),
    "cost_amount": pl.Decimal(18, 4),
    "date": pl.Date(),
    "seen_ts": pl.Datetime("us", "UTC"),
    "is_complete": pl.Boolean(),
}
MOMENT = datetime(2025, 3, 30, 23, 59, 59, 123456, tzinfo=UTC)
ROWS = [
    ("spring", 3, 0.1, Decimal("12345678901234.5678"), date(2025, 3, 30), MOMENT, True),
    ('a "b", c\nd', -1, -1e-7, Decimal("-0.5"), date(1812, 12, 12), MOMENT, False),
    ("", 0, 0.0, Decimal(0), date(2025, 1, 1), datetime(2025, 1, 1, tzinfo=UTC), True),
    (None, None, None, None, None, None, None),
]
# What Excel, LibreOffice or Google Sheets may take for the beginning of a formula.
FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", "＝1", "＠x", "-"]
HARMLESS = ["1=1", "a-b", "'quoted", "a@b", "(none)", "{}", "https://x.test/?a=1"]


def frame(rows: list[Any], **schema: Any) -> pl.LazyFrame:
    return pl.LazyFrame(rows, schema=schema or SCHEMA, orient="row")


def texts(*values: str) -> pl.LazyFrame:
    return pl.LazyFrame({"campaign": values})


def csv_rows(path: Path) -> list[list[str]]:
    """As a spreadsheet would split it."""
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.reader(stream))


NS = {"x": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}


def cells(path: Path, number: int = 1) -> dict[str, tuple[str, str]]:
    """Kind and content of each cell of a sheet, by its place."""
    with zipfile.ZipFile(path) as book:
        tree = ElementTree.fromstring(book.read(f"xl/worksheets/sheet{number}.xml"))
    assert tree.find(".//x:f", NS) is None, "a formula"
    assert tree.find(".//x:hyperlink", NS) is None, "a link"
    found = {}
    for cell in tree.iterfind(".//x:c", NS):
        said = cell.find("x:v", NS)
        text = said if said is not None else cell.find("x:is/x:t", NS)
        if text is not None:
            found[cell.attrib["r"]] = (cell.attrib.get("t", "n"), text.text or "")
    return found


def test_csv_holds_every_value_exactly(folder: Path) -> None:
    assert write_csv(SPEC, frame(ROWS), folder / "t.csv") == 4
    assert (folder / "t.csv").read_bytes().decode("utf-8") == (
        "\ufeffcampaign,clicks,rate,cost_amount,date,seen_ts,is_complete\r\n"
        "spring,3,0.1,12345678901234.5678,2025-03-30,2025-03-30T23:59:59.123456Z,true\r\n"
        '"a ""b"", c\nd",-1,-1e-7,-0.5000,1812-12-12,2025-03-30T23:59:59.123456Z,false\r\n'
        '"",0,0.0,0.0000,2025-01-01,2025-01-01T00:00:00.000000Z,true\r\n'
        ",,,,,,\r\n"
    )


def test_csv_reads_back_to_the_same_values_in_duckdb(folder: Path) -> None:
    path = folder / "t.csv"
    write_csv(SPEC, frame(ROWS), path)
    kinds = ["VARCHAR", "BIGINT", "DOUBLE", "DECIMAL(18,4)", "DATE", "TIMESTAMP", "BOOLEAN"]
    columns = ", ".join(f"'{name}': '{kind}'" for name, kind in zip(SCHEMA, kinds, strict=True))
    with duckdb.connect(config={"threads": 1}) as connection:
        read = f"read_csv('{path}', header = true, auto_detect = false, quote = '\"', "
        read += f"allow_quoted_nulls = false, new_line = '\\r\\n', columns = {{{columns}}})"
        rows = connection.execute(f"SELECT * REPLACE (epoch_us(seen_ts) AS seen_ts) FROM {read}")
        got = [row for row in rows.fetchall() if row[1] is not None]
    expected = frame(ROWS[:3]).with_columns(pl.col("seen_ts").dt.epoch("us")).collect().rows()
    # DuckDB takes an empty text in quotes for one, unlike nothing between two commas.
    assert got == expected


@pytest.mark.parametrize("text", FORMULAS)
def test_text_that_begins_as_a_formula_has_an_apostrophe_in_csv(folder: Path, text: str) -> None:
    write_csv(SPEC, texts(text), folder / "t.csv")
    assert csv_rows(folder / "t.csv") == [["campaign"], [f"'{text}"]]


@pytest.mark.parametrize("text", HARMLESS)
def test_other_text_stays_as_it_is_in_csv(folder: Path, text: str) -> None:
    write_csv(SPEC, texts(text), folder / "t.csv")
    assert csv_rows(folder / "t.csv") == [["campaign"], [text]]


def test_no_text_whatever_begins_as_a_formula_in_csv(folder: Path) -> None:
    @given(st.lists(st.text(st.sampled_from("=+-@\t\r\n ,\"'a＝"), max_size=6), max_size=5))
    def holds(values: list[str]) -> None:
        write_csv(
            SPEC,
            pl.LazyFrame(
                {"n": range(len(values)), "s": values}, schema={"n": pl.Int64, "s": pl.String}
            ),
            folder / "t.csv",
        )
        read = [row[1] for row in csv_rows(folder / "t.csv")[1:]]
        assert [text.removeprefix("'") for text in read] == [v.removeprefix("'") for v in values]
        assert not [text for text in read if text.lstrip()[:1] in set("=+-@＝") - {""}]

    holds()


def test_a_workbook_holds_text_as_text_and_numbers_as_numbers(folder: Path) -> None:
    assert write_xlsx(SPEC, frame(ROWS), folder / "t.xlsx") == 4
    got = cells(folder / "t.xlsx")
    assert [got[f"{column}1"][1] for column in "ABCDEFG"] == list(SCHEMA)
    assert got["A2"] == ("inlineStr", "spring")
    assert (got["B2"], got["C2"]) == (("n", "3"), ("n", "0.1"))
    # A spreadsheet keeps fifteen digits.
    assert (got["D2"][0], float(got["D2"][1])) == ("n", pytest.approx(12345678901234.5678))
    # 30 March 2025 is day 45746 of Excel; 23:59:59.123 is 86399.123 / 86400 of it.
    assert got["E2"] == ("n", "45746")
    assert float(got["F2"][1]) == pytest.approx(45746 + 86399.123 / 86400, abs=1e-8)
    assert (got["G2"], got["G3"]) == (("b", "1"), ("b", "0"))
    assert got["A3"] == ("inlineStr", 'a "b", c\nd')
    assert got["D3"] == ("n", "-0.5")
    # Excel knows no day before 1900.
    assert got["E3"] == ("inlineStr", "1812-12-12")
    assert got["D4"] == ("n", "0")
    assert not [place for place in got if place.endswith("5")]


@pytest.mark.parametrize("text", [*FORMULAS, *HARMLESS, "{=1}", "_x0041_", "mailto:a@b.c"])
def test_no_text_is_a_formula_or_a_link_in_a_workbook(folder: Path, text: str) -> None:
    write_xlsx(SPEC, texts(text), folder / "t.xlsx")
    kind, said = cells(folder / "t.xlsx")["A2"]
    assert kind == "inlineStr"
    # A carriage return, and what looks like an escape, are escaped in the file.
    assert said.replace("_x000D_", "\r").replace("_x005F_", "_") == text


def test_the_second_sheet_says_what_the_columns_mean(folder: Path) -> None:
    rows = frame([], campaign=pl.String, clicks=pl.Int64)
    write_xlsx(SPEC, rows, folder / "t.xlsx")
    got = cells(folder / "t.xlsx", 2)
    described = SPEC.model.to_schema().columns
    assert got["A1"][1] == "campaigns_daily"
    assert SPEC.promise.grain in got["B1"][1]
    assert got["A3"][1] == "clicks"
    assert got["B3"][1].startswith(described["clicks"].description)


def test_the_same_rows_give_the_same_bytes(folder: Path) -> None:
    for write, kind in ((write_csv, "csv"), (write_xlsx, "xlsx")):
        for name in ("a", "b"):
            write(SPEC, frame(ROWS), folder / f"{name}.{kind}")
        assert (folder / f"a.{kind}").read_bytes() == (folder / f"b.{kind}").read_bytes()


def test_more_than_a_sheet_holds_is_refused_and_csv_is_named(folder: Path) -> None:
    rows = pl.LazyFrame({"clicks": range(5)})
    with patch.object(sheet, "MOST_ROWS", 6), patch.object(sheet, "_CHUNK", 2):
        assert write_xlsx(SPEC, rows, folder / "t.xlsx") == 5
    assert [cells(folder / "t.xlsx")[f"A{row}"][1] for row in range(2, 7)] == list("01234")
    with (
        patch.object(sheet, "MOST_ROWS", 5),
        pytest.raises(TidemarkError, match=r"has 5 rows, .* holds 5 .* --format csv"),
    ):
        write_xlsx(SPEC, rows, folder / "t.xlsx")
    assert sheet.MOST_ROWS == 1_048_576
    with pytest.raises(TidemarkError, match=r"32,768 characters in campaign, .* --format csv"):
        write_xlsx(SPEC, texts("x" * 32_768), folder / "t.xlsx")
    assert write_xlsx(SPEC, texts("x" * 32_767), folder / "t.xlsx") == 1
    with pytest.raises(TidemarkError, match="32,768 characters"):
        write_xlsx(SPEC, texts("\U0001f600" * 16_384), folder / "t.xlsx")


@pytest.fixture(scope="module")
def home(module_folder: Path) -> Path:
    """Two days of ada, published as far as a page view goes."""
    days = {day: [event(day, f"{day}T10:00:00")] for day in ("2025-01-01", "2025-01-02")}
    root = make_home(module_folder / "home", files=days)
    run_home(root, select=["active_users_periodic", "active_users_daily"])
    return root


def export(home: Path, *arguments: str) -> Outcome:
    return command(home, "export", *arguments)


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_a_published_table_is_written_whole_and_nothing_else_is_left(
    home: Path, folder: Path, form: str
) -> None:
    path = folder / f"t.{form}"
    path.write_text("what was there before")
    outcome = export(home, "active_users_daily", "--format", form, "--output", str(path))
    rows = table(home, "active_users_daily")
    assert (outcome.status, outcome.err) == (0, "")
    assert f"Wrote {rows.height} rows of active_users_daily" in outcome.out
    assert [each.name for each in folder.iterdir()] == [path.name]
    if form == "csv":
        assert pl.read_csv(path, schema=rows.schema).equals(rows)
    else:
        got = cells(path)
        assert [got[f"D{row}"][1] for row in range(2, rows.height + 2)] == [
            str(dau) for dau in rows["dau"]
        ]


def test_without_an_output_the_file_has_the_table_s_name(
    home: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    assert export(home, "restatements", "--format", "csv").status == 0
    (header,) = csv_rows(folder / "restatements.csv")
    assert header == list(LOG_SPEC.schema)


def test_days_narrow_what_is_written(home: Path, folder: Path) -> None:
    path = str(folder / "t.csv")
    given = ("active_users_daily", "--format", "csv", "--output", path, "--from", "2025-01-02")
    assert export(home, *given).status == 0
    assert {row[0] for row in csv_rows(Path(path))[1:]} == {"2025-01-02"}
    assert export(home, *given, "--to", "2025-01-01").status == 0
    assert csv_rows(Path(path))[1:] == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["active_user_daily"], "did you mean active_users_daily?"),
        (["user_months"], "is not published, it only serves to make others"),
        (["survey_scores"], "`tidemark run` publishes it once files have landed; it is made from"),
        (["active_users_daily", "--output", "nowhere/t.csv"], "no folder nowhere"),
        (["identities", "--from", "2025-01-01"], "is not published in"),
    ],
)
def test_what_cannot_be_exported_is_told_with_what_to_do(
    home: Path, folder: Path, arguments: list[str], said: str
) -> None:
    outcome = export(home, *arguments, "--format", "csv")
    assert outcome.status == 1
    assert said in " ".join(outcome.err.split())
    assert list(folder.iterdir()) == []


def test_a_table_without_a_day_in_its_key_cannot_be_narrowed_by_days(
    home: Path, folder: Path
) -> None:
    spec = registry.BY_NAME["email_campaigns"]
    (home / "bi" / ".current" / f"{spec.name}.parquet").write_bytes(
        (home / "bi" / "active_users_daily.parquet").read_bytes()
    )
    given = (spec.name, "--format", "csv", "--output", str(folder / "t.csv"))
    outcome = export(home, *given, "--from", "2025-01-01")
    assert outcome.status == 1
    assert "has no day in its key" in outcome.err


def test_an_export_that_fails_leaves_what_was_there(home: Path, folder: Path) -> None:
    path = folder / "t.xlsx"
    path.write_text("before")
    with patch.object(sheet, "MOST_ROWS", 1):
        outcome = export(home, "active_users_daily", "--format", "xlsx", "--output", str(path))
    assert outcome.status == 1
    assert "--format csv" in outcome.err
    assert path.read_text() == "before"
    assert [each.name for each in folder.iterdir()] == ["t.xlsx"]
