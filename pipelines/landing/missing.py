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
    _refuse_lacking(_unfolded(feed), header)
    _refuse_lacking(_needed(source, feed), [*header, *made])


def _refuse_lacking(needed: Iterator[tuple[Expression, str]], header: Sequence[str]) -> None:
    for expression, place in needed:
        lacking = _lacking(expression, header)
        if lacking is not None:
            hint = _hint(lacking, header)
            raise Unreadable(f"the file has no column {lacking.said}{place}; {hint}")


def check_keys(source: Source, feed: Feed, keys: Sequence[str]) -> None:
    """Refuse a file of NDJSON none of whose rows has a key that a row cannot do without.

    Its rows would all be refused; said of the file, it comes with a hint. Any other key may be
    missing where all rows of a file happen to lack it.
    """
    known = [*keys, *feed.made_columns]
    contract = source.contract.to_schema().columns
    for name, expression, place in _needed_columns(source, feed):
        lacking = None if contract[name].nullable else _lacking(expression, known)
        if lacking is not None:
            raise Unreadable(f"no row has the key {lacking.said}{place}; {_hint(lacking, keys)}")


def _unfolded(feed: Feed) -> Iterator[tuple[Expression, str]]:
    for lists in feed.explode:
        yield lists, ", which is to be exploded"
    for column in feed.unpivot.columns.values() if feed.unpivot else ():
        yield column, ", which is to be unpivoted"


def _needed(source: Source, feed: Feed) -> Iterator[tuple[Expression, str]]:
    for _, expression, place in _needed_columns(source, feed):
        yield expression, place
    for rule in feed.filters:
        yield rule.column, ", by which rows are filtered"


def _needed_columns(source: Source, feed: Feed) -> Iterator[tuple[str, Expression, str]]:
    for name, spec in source.contract.to_schema().columns.items():
        if name in feed.columns:
            yield name, feed.columns[name], f", from which {name} is mapped"
        elif not spec.nullable and name not in _given(source):
            place = f", which [sources.{source.name}] does not map either"
            yield name, Expression(column=name), place


def _given(source: Source) -> set[str]:
    """Columns that are filled in where a row lacks them."""
    return {*source.defaults} | {name for name in (source.content_id, source.received) if name}


def _lacking(expression: Expression, header: Sequence[str]) -> Expression | None:
    """The first column in an expression that a file must have and has not."""
    if expression.optional:
        return None
    named = expression.column is not None or expression.path is not None
    if named and not any(name in header for name, _ in expression.places):
        return expression
    found = [_lacking(part, header) for part in expression.parts()]
    if expression.coalesce is not None and None in found:
        # One part that is there is enough.
        found = []
    found += [_lacking(rule.column, header) for rule in expression.when]
    return next((lacking for lacking in found if lacking is not None), None)


def _hint(expression: Expression, header: Sequence[str]) -> str:
    if len(header) == 1:
        for delimiter in _OTHER_DELIMITERS:
            if delimiter in header[0]:
                return f"its header is one column: is the delimiter {delimiter!r}?"
    return did_you_mean(expression.said, header)
