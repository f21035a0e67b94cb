"""Headers that lack what the mapping or the contract needs: the file is refused, with a hint."""

from collections.abc import Iterator, Sequence

from pipelines.landing.feeds import Feed
from pipelines.landing.files import Unreadable
from pipelines.landing.mapping import Expression
from pipelines.landing.nearest import did_you_mean
from pipelines.landing.sources import Source

_OTHER_DELIMITERS = (";", "\t", "|", ",")


def check_header(source: Source, feed: Feed, header: Sequence[str]) -> None:
    """Refuse a file whose columns do not bear the mapping.

    A column that the settings name must be there, unless they say ``optional = true``; without a
    mapping only what a row cannot do without must be.
    """
    made = feed.made_columns
    twice = next((name for name in header if feed.unpivot and name in made[-2:]), None)
    if twice is not None:
        raise Unreadable(f"the file has a column {twice}; unpivot must make one of another name")
    for said, place in _unfolded(feed):
        if not any(name in header for name, _ in said.places):
            raise Unreadable(f"the file has no column {said.said}{place}; {_hint(said, header)}")
    header = [*header, *made]
    for said, place in _needed(source, feed):
        if not any(name in header for name, _ in said.places):
            raise Unreadable(f"the file has no column {said.said}{place}; {_hint(said, header)}")


def _unfolded(feed: Feed) -> Iterator[tuple[Expression, str]]:
    for expression in _required(feed.explode) if feed.explode else ():
        yield expression, ", which is to be exploded"
    for lists in feed.unpivot.columns.values() if feed.unpivot else ():
        for expression in _required(lists):
            yield expression, ", which is to be unpivoted"


def _needed(source: Source, feed: Feed) -> Iterator[tuple[Expression, str]]:
    for name, spec in source.contract.to_schema().columns.items():
        if name in feed.columns:
            for expression in _required(feed.columns[name]):
                yield expression, f", from which {name} is mapped"
        elif not spec.nullable and name not in _given(source):
            yield Expression(column=name), f", which [sources.{source.name}] does not map either"
    for rule in feed.filters:
        for expression in _required(rule.column):
            yield expression, ", by which rows are filtered"


def _given(source: Source) -> set[str]:
    """Columns that are filled in where a row lacks them."""
    return {*source.defaults} | {name for name in (source.content_id, source.received) if name}


def _required(expression: Expression) -> Iterator[Expression]:
    if expression.optional:
        return
    if expression.column is not None or expression.path is not None:
        yield expression
    for part in expression.parts():
        yield from _required(part)


def _hint(expression: Expression, header: Sequence[str]) -> str:
    if len(header) == 1:
        for delimiter in _OTHER_DELIMITERS:
            if delimiter in header[0]:
                return f"its header is one column: is the delimiter {delimiter!r}?"
    return did_you_mean(expression.said, header)
