"""A table as CSV: every value exact, and no text that a spreadsheet would take for a formula.

UTF-8 with a byte order mark, without which Excel takes it for another encoding; readers of data
skip it. Nulls are empty, an empty text is ``""``.
"""

from pathlib import Path

import polars as pl

from pipelines.warehouse.specs import Spec

# Also behind blanks, and in the wide forms that spreadsheets of East Asia read likewise.
_FORMULA = r"^(?:\s*[=+\-@\x{FF1D}\x{FF0B}\x{FF0D}\x{FF20}]|[\t\r\n])"


def write_csv(_spec: Spec, rows: pl.LazyFrame, path: Path) -> int:
    """Write the rows in their order, as a stream; how many there were.

    Text that begins as a formula does has an apostrophe before it.
    """
    texts = [name for name, dtype in rows.collect_schema().items() if dtype == pl.String]
    rows.with_columns(_as_text(name) for name in texts).sink_csv(
        path,
        include_bom=True,
        date_format="%Y-%m-%d",
        datetime_format="%Y-%m-%dT%H:%M:%S%.6fZ",
        line_terminator="\r\n",
        quote_style="necessary",
        null_value="",
    )
    return int(rows.select(pl.len()).collect().item())


def _as_text(name: str) -> pl.Expr:
    text = pl.col(name)
    marked = pl.concat_str(pl.lit("'"), text)
    return pl.when(text.str.contains(_FORMULA)).then(marked).otherwise(text).alias(name)
