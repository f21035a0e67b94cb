from decimal import Decimal

import polars as pl
import pytest
from frames import day, frame
from hypothesis import given
from hypothesis import strategies as st

from schemas.exchange_rates import ExchangeRates
from schemas.landed_campaign_costs import LandedCampaignCosts
from transforms.money import divided, from_units, units, with_rate

ECB = pl.DataFrame(
    {
        "day": [day("2024-03-04"), day("2024-03-04"), day("2024-03-05")],
        "currency": ["USD", "GBP", "USD"],
        "rate": [Decimal("1.1"), Decimal("0.88"), Decimal("1.25")],
    },
    schema={"day": pl.Date, "currency": pl.String, "rate": pl.Decimal(18, 8)},
)


def own(when: str, currency: str, rate: str, fate: str = "counts") -> dict[str, object]:
    return {"day": day(when), "currency": currency, "rate": Decimal(rate), "fate": fate}


def converted(
    amount: str, currency: str, when: str, *rates: dict[str, object], into: str = "EUR"
) -> Decimal | None:
    """What an amount of a day comes to in the reporting currency."""
    row = {"cost": Decimal(amount), "currency": currency, "event_date": day(when)}
    rated = with_rate(
        frame(LandedCampaignCosts, [row]), frame(ExchangeRates, rates), ECB, currency=into
    )
    number = divided(units(pl.col("cost")) * pl.col("rate_base"), pl.col("rate_units"))
    value: Decimal | None = rated.select(from_units(number)).collect().item()
    return value


def test_the_reporting_currency_is_taken_as_it_is() -> None:
    assert converted("12.3456", "EUR", "1980-01-01") == Decimal("12.3456")


def test_an_amount_is_divided_by_the_rate_of_its_day() -> None:
    # 10 / 1.25 = 8
    assert converted("10", "USD", "2024-03-05") == 8


def test_a_rate_reaches_seven_days_and_not_an_eighth() -> None:
    assert converted("10", "USD", "2024-03-12") == 8
    assert converted("10", "USD", "2024-03-13") is None


def test_a_later_rate_is_never_taken() -> None:
    assert converted("10", "USD", "2024-03-03") is None


def test_a_landed_rate_beats_a_younger_one_of_the_library() -> None:
    # 10 / 2 = 5, not 10 / 1.25
    assert converted("10", "USD", "2024-03-05", own("2024-03-01", "USD", "2")) == 5


def test_of_landed_rates_the_latest_that_counts_is_taken() -> None:
    rates = [
        own("2024-03-01", "XAU", "2"),
        own("2024-03-02", "XAU", "4"),
        own("2024-03-03", "XAU", "5", "duplicate"),
    ]
    assert converted("10", "XAU", "2024-03-05", *rates) == Decimal("2.5")


def test_two_currencies_of_the_library_are_crossed_on_a_day_that_knows_both() -> None:
    # On the 5th only the dollar is known: 4 March, 11 x 0.88 / 1.1 = 8.8 pounds.
    assert converted("11", "USD", "2024-03-05", into="GBP") == Decimal("8.8")
    assert converted("11", "EUR", "2024-03-05", into="GBP") == Decimal("9.68")


def test_a_currency_that_nobody_knows_has_no_rate() -> None:
    assert converted("1", "QQQ", "2024-03-05") is None


@pytest.mark.parametrize(
    ("numerator", "denominator", "expected"),
    [(5, 10, 0), (15, 10, 2), (25, 10, 2), (-5, 10, 0), (-15, 10, -2), (7, 3, 2), (8, 3, 3)],
)
def test_halves_are_rounded_to_even(numerator: int, denominator: int, expected: int) -> None:
    both = [pl.lit(number, pl.Int128) for number in (numerator, denominator)]
    assert pl.select(divided(*both)).item() == expected


def test_a_zero_denominator_gives_null() -> None:
    assert pl.select(divided(pl.lit(1, pl.Int128), pl.lit(0, pl.Int128))).item() is None


@given(st.decimals("-99999999999999", "99999999999999", places=4))
def test_money_becomes_units_and_money_again(amount: Decimal) -> None:
    money = pl.lit(amount, pl.Decimal(18, 4))
    assert pl.select(from_units(units(money))).item() == amount


@given(st.integers(-(10**25), 10**25), st.integers(1, 10**10))
def test_division_rounds_as_python_does(numerator: int, denominator: int) -> None:
    from fractions import Fraction

    both = [pl.lit(str(n)).cast(pl.Int128) for n in (numerator, denominator)]
    assert pl.select(divided(*both)).item() == round(Fraction(numerator, denominator))
