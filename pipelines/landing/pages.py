"""Pages of results: lines of NDJSON that hold many rows, as vendors' interfaces answer."""

from typing import Any

import polars as pl

from pipelines.landing.json_text import NOT_AN_OBJECT, dump

_Objects = list[dict[str, Any] | str]


def unwrapped(at: pl.DataFrame, objects: _Objects, key: str) -> tuple[pl.DataFrame, _Objects]:
    """The rows of pages in the place of the pages, numbered from 1 in ``item``.

    An object without a list under the key is a row as it is. Of a row of a page, the raw text is
    its own; what the page says beside its rows is of no row, and is left out.
    """
    if not any(isinstance(_page(row, key), list) for row in objects):
        return at, objects
    places: list[int] = []
    items: list[int] = []
    texts: list[str] = []
    rows: _Objects = []
    for place, (row, raw) in enumerate(zip(objects, at["raw"], strict=True)):
        page = _page(row, key)
        inner = page if isinstance(page, list) else [row]
        for item, each in enumerate(inner, 1):
            places.append(place)
            items.append(item)
            texts.append(dump(each) if inner is page else raw)
            is_row = isinstance(each, dict) or inner is not page
            rows.append(each if is_row else NOT_AN_OBJECT)
    made = at[places].with_columns(
        item=pl.Series(items, dtype=pl.Int64), raw=pl.Series(texts, dtype=pl.String)
    )
    return made, rows


def _page(row: dict[str, Any] | str, key: str) -> Any:
    return row.get(key) if isinstance(row, dict) else None
