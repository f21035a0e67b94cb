import polars as pl
import pytest

from transforms.segmentation import (
    SEPARATOR,
    by_dimension,
    combined,
    event_dimensions,
    of_everybody,
    value_of,
)


def test_only_dimensions_that_events_carry_are_broken_down_in_the_order_of_the_setting() -> None:
    assert event_dimensions(["plan", "country", "platform", "segment"]) == ["country", "platform"]


def test_a_dimension_that_is_named_twice_is_broken_down_once() -> None:
    assert event_dimensions(["country", "country"]) == ["country"]


@pytest.mark.parametrize("name", ["user_id", "event_id", "value", "event_ts", "is_bot"])
def test_identities_and_numbers_are_no_dimensions(name: str) -> None:
    assert event_dimensions([name]) == []


def written(platform: str | None, country: str | None) -> str:
    values = pl.LazyFrame(
        {"platform": [platform], "country": [country]},
        schema={"platform": pl.String, "country": pl.String},
    ).with_columns(value_of("platform"), value_of("country"))
    return values.select(combined(["platform", "country"])).collect().item()


def test_a_combination_is_its_values_joined_by_the_unit_separator() -> None:
    assert written("web", "DE") == "web\x1fDE"


def test_a_missing_value_is_unknown_and_an_empty_one_is_itself() -> None:
    assert written(None, "") == "unknown\x1f"


def test_a_separator_within_a_value_becomes_a_blank() -> None:
    assert written("w\x1feb", "DE") == "w eb\x1fDE"


def parts(combinations: list[str], names: list[str]) -> list[tuple[str, str, str]]:
    rows = pl.LazyFrame({"segments": combinations}, schema={"segments": pl.String})
    named = pl.concat([of_everybody(rows), *by_dimension(rows, names)])
    return sorted(named.select("segments", "dimension", "segment").collect().rows())


def test_rows_come_once_for_everybody_and_once_per_dimension() -> None:
    both = SEPARATOR.join(["web", "DE"])
    other = SEPARATOR.join(["ios", "DE"])
    assert parts([both, both, other], ["platform", "country"]) == [
        (other, "all", "all"),
        (other, "country", "DE"),
        (other, "platform", "ios"),
        *[(both, "all", "all")] * 2,
        *[(both, "country", "DE")] * 2,
        *[(both, "platform", "web")] * 2,
    ]


def test_empty_values_survive_the_split() -> None:
    assert ("\x1f", "country", "") in parts(["\x1f"], ["platform", "country"])


def test_without_dimensions_there_is_only_everybody() -> None:
    assert parts([""], []) == [("", "all", "all")]
