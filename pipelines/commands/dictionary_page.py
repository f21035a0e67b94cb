"""The page ``docs/dictionary.md``, written from the schemas."""

import re
from itertools import groupby

from pipelines.dictionary.entries import ColumnEntry, TableEntry, all_entries, settings_of
from pipelines.dictionary.page import title

_MARKS = re.compile(r"[|*<>]")
_HEAD = """\
# Data dictionary

What every published table and column means. A home has the same as a page with examples,
`bi/dictionary.html`, of the tables that are published there. This page is written from the schemas:
`python -m pipelines.commands.dictionary_page > docs/dictionary.md`.

A row's grain says what it is, its key tells it from others. Names that end in `_rate`, `_ratio` or
`_share` are fractions, null where their denominator is zero. Timestamps are in UTC, a date is a day
of the reporting time zone. Moving columns go on changing, and are no restatements when they do.
"""


def dictionary_page() -> str:
    """The page as Markdown."""
    entries = all_entries()
    published = {entry.name for entry in entries}
    parts = [_HEAD]
    for group, some in groupby(entries, key=lambda entry: entry.group):
        parts.append(f"## {title(group)}\n")
        parts += [_table(entry, published) for entry in some]
    parts.append("## Settings that shape the tables\n")
    parts.append("All settings stand in [settings.md](settings.md).\n")
    meanings = settings_of(entries)
    parts.append("\n".join(f"- `{name}`: {_text(said)}" for name, said in meanings.items()) + "\n")
    return "\n".join(parts)


def _table(entry: TableEntry, published: set[str]) -> str:
    made_from = (
        f"[`{name}`](#{name})" if name in published else f"`{name}`" for name in entry.made_from
    )
    facts = {
        "Grain": entry.grain,
        "Key": _codes(entry.key),
        "Made from": ", ".join(made_from),
        "Sources": ", ".join(entry.sources),
        "Settings": _codes(entry.settings),
        "Settings of what it is made from": _codes(entry.inherited_settings),
    }
    parts = [
        f"### {entry.name}\n",
        *(f"{_text(each)}\n" for each in (entry.title, entry.summary, *entry.paragraphs)),
        *(f"> {_text(each)}\n" for each in entry.warnings),
        "\n".join(f"- {name}: {said}" for name, said in facts.items() if said) + "\n",
        "| column | type | meaning |\n| --- | --- | --- |",
        *map(_row, entry.columns),
    ]
    return "\n".join(parts) + "\n"


def _codes(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _row(column: ColumnEntry) -> str:
    kind = f"{column.kind}, {column.unit}" if column.unit else column.kind
    meaning = [
        f"{_text(column.description)}.",
        f"`= {column.formula}`." if column.formula else "",
        f"{column.allowed[0].upper()}{_text(column.allowed[1:])}." if column.allowed else "",
        column.nulls,
        *(f"*{_text(warning.rstrip('.'))}.*" for warning in column.warnings),
    ]
    return f"| `{column.name}` | {kind} | {' '.join(filter(None, meaning))} |"


def _text(text: str) -> str:
    """Text as it stands, whatever Markdown would make of it; what is code stays code."""
    # Every second part lies between two pairs of backticks.
    parts = text.split("``")
    parts[::2] = (_MARKS.sub(r"\\\g<0>", part) for part in parts[::2])
    return "`".join(parts)


if __name__ == "__main__":
    print(dictionary_page(), end="")
