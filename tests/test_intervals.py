from collections.abc import Sequence
from math import exp, lgamma, log

import polars as pl
import pytest

from transforms.intervals import Interval, bounded_mean, share_difference, wilson


def limits(interval: Interval, **columns: Sequence[float]) -> list[tuple[float | None, ...]]:
    low, high = interval
    return pl.LazyFrame(columns).select(low=low, high=high).collect().rows()


def shares(*pairs: tuple[int, int]) -> list[tuple[float | None, ...]]:
    some, all_of = zip(*pairs, strict=True)
    return limits(wilson(pl.col("s"), pl.col("n")), s=some, n=all_of)


def differences(*triples: tuple[int, int, int]) -> list[tuple[float | None, ...]]:
    up, down, all_of = zip(*triples, strict=True)
    interval = share_difference(pl.col("up"), pl.col("down"), pl.col("n"))
    return limits(interval, up=up, down=down, n=all_of)


def means(*answers: Sequence[float], top: float) -> list[tuple[float | None, ...]]:
    interval = bounded_mean(pl.col("t"), pl.col("q"), pl.col("n"), pl.col("top"))
    return limits(
        interval,
        t=[float(sum(some)) for some in answers],
        q=[float(sum(x * x for x in some)) for some in answers],
        n=[len(some) for some in answers],
        top=[float(top)] * len(answers),
    )


def test_wilson_s_interval_is_the_published_one() -> None:
    # R: prop.test(40, 50, correct = FALSE) gives 0.6696 to 0.8876.
    ((low, high),) = shares((40, 50))
    assert (low, high) == pytest.approx((0.6696, 0.8876), abs=5e-5)
    # The textbook's ends of 0 of 10 and 10 of 10: 0 to 0.2775 and 0.7225 to 1.
    assert shares((0, 10), (10, 10)) == [
        pytest.approx((0.0, 0.2775), abs=5e-5),
        pytest.approx((0.7225, 1.0), abs=5e-5),
    ]


def test_without_answers_there_is_no_interval() -> None:
    assert shares((0, 0)) == [(None, None)]
    assert differences((0, 0, 0)) == [(None, None)]
    assert means([], top=4) == [(None, None)]


def test_a_difference_without_anybody_between_is_a_stretched_share() -> None:
    # 40 for and 10 against of 50: twice Wilson's limits of 40 of 50, less one.
    ((low, high),), ((for_low, for_high),) = differences((40, 10, 50)), shares((40, 50))
    assert for_low is not None
    assert for_high is not None
    assert (low, high) == pytest.approx((2 * for_low - 1, 2 * for_high - 1))


def test_a_difference_turned_round_is_the_same_turned_round() -> None:
    (one,), (other,) = differences((5, 2, 10)), differences((2, 5, 10))
    assert one == pytest.approx((-other[1], -other[0]))


def test_a_difference_has_a_width_where_all_answers_are_alike() -> None:
    # 5 of 5: Wilson's lower limit is 5 / (5 + 3.8415) = 0.5655; 2 x 0.5655 - 1 = 0.1310.
    assert differences((5, 0, 5), (0, 5, 5), (0, 0, 5)) == [
        pytest.approx((0.131035, 1.0), abs=1e-6),
        pytest.approx((-1.0, -0.131035), abs=1e-6),
        # Nobody of 5 on either side: each may be up to 0.4345.
        pytest.approx((-0.434482, 0.434482), abs=1e-6),
    ]


@pytest.mark.parametrize(("size", "least"), [(2, 0.80), (5, 0.86), (20, 0.90)])
def test_a_difference_covers_the_truth_as_often_as_it_says(size: int, least: float) -> None:
    """Counted out: the probability of every possible sample whose interval holds the truth."""
    samples = [(u, d) for u in range(size + 1) for d in range(size + 1 - u)]
    ends = differences(*((u, d, size) for u, d in samples))
    tenths = [(p / 20, q / 20) for p in range(1, 19) for q in range(1, 20 - p)]
    covered = []
    for p, q in tenths:
        truth = p - q
        covered.append(
            sum(
                _probability(u, d, size - u - d, p, q)
                for (u, d), (low, high) in zip(samples, ends, strict=True)
                if low is not None and high is not None and low - 1e-9 <= truth <= high + 1e-9
            )
        )
    assert min(covered) > least
    assert 0.95 < sum(covered) / len(covered) < 0.975


def _probability(up: int, down: int, rest: int, p: float, q: float) -> float:
    ways = lgamma(up + down + rest + 1) - lgamma(up + 1) - lgamma(down + 1) - lgamma(rest + 1)
    return exp(ways + up * log(p) + down * log(q) + rest * log(1 - p - q))


def test_a_mean_of_answers_at_the_ends_is_agresti_and_coull_s_share() -> None:
    # 8 of 10: R's binom.confint(8, 10, methods = "agresti-coull") gives 0.4794 to 0.9541.
    ((low, high),) = means([1] * 8 + [0] * 2, top=1)
    assert (low, high) == pytest.approx((0.4794, 0.9541), abs=1e-4)


def test_a_mean_has_a_width_where_all_answers_are_equal_and_stays_on_the_scale() -> None:
    equal, highest, lowest, single = means([2] * 20, [4] * 20, [0] * 20, [3], top=4)
    for (low, high), seen in ((equal, 2), (highest, 4), (lowest, 0), (single, 3)):
        assert low is not None
        assert high is not None
        assert 0 <= low <= seen <= high <= 4
        assert high - low > 0.1
    assert (highest[1], lowest[0]) == (4, 0)


def test_a_mean_of_many_answers_has_the_normal_interval() -> None:
    # 10,000 answers of 1 and 3 in equal parts: mean 2, deviation 1, error 0.01.
    ((low, high),) = means([1, 3] * 5_000, top=4)
    assert (low, high) == pytest.approx((2 - 0.0196, 2 + 0.0196), abs=2e-5)
