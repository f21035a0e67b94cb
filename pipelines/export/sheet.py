"""A table as an Excel workbook: one sheet of rows, one that says what the columns mean.

Text is written as text and is never a formula or a link. Timestamps are in UTC, without a zone, and
to the millisecond; numbers keep the fifteen digits that spreadsheets have.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from pipelines.errors import TidemarkError
from pipelines.publish.catalog import column_comment, table_comment
from pipelines.warehouse.specs import Spec

MOST_ROWS = 1_048_576
MOST_CHARACTERS = 32_767
_BEYOND = r"[\x{10000}-\x{10FFFF}]"
_CHUNK = 10_000
# Earlier days do not exist in Excel; they are written as text.
_FIRST_DAY = date(1900, 3, 1)
# Files hold when they were made: the same rows give the same bytes.
_MADE = datetime(1980, 1, 1)
_DATE, _TIMESTAMP = "yyyy-mm-dd", "yyyy-mm-dd hh:mm:ss.000"


def write_xlsx(spec: Spec, rows: pl.LazyFrame, path: Path) -> int:
    """Write the rows in their order, some at a time; how many there were.

    Raises TidemarkError where a sheet cannot hold them.
    """
    height = int(rows.select(pl.len()).collect().item())
    _require_fit(spec, rows, height)
    book = xlsxwriter.Workbook(str(path), {"constant_memory": True, "in_memory": False})
    book.set_properties({"title": spec.name, "created": _MADE})
    sheet = book.add_worksheet(spec.name[:31])
    write = _writer(book, sheet)
    names = rows.collect_schema().names()
    _head(book, sheet, names)
    for start in range(0, height, _CHUNK):
        for place, row in enumerate(rows.slice(start, _CHUNK).collect().iter_rows()):
            for column, value in enumerate(row):
                write(start + place + 1, column, value)
    _meanings(book, spec, names)
    book.close()
    return height


def _require_fit(spec: Spec, rows: pl.LazyFrame, height: int) -> None:
    if height >= MOST_ROWS:
        raise TidemarkError(
            f"{spec.name} has {height:,} rows, and a sheet of Excel holds {MOST_ROWS:,} with the "
            "names of the columns: use --format csv, or fewer days by --from and --to"
        )
    text = pl.selectors.string()
    # Excel counts characters beyond the basic plane twice.
    length = text.str.len_chars() + text.str.count_matches(_BEYOND)
    longest = rows.select(length.max()).collect().to_dicts()
    for name, most in longest[0].items() if longest else ():
        if (most or 0) > MOST_CHARACTERS:
            raise TidemarkError(
                f"{spec.name} has a text of {most:,} characters in {name}, and a cell of Excel "
                f"holds {MOST_CHARACTERS:,}: use --format csv"
            )


def _writer(book: Workbook, sheet: Worksheet) -> Callable[[int, int, Any], None]:
    """What writes a value into a cell, by its type alone."""
    day, moment = (book.add_format({"num_format": form}) for form in (_DATE, _TIMESTAMP))

    def write(row: int, column: int, value: Any) -> None:
        if value is None:
            return
        if isinstance(value, bool):
            sheet.write_boolean(row, column, value)
        elif isinstance(value, int | float | Decimal):
            sheet.write_number(row, column, float(value))
        elif isinstance(value, date):
            _write_time(sheet, row, column, value, moment if isinstance(value, datetime) else day)
        else:
            sheet.write_string(row, column, value)

    return write


def _write_time(sheet: Worksheet, row: int, column: int, value: date, form: Format) -> None:
    naive = value.astimezone(UTC).replace(tzinfo=None) if isinstance(value, datetime) else value
    day = naive.date() if isinstance(naive, datetime) else naive
    if day < _FIRST_DAY:
        sheet.write_string(row, column, str(naive))
    else:
        sheet.write_datetime(row, column, naive, form)


def _head(book: Workbook, sheet: Worksheet, names: list[str]) -> None:
    bold = book.add_format({"bold": True})
    for column, name in enumerate(names):
        sheet.set_column(column, column, max(12, len(name) + 2))
        sheet.write_string(0, column, name, bold)
    sheet.freeze_panes(1, 0)


def _meanings(book: Workbook, spec: Spec, names: list[str]) -> None:
    sheet = book.add_worksheet("columns")
    sheet.set_column(0, 0, 32)
    sheet.set_column(1, 1, 120)
    sheet.write_string(0, 0, spec.name)
    sheet.write_string(0, 1, table_comment(spec))
    described = spec.model.to_schema().columns
    for place, name in enumerate(filter(described.__contains__, names)):
        said = column_comment(described[name].description, described[name].metadata)
        sheet.write_string(place + 1, 0, name)
        sheet.write_string(place + 1, 1, said)
