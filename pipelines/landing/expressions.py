"""Expressions of the mapping language, evaluated over raw rows."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Context, Decimal, InvalidOperation
from functools import reduce

import polars as pl

from pipelines.landing.casts import Value, as_text, cast
from pipelines.landing.finds import find_all, found_in
from pipelines.landing.mapping import Expression, Filter, Scalar, text_of
from pipelines.landing.rows import RawRows
from pipelines.landing.timestamps import UTC_MICROSECONDS, TimeRule

# Wide enough that sums and products of what a column holds are exact.
_EXACT = Context(prec=100)
_GROUPED_BY = ("'", "’", r"\s")
_KEY = re.compile(r"\d+")


def evaluate(expression: Expression, rows: RawRows, names: Sequence[str], zone: str) -> Value:
    """The value of an expression for every row: text, or a type that Parquet brought.

    ``names`` are the files' names by their number in this intake; ``zone`` is the reporting zone.
    """
    value = _plain(expression, rows, names, zone)
    value = read_as(expression, value)
    for rule in expression.when:
        held = passes(rule, rows, names, zone)
        problems = tuple((said, bad & held) for said, bad in value.problems)
        value = Value(value.series.set(~held, None), problems)
    return value


def read_as(e: Expression, value: Value) -> Value:
    """A value as the expression says that it is written: nulls, a decimal mark, spellings."""
    if e.nulls:
        text = as_text(value.series)
        value = Value(text.set(text.is_in(list(e.nulls)), None), value.problems)
    if e.extract is not None:
        value = Value(as_text(value.series).str.extract(e.extract), value.problems)
    if e.without:
        plain = as_text(value.series).str.replace_many(list(e.without), [""] * len(e.without))
        value = Value(plain, value.problems)
    if e.decimal and value.series.dtype == pl.String:
        value = _with_point(value, e.decimal)
    if e.values is not None:
        value = _looked_up(value, e)
    return value


def _plain(e: Expression, rows: RawRows, names: Sequence[str], zone: str) -> Value:
    if e.content:
        # Made when all other columns are known.
        return Value(_repeated(None, rows.at.height))
    if e.constant is not None:
        return Value(_repeated(text_of(e.constant), rows.at.height))
    if e.file is not None:
        return Value(_from_name(e.file, rows.at["intake"], names))
    if e.find is not None:
        return _sought(e, rows, names, zone)
    if e.column is not None or e.path is not None:
        return Value(_found(e, rows))
    return _of_parts(e, lambda inner: evaluate(inner, rows, names, zone), zone)


def _of_parts(e: Expression, part: Callable[[Expression], Value], zone: str) -> Value:
    if e.concat is not None:
        return _concatenated([part(inner) for inner in e.concat])
    if e.coalesce is not None:
        return _first([part(inner) for inner in e.coalesce], e.coalesce, zone)
    if e.base is not None:
        return _after(e, e.base, part, zone)
    ((operands, operation),) = _arithmetic(e)
    return _computed([part(inner) for inner in operands], operation)


def _repeated(text: str | None, height: int) -> pl.Series:
    return pl.repeat(text, height, dtype=pl.String, eager=True)


def _found(e: Expression, rows: RawRows) -> pl.Series:
    """The column, or what lies under the path in it; the first of the places that has a value."""
    found: pl.Series | None = None
    for name, keys in e.places:
        if name in rows.columns.columns:
            value = _below(rows.columns[name], keys)
            found = value if found is None else found.fill_null(value)
            if not keys and value.null_count() == 0:
                break
    return _repeated(None, rows.at.height) if found is None else found


def _below(values: pl.Series, keys: Sequence[str]) -> pl.Series:
    if not keys:
        return values
    if isinstance(values.dtype, pl.Struct):
        names = [field.name for field in values.dtype.fields]
        if keys[0] not in names:
            return _repeated(None, len(values))
        return _below(values.struct.field(keys[0]), keys[1:])
    if isinstance(values.dtype, pl.List):
        if not _KEY.fullmatch(keys[0]):
            return _repeated(None, len(values))
        return _below(values.list.get(int(keys[0]), null_on_oob=True), keys[1:])
    if values.dtype != pl.String:
        return _repeated(None, len(values))
    steps = (f"[{key}]" if _KEY.fullmatch(key) else f'["{key}"]' for key in keys)
    return values.str.json_path_match("$" + "".join(steps))


def _concatenated(parts: Sequence[Value]) -> Value:
    joined = pl.select(pl.concat_str(as_text(part.series) for part in parts)).to_series()
    return Value(joined, _problems(parts))


def _time_rule(e: Expression, zone: str) -> TimeRule:
    return TimeRule(zone, e.zone, e.epoch, e.format)


def _as_time(value: Value, e: Expression, zone: str) -> Value:
    """A part that says how its times are written, as ISO 8601."""
    if not (e.format or e.epoch or e.zone):
        return value
    timed = cast(value, UTC_MICROSECONDS, _time_rule(e, zone))
    return Value(as_text(timed.series), timed.problems)


def _first(parts: Sequence[Value], expressions: Sequence[Expression], zone: str) -> Value:
    """The first value of each row. A time that is not written as a part says is left to the next.

    Any other value that cannot be read refuses the row, unless a part before has one.
    """
    made = pl.Series([None], dtype=pl.String).new_from_index(0, len(parts[0].series))
    failed = pl.repeat(False, len(made), dtype=pl.Boolean, eager=True)
    hard: dict[str, pl.Series] = {}
    soft: dict[str, pl.Series] = {}
    for part, e in zip(parts, expressions, strict=True):
        still_open = made.is_null() & ~failed
        timed = _as_time(Value(part.series), e, zone)
        for problems, found in ((hard, part.problems), (soft, timed.problems)):
            for said, bad in found:
                problems[said] = problems.get(said, bad & False) | (bad & still_open)
        failed = reduce(pl.Series.__or__, hard.values(), failed)
        made = made.zip_with(~(still_open & ~failed), as_text(timed.series))
    unread = made.is_null() & ~failed
    left = {said: bad & unread for said, bad in soft.items()}
    return Value(made, tuple((hard | left).items()))


def with_finds(
    rows: RawRows, expressions: Iterable[Expression], names: Sequence[str], zone: str
) -> RawRows:
    """The rows with what ``find`` finds in them as columns, so that each list is read but once."""
    wanted: dict[str, list[Expression]] = {}
    for each in (find for expression in expressions for find in expression.finds()):
        assert each.find is not None
        wanted.setdefault(each.find.model_dump_json(), []).append(each)
    if not wanted:
        return rows
    found = rows.columns
    for sought in wanted.values():
        assert sought[0].find is not None
        lists = evaluate(sought[0].find, rows, names, zone)
        every = pl.repeat(True, len(lists.series), dtype=pl.Boolean, eager=True)
        sound = reduce(pl.Series.__and__, (~bad for _, bad in lists.problems), every)
        found = found.with_columns(find_all(lists.series, sound, sought))
    as_they_came = rows.origin or (rows.columns, pl.int_range(rows.at.height, eager=True))
    return replace(rows, columns=found, origin=as_they_came)


def _problems(parts: Sequence[Value]) -> tuple[tuple[str, pl.Series], ...]:
    return tuple(problem for part in parts for problem in part.problems)


def _sought(e: Expression, rows: RawRows, names: Sequence[str], zone: str) -> Value:
    if found_in(e) not in rows.columns.columns:
        rows = with_finds(rows, [e], names, zone)
    sound = rows.columns[found_in(e, "sound")]
    return Value(rows.columns[found_in(e)]).but("is sought in what is no list", ~sound)


def _after(
    e: Expression, base: Expression, part: Callable[[Expression], Value], zone: str
) -> Value:
    rule = _time_rule(base, zone)
    if e.days is not None:
        return _days_after(cast(part(base), pl.Date(), rule), part(e.days))
    start = cast(part(base), UTC_MICROSECONDS, rule)
    if e.minutes is not None:
        return _time_after(start, part(e.minutes), 60_000_000)
    assert e.seconds is not None
    return _time_after(start, part(e.seconds), 1_000_000)


def _from_name(pattern: str, intake: pl.Series, names: Sequence[str]) -> pl.Series:
    matches = [re.search(pattern, name) for name in names]
    found = [match.group(1) if match else None for match in matches]
    return pl.Series(found, dtype=pl.String).gather(intake)


def _days_after(base: Value, count: Value) -> Value:
    text = as_text(count.series)
    whole = text.str.extract(r"^\s*([+-]?\d{1,7})(?:\.0*)?\s*$").cast(pl.Int64)
    made = pl.Series(map(_shifted, base.series, whole), dtype=pl.Date)
    value = Value(made, _problems([base, count]))
    unread = text.is_not_null() & (whole.is_null() | (base.series.is_not_null() & made.is_null()))
    return value.but("has days that are not a whole number within the calendar", unread)


def _shifted(base: date | None, count: int | None) -> date | None:
    try:
        return None if base is None or count is None else base + timedelta(days=count)
    except OverflowError:
        return None


def _time_after(base: Value, count: Value, unit: int) -> Value:
    """Instants so many units of so many microseconds after others, to the nearest microsecond."""
    text = as_text(count.series)
    number = text.str.strip_chars().cast(pl.Float64, strict=False)
    most = 10_000 * 366 * 86_400_000_000 / unit
    number = number.set(~number.is_between(-most, most).fill_null(True), None)
    whole = (number * unit).round().cast(pl.Int64, strict=False)
    made = (base.series.to_physical() + whole).cast(UTC_MICROSECONDS)
    value = Value(made, _problems([base, count]))
    return value.but("has a length of time that is no number", text.is_not_null() & whole.is_null())


_Operation = Callable[[Decimal, Decimal], Decimal]


def _arithmetic(e: Expression) -> list[tuple[tuple[Expression, ...], _Operation]]:
    all_of = [(e.plus, _EXACT.add), (e.minus, _EXACT.subtract), (e.times, _EXACT.multiply)]
    return [(operands, operation) for operands, operation in all_of if operands is not None]


def _computed(parts: Sequence[Value], operation: _Operation) -> Value:
    texts = [as_text(part.series) for part in parts]
    results = [_result(row, operation) for row in zip(*texts, strict=True)]
    made = pl.Series(results, dtype=pl.String)
    complete = pl.select(pl.all_horizontal(text.is_not_null() for text in texts)).to_series()
    unread = complete & made.is_null()
    return Value(made, _problems(parts)).but("is computed from what is not a number", unread)


def _result(operands: tuple[str | None, ...], operation: _Operation) -> str | None:
    total: Decimal | None = None
    try:
        for operand in operands:
            if operand is None:
                return None
            number = _EXACT.create_decimal(operand.strip())
            total = number if total is None else operation(total, number)
    except InvalidOperation:
        return None
    return None if total is None or not total.is_finite() else str(total)


def _looked_up(value: Value, e: Expression) -> Value:
    assert e.values is not None
    text = as_text(value.series)
    table = {key: text_of(to) for key, to in e.values.items()}
    made = text.replace_strict(table, default=None, return_dtype=pl.String)
    unknown = text.is_not_null() & ~text.is_in(list(table))
    if e.default is not None:
        made = made.set(unknown, text_of(e.default))
    elif e.others == "keep":
        made = made.zip_with(~unknown, text)
    result = Value(made, value.problems)
    if e.default is None and e.others == "refuse":
        return result.but("is not in its table of values", unknown)
    return result


def _with_point(value: Value, mark: str) -> Value:
    """Numbers as people write them, as casts read them: no groups, and a point before decimals.

    Groups of three are parted by the other mark, an apostrophe or a blank, all of a number alike.
    """
    text = value.series.str.strip_chars()
    text = text.set((text == "").fill_null(False), None)
    other, point = re.escape("." if mark == "," else ","), re.escape(mark)
    grouped = "|".join(rf"\d{{1,3}}(?:{part}\d{{3}})+" for part in (other, *_GROUPED_BY))
    pattern = rf"^[+\-−]?(?:\d+|{grouped})?(?:{point}\d*)?$"
    sound = text.str.contains(pattern) & text.str.contains(r"\d")
    plain = (
        text.str.replace_all(rf"{other}|[\s'’]", "").str.replace(point, ".").str.replace("−", "-")
    )
    made = Value(plain, value.problems)
    return made.but(f"is not a number with the decimal mark {mark!r}", (~sound).fill_null(False))


def passes(rule: Filter, rows: RawRows, names: Sequence[str], zone: str) -> pl.Series:
    """The rows that a filter keeps."""
    text = as_text(evaluate(rule.column, rows, names, zone).series)
    if rule.is_null:
        return text.is_null()
    if rule.not_null:
        return text.is_not_null()
    if rule.within is not None:
        return text.is_in(_texts(rule.within)).fill_null(False)
    return ~text.is_in(_texts(rule.not_in or ())).fill_null(False)


def _texts(values: Sequence[Scalar]) -> list[str]:
    return [text_of(value) for value in values]
