import polars as pl

from transforms.division import ratio


def quotients(numerators: list[int | None], denominators: list[int | None]) -> list[float | None]:
    counts = pl.LazyFrame(
        {"above": numerators, "below": denominators}, schema={"above": pl.Int64, "below": pl.Int64}
    )
    result = counts.select(rate=ratio("above", "below")).collect()
    assert result.schema == {"rate": pl.Float64}
    return result["rate"].to_list()


def test_a_ratio_is_the_quotient_of_two_counts() -> None:
    assert quotients([13, 0, 200], [100, 5, 1000]) == [0.13, 0.0, 0.2]


def test_a_zero_denominator_gives_null_and_neither_zero_nor_infinity_nor_nan() -> None:
    assert quotients([5, 0, -5], [0, 0, 0]) == [None, None, None]


def test_what_is_unknown_stays_unknown() -> None:
    assert quotients([None, 5, None], [5, None, 0]) == [None, None, None]


def test_numerator_and_denominator_may_be_expressions() -> None:
    counts = pl.LazyFrame({"lost": [10], "start": [90], "new": [10]})
    result = counts.select(rate=ratio(pl.col("lost"), pl.col("start") + pl.col("new")))
    assert result.collect()["rate"].to_list() == [0.1]


def test_a_division_by_one_number_is_a_division_however_many_rows_there_are() -> None:
    # Times the inverse of a million, 35,700,000 is 35.699999999999996.
    for rows in (1, 2, 3):
        frame = pl.DataFrame({"a": [35_700_000] * rows, "of": range(rows)})
        seconds = ratio("a", pl.lit(1_000_000))
        assert frame.select(seconds).to_series().to_list() == [35.7] * rows
        grouped = frame.group_by("of").agg(ratio(pl.col("a").sum(), pl.lit(1_000_000)))
        assert grouped["a"].to_list() == [35.7] * rows
