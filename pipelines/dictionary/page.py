"""``bi/dictionary.html``: the dictionary of one publication, beside the tables it tells of.

Like the catalogue it turns with its publication. The same tables give the same page, wherever they
lie and however often they were published.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import Any

import polars as pl
from markupsafe import Markup

from pipelines.dictionary.entries import TableEntry, entries_of, settings_of
from pipelines.dictionary.examples import example_of, is_of_people
from pipelines.pages.templates import render, templates_digest
from pipelines.warehouse.digests import code_version, digest_of
from pipelines.warehouse.disk import write
from pipelines.warehouse.specs import Spec

DICTIONARY = "dictionary.html"
_CODE = ("registry", "settings", "setting_models", "night_settings")
_OWN = ("entries", "examples", "page")


@dataclass(frozen=True)
class _File:
    """A published file, told from others by its content."""

    path: Path = field(compare=False)
    sha256: str
    rows: int
    data_through: str


def dictionary_digest(specs: Sequence[Spec], publication_id: str) -> bytes:
    """What the page is made from: the schemas, the settings, and the tables of a publication."""
    modules = [
        *(f"pipelines.{name}" for name in _CODE),
        *(f"pipelines.dictionary.{name}" for name in _OWN),
        *(f"schemas.{spec.name}" for spec in specs),
    ]
    parts = [templates_digest(), publication_id.encode(), code_version(*modules)]
    return digest_of([*parts, *(spec.name.encode() for spec in specs)])


def mend_dictionary(specs: Sequence[Spec], folder: Path, contents: str) -> None:
    """Write the page of the tables in ``folder`` where it is not what it would be if written now.

    ``contents`` names the file there that tells what was published.
    """
    said = json.loads((folder / contents).read_bytes())
    made_from = dictionary_digest(specs, said["publication"]).hex()
    path = folder / DICTIONARY
    if not (path.exists() and made_from.encode() in path.read_bytes()):
        write_dictionary(specs, folder, contents)


def write_dictionary(specs: Sequence[Spec], folder: Path, contents: str) -> None:
    """Write the page, in place of the one before in one step."""
    said = json.loads((folder / contents).read_bytes())
    fresh = folder / f".{DICTIONARY}.new"
    write(fresh, _page(specs, folder, said).encode())
    fresh.rename(folder / DICTIONARY)


def _page(specs: Sequence[Spec], folder: Path, said: dict[str, Any]) -> str:
    entries = entries_of(specs)
    published = frozenset(entry.name for entry in entries)
    files = {
        name: _File(
            folder / f"{name}.parquet", table["sha256"], table["rows"], table["data_through"]
        )
        for name, table in said["tables"].items()
    }
    return render(
        "dictionary.html",
        groups=[
            (
                title(group),
                [(each, _section(each, files.get(each.name), published)) for each in some],
            )
            for group, some in groupby(entries, key=lambda entry: entry.group)
        ],
        settings=settings_of(entries),
        publication=said["publication"],
        made_from=dictionary_digest(specs, said["publication"]).hex(),
    )


def title(group: str) -> str:
    """A group's name, to read."""
    return group.replace("_", " ").capitalize()


@lru_cache(maxsize=256)
def _section(entry: TableEntry, file: _File | None, published: frozenset[str]) -> Markup:
    """A table's part of the page, with ``published`` tables linked to.

    The log of restatements comes without its file: it tells of the runs, and the page must not.
    """
    columns = entry.columns
    if file:
        # A table that waits may lack what its schema promises now.
        names = pl.read_parquet_schema(file.path)
        columns = tuple(column for column in columns if column.name in names)
    html = render(
        "dictionary_table.html",
        entry=replace(entry, columns=columns),
        file=file,
        example=example_of(file.path, columns) if file else (),
        is_of_people=is_of_people(column.name for column in columns),
        published=published,
    )
    return Markup(html)
