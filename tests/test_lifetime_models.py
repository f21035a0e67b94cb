"""The models themselves: published figures, exact integrals, and made-up customers."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import betaln

from transforms import bg_nbd, gamma_gamma, likelihood, shifted_beta_geometric

# Table 1 of Fader and Hardie (2007): per cent of the customers left after each year.
REGULAR = [100, 63.1, 46.8, 38.2, 32.6, 28.9, 26.2, 24.1, 22.3, 20.7, 19.4, 18.3, 17.3]
HIGH_END = [100, 86.9, 74.3, 65.3, 59.3, 55.1, 51.7, 49.1, 46.8, 44.5, 42.7, 40.9, 39.4]


def of_thousand(survival: list[float], years: int) -> shifted_beta_geometric.Tenures:
    left = 10 * np.array(survival[: years + 1])
    return shifted_beta_geometric.Tenures(
        period=np.arange(years + 1.0),
        lost=np.concatenate([[0.0], -np.diff(left)]),
        kept=np.where(np.arange(years + 1) == years, left[-1], 0.0),
    )


def slopes_by_difference(
    height: Callable[[likelihood.Floats], float], at: list[float]
) -> list[float]:
    point = np.array(at)
    steps = np.eye(len(at)) * 1e-6
    return [(height(point + step) - height(point - step)) / 2e-6 for step in steps]


HISTORIES = bg_nbd.Histories(
    frequency=np.array([0.0, 1.0, 2.0, 7.0]),
    recency=np.array([0.0, 1.71, 30.43, 29.0]),
    age=np.array([38.86, 38.86, 38.86, 30.0]),
    customers=np.array([5.0, 2.0, 1.0, 3.0]),
)
SPENT = gamma_gamma.Spending(
    np.array([1.0, 2.0, 5.0]), np.array([11.77, 22.35, 80.0]), np.array([3.0, 1.0, 2.0])
)


@pytest.mark.parametrize(
    ("model", "at"),
    [
        (lambda values: bg_nbd.log_likelihood(values, HISTORIES), [0.3, 4.0, 0.7, 2.0]),
        (lambda values: gamma_gamma.log_likelihood(values, SPENT), [6.0, 3.0, 15.0]),
        (
            lambda values: shifted_beta_geometric.log_likelihood(values, of_thousand(REGULAR, 7)),
            [0.5, 1.5],
        ),
    ],
    ids=["bg_nbd", "gamma_gamma", "sbg"],
)
def test_the_gradient_is_the_slope_of_the_likelihood(
    model: Callable[[likelihood.Floats], tuple[float, likelihood.Floats]], at: list[float]
) -> None:
    found = model(np.array(at))[1]
    assert found == pytest.approx(slopes_by_difference(lambda v: model(v)[0], at), rel=1e-5)


@pytest.mark.parametrize(
    ("survival", "alpha", "beta"), [(HIGH_END, 0.668, 3.806), (REGULAR, 0.704, 1.182)]
)
def test_retention_of_the_paper_gives_its_parameters(
    survival: list[float], alpha: float, beta: float
) -> None:
    fit = shifted_beta_geometric.fit(of_thousand(survival, 7))
    assert fit.converged
    assert {name: round(value, 3) for name, value in fit.parameters.items()} == {
        "alpha": alpha,
        "beta": beta,
    }


@pytest.mark.parametrize(("survival", "twelfth"), [(HIGH_END, 37.8), (REGULAR, 17.0)])
def test_the_years_after_the_fit_come_out_as_the_paper_projects_them(
    survival: list[float], twelfth: float
) -> None:
    fit = shifted_beta_geometric.fit(of_thousand(survival, 7))
    values = np.array(list(fit.parameters.values()))
    projected = 100 * np.exp(shifted_beta_geometric.log_survival(values, np.arange(13.0)))
    assert round(float(projected[12]), 1) == twelfth
    assert projected == pytest.approx(survival, abs=2.0)


def test_retention_rises_with_tenure() -> None:
    # r_t = (beta + t - 1) / (alpha + beta + t - 1), alpha 1 and beta 2: 2/3, 3/4, 4/5.
    values = np.array([1.0, 2.0])
    stays = shifted_beta_geometric.survival_from(values, np.array([0.0, 1.0, 2.0]), 1)
    assert stays == pytest.approx([2 / 3, 3 / 4, 4 / 5])


def expected_by_integral(values: list[float], x: float, age: float, weeks: float) -> float:
    """E[(1 - (1 + p t / (alpha + T))^-(r + x)) / p] over the beta of p: what 2F1 stands for."""
    r, alpha, a, b = values
    rate, b = alpha + age, b + x

    def density(u: float) -> float:
        # p = u^(1/a) takes away the pole of the density at zero.
        p = u ** (1 / a)
        if not 0 < p < 1:
            return 0.0
        bought = -np.expm1(-(r + x) * np.log1p(p * weeks / rate)) / p
        return float(bought * np.exp((b - 1) * np.log1p(-p) - betaln(a, b)) / a)

    return float(quad(density, 0, 1, limit=400)[0])


@pytest.mark.parametrize(
    "values",
    [
        [0.243, 4.414, 0.793, 2.426],
        [0.5, 2.0, 1.0, 3.0],
        [0.5, 4.0, 0.5, 0.5],
        [0.01, 0.1, 0.05, 8.0],
        [5.0, 50.0, 3.0, 1.0],
        [0.9, 10.0, 0.02, 100.0],
    ],
    ids=[
        "as in the paper",
        "a is 1",
        "a + b is 1",
        "few ever stop",
        "many stop",
        "hardly any stop",
    ],
)
def test_expected_purchases_are_what_integration_gives(values: list[float]) -> None:
    for x, age in ((0.0, 0.0), (0.0, 39.0), (2.0, 39.0), (60.0, 300.0)):
        for weeks in (1.0, 52.0, 520.0):
            found = bg_nbd.expected_if_alive(
                np.array(values), np.array([x]), np.array([age]), weeks
            )
            exact = expected_by_integral(values, x, age, weeks)
            assert float(found[0]) == pytest.approx(exact, rel=1e-4), (x, age, weeks)


@pytest.mark.parametrize("stops", [0.09, 0.5, 0.99])
def test_where_all_are_as_likely_to_stop_purchases_are_those_of_that_one_chance(
    stops: float,
) -> None:
    # Of a beta with a + b without end nothing is left but its mean p:
    # (1 - (1 + p t / (alpha + T))^-(r + x)) / p
    size = 1e6
    values = np.array([1.383, 6.353, stops * size, (1 - stops) * size])
    for x, age in ((0.0, 0.0), (2.0, 39.0), (60.0, 300.0)):
        found = bg_nbd.expected_if_alive(values, np.array([x]), np.array([age]), 52.0)
        exact = (1 - (1 + stops * 52 / (6.353 + age)) ** -(1.383 + x)) / stops
        assert float(found[0]) == pytest.approx(exact, rel=1e-3)


def test_who_never_came_back_is_alive_for_the_model_and_who_was_long_away_hardly() -> None:
    alive = bg_nbd.alive_probability(
        np.array([0.243, 4.414, 0.793, 2.426]),
        np.array([0.0, 7.0, 7.0]),
        np.array([0.0, 38.0, 10.0]),
        np.array([38.86, 38.86, 38.86]),
    )
    # 0.793 / (2.426 + 6) ((4.414 + 38.86) / (4.414 + 38))^7.243 = 0.1088: 1 / 1.1088 = 0.9018
    # and with 10 for 38: 0.0941 (43.274 / 14.414)^7.243 = 269.3: 1 / 270.3 = 0.0037
    assert alive == pytest.approx([1.0, 0.9018, 0.0037], abs=1e-4)


def test_expected_amounts_lie_between_a_customer_s_own_mean_and_everybody_s() -> None:
    # p 6, q 4, v 15: all 6 * 15 / 3 = 30; one of 90: 6 (15 + 90) / 9 = 70; two of 90: 6 * 195 / 15
    amounts = gamma_gamma.expected_amount(
        np.array([6.0, 4.0, 15.0]), np.array([0.0, 1.0, 2.0]), np.array([0.0, 90.0, 180.0])
    )
    assert amounts.tolist() == [30.0, 70.0, 78.0]


def test_a_mean_without_bounds_is_none() -> None:
    # q below 1: the mean over all customers is infinite, that of a customer is not.
    amounts = gamma_gamma.expected_amount(
        np.array([6.0, 0.9, 15.0]), np.array([0.0, 1.0]), np.array([0.0, 90.0])
    )
    assert np.isnan(amounts).tolist() == [True, False]


def test_the_spending_fit_knows_no_currency() -> None:
    many = np.arange(1.0, 61.0)
    spent = gamma_gamma.Spending(1 + many % 4, 5 + many**1.3, np.ones(60))
    cents = gamma_gamma.Spending(spent.purchases, 100 * spent.mean, spent.customers)
    one, other = gamma_gamma.fit(spent), gamma_gamma.fit(cents)
    assert other.parameters["p"] == pytest.approx(one.parameters["p"], rel=1e-8)
    assert other.parameters["v"] == pytest.approx(100 * one.parameters["v"], rel=1e-8)
    # A density per cent is a hundredth of one per unit, for each of 60 customers.
    assert other.log_likelihood == pytest.approx(one.log_likelihood - 60 * np.log(100), abs=1e-6)


def made_up_buyers(values: list[float], customers: int, weeks: float) -> bg_nbd.Histories:
    r, alpha, a, b = values
    dice = np.random.default_rng(20260101)
    rows = []
    for rate, leaves in zip(
        dice.gamma(r, 1 / alpha, customers), dice.beta(a, b, customers), strict=True
    ):
        when, last, bought = 0.0, 0.0, 0
        while (when := when + dice.exponential(1 / rate)) < weeks:
            last, bought = when, bought + 1
            if dice.random() < leaves:
                break
        rows.append((bought, last, weeks, 1.0))
    return bg_nbd.Histories(*np.array(sorted(rows), dtype=np.float64).T)


def test_made_up_buyers_give_back_the_parameters_they_were_made_from() -> None:
    truth = [0.8, 6.0, 0.6, 2.5]
    fit = bg_nbd.fit(made_up_buyers(truth, 6000, 78.0))
    assert fit.converged
    assert list(fit.parameters.values()) == pytest.approx(truth, rel=0.15)


def test_the_maximum_does_not_hang_on_the_last_bits_of_a_row() -> None:
    histories = made_up_buyers([0.8, 6.0, 0.6, 2.5], 800, 52.0)
    shaken = bg_nbd.Histories(
        histories.frequency,
        histories.recency * (1 + 1e-15),
        histories.age,
        histories.customers,
    )
    assert bg_nbd.fit(shaken).parameters == pytest.approx(
        bg_nbd.fit(histories).parameters, rel=2e-9
    )


def test_buyers_who_never_stop_lead_to_the_edge_and_it_is_said() -> None:
    # Everybody buys each week to the end: neither stopping nor a difference of rates is in sight.
    steady = bg_nbd.Histories(
        np.full(3, 20.0), np.array([19.9, 20.0, 20.0]), np.full(3, 20.0), np.full(3, 50.0)
    )
    fit = bg_nbd.fit(steady)
    assert fit.converged
    assert "a towards zero" in fit.message or "b without end" in fit.message
