"""The derived expressions refuse exactly the rows that pandera refuses."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pandera.polars as pa
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandera.errors import SchemaErrors

from schemas.base import Table, column, dtypes, table
from schemas.landed_events import EventContract
from schemas.violations import reasons, violations


@table(grain="one row per thing", key=["name"], published=False)
class Checked(Table):
    """A table with every kind of check that can be derived."""

    name: pl.String = column("Name", str_length={"min_value": 2, "max_value": 3})
    code: pl.String = column("Code", nullable=True, str_matches="a|b")
    kind: pl.String = column("Kind", isin=["x", "y"])
    low: pl.Int64 = column("At least 0, below 5", ge=0, lt=5, nullable=True)
    high: pl.Float64 = column("Above 0, at most 1", gt=0.0, le=1.0)


CHECKED_VALUES = {
    "name": st.none() | st.text("aé", max_size=4),
    "code": st.none() | st.text("abc", max_size=2),
    "kind": st.none() | st.sampled_from(["x", "y", "z", ""]),
    "low": st.none() | st.integers(-1, 6),
    "high": st.none() | st.sampled_from([-1.0, 0.0, 0.5, 1.0, 1.5]),
}


def event_values() -> dict[str, st.SearchStrategy]:
    kinds = {
        pl.String: st.none() | st.text("ab ", max_size=2),
        pl.Float64: st.none() | st.floats(-2, 2),
        pl.Boolean: st.none() | st.booleans(),
        pl.Datetime("us", "UTC"): st.none() | st.just(datetime(2024, 3, 5, tzinfo=UTC)),
    }
    return {name: kinds[dtype] for name, dtype in dtypes(EventContract).items()}


def refused_by_pandera(model: type[Table], frame: pl.DataFrame) -> set[tuple[str, int]]:
    """Column and row of every failure of the model's checks."""
    try:
        with pa.config.config_context(validation_depth=pa.config.ValidationDepth.SCHEMA_AND_DATA):
            model.validate(frame, lazy=True)
    except SchemaErrors as errors:
        return set(errors.failure_cases.select("column", "index").rows())
    return set()


def refused_by_expressions(model: type[Table], frame: pl.DataFrame) -> Iterator[tuple[str, int]]:
    """The same from the derived expressions; rules about several columns have no one column."""
    for _, broken in violations(model):
        names = broken.meta.root_names()
        if len(set(names)) == 1:
            for row in frame.select(broken).to_series().arg_true():
                yield names[0], row


@pytest.mark.parametrize(
    ("model", "values"), [(Checked, CHECKED_VALUES), (EventContract, event_values())]
)
def test_expressions_and_pandera_refuse_the_same_rows(model, values):
    @given(st.lists(st.fixed_dictionaries(values), max_size=5))
    @settings(max_examples=100)
    def same(records):
        frame = pl.DataFrame(records, schema=dtypes(model))
        assert set(refused_by_expressions(model, frame)) == refused_by_pandera(model, frame)

    same()


def test_every_check_says_what_is_wrong():
    frame = pl.DataFrame(
        {"name": ["a"], "code": ["c"], "kind": ["z"], "low": [-1], "high": [2.0]},
        schema=dtypes(Checked),
    )
    assert frame.select(reasons(Checked)).item() == (
        "name has not 2 to 3 characters; code does not match a|b; kind is none of x, y; "
        "low is below 0; high is above 1.0"
    )


def test_a_number_that_is_not_finite_is_refused_beyond_pandera():
    frame = pl.DataFrame(
        {
            "name": "ab",
            "code": None,
            "kind": "x",
            "low": 1,
            "high": [0.5, float("nan"), float("inf")],
        },
        schema=dtypes(Checked),
    )
    said = frame.select(reasons(Checked)).to_series()
    assert said[0] is None
    assert said[1].startswith("high is not a finite number")
    assert said[2].startswith("high is not a finite number")


def test_a_row_that_names_nobody_breaks_the_rule_of_the_contract():
    blank = dict.fromkeys(dtypes(EventContract))
    at = datetime(2024, 3, 5, tzinfo=UTC)
    row = blank | {"event_id": "e", "event_name": "v", "event_ts": at, "received_ts": at}
    frame = pl.DataFrame([row, row | {"anonymous_id": "a"}], schema=dtypes(EventContract))
    assert frame.select(reasons(EventContract)).to_series().to_list() == [
        "nobody is named: user_id and anonymous_id are both missing",
        None,
    ]


def test_a_check_without_an_expression_is_an_error_and_not_passed_over():
    @table(grain="one row per thing", key=["name"], published=False)
    class Unknown(Table):
        name: pl.String = column("Name", str_contains="x")

    with pytest.raises(NotImplementedError, match="column name: no expression"):
        list(violations(Unknown))
