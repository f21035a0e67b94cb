"""The models behind lifetime value: their parameters, and how well they foretold."""

import polars as pl

from schemas.base import Table, column, count, table

MODELS = ("bg_nbd", "gamma_gamma", "sbg")


@table(
    grain="one row per model",
    key=["model", "as_of"],
    warnings=[
        "The fit ends at cutoff_date; what follows up to as_of is held out, and judges it.",
        "Parameters of one name belong to different models: alpha of bg_nbd is not that of sbg.",
    ],
    rules=[
        (
            "a fit that did not converge has parameters",
            pl.col("converged") | pl.all_horizontal(pl.col("r", "p", "beta").is_null()),
        )
    ],
)
class ClvModels(Table):
    """Fitted by maximum likelihood. A model without enough to learn from has none, and says so."""

    model: pl.String = column(
        "bg_nbd: how often customers without contract buy (Fader, Hardie and Lee 2005); "
        "gamma_gamma: for how much (Fader and Hardie 2013); sbg: how long customers under contract "
        "stay, shifted beta-geometric (Fader and Hardie 2007)",
        isin=list(MODELS),
    )
    as_of: pl.Date = column("Last day of the data, data_through")
    cutoff_date: pl.Date = column("Last day of the data that the model is fitted to")
    holdout_days: pl.Int64 = count("Days after the cut-off that are held out", unit="days")
    customers: pl.Int64 = count(
        "Customers whom the model is fitted to: who bought (bg_nbd), who bought again for more "
        "than nothing (gamma_gamma), who paid at a month's end (sbg, where who comes back is one "
        "more)",
        unit="customers",
    )
    telling_customers: pl.Int64 = count(
        "Those of them who tell of its parameters: who bought again (bg_nbd, gamma_gamma), who "
        "were lost (sbg); fewer than ten per parameter are too few",
        unit="customers",
    )
    r: pl.Float64 = column("Shape of the gamma of buying rates (bg_nbd)", nullable=True, gt=0.0)
    alpha: pl.Float64 = column(
        "Rate of the gamma of buying rates, in weeks (bg_nbd); first parameter of the beta of "
        "leaving at a renewal (sbg)",
        nullable=True,
        gt=0.0,
    )
    a: pl.Float64 = column(
        "First parameter of the beta of leaving after a purchase (bg_nbd)", nullable=True, gt=0.0
    )
    b: pl.Float64 = column(
        "Second parameter of the beta of leaving after a purchase (bg_nbd)", nullable=True, gt=0.0
    )
    p: pl.Float64 = column(
        "Shape of the gamma of a customer's amounts (gamma_gamma)", nullable=True, gt=0.0
    )
    q: pl.Float64 = column(
        "Shape of the gamma of customers' scales (gamma_gamma)", nullable=True, gt=0.0
    )
    v: pl.Float64 = column(
        "Rate of the gamma of customers' scales, in the reporting currency (gamma_gamma)",
        nullable=True,
        gt=0.0,
    )
    beta: pl.Float64 = column(
        "Second parameter of the beta of leaving at a renewal (sbg)", nullable=True, gt=0.0
    )
    log_likelihood: pl.Float64 = column(
        "Logarithm of the likelihood of what the customers did up to the cut-off", nullable=True
    )
    converged: pl.Boolean = column("A maximum of the likelihood was found")
    note: pl.String = column("Why there are no parameters, or what to know of them", nullable=True)
    holdout_measure: pl.String = column(
        "What is foretold for the days held out: repeat purchase days of the customers (bg_nbd), "
        "mean amount of their purchase days (gamma_gamma), customers who still pay of those who "
        "paid at the cut-off (sbg)",
        isin=["repeat_days", "mean_amount", "paying_customers"],
    )
    holdout_predicted: pl.Float64 = column("What the model foretold", nullable=True, ge=0.0)
    holdout_actual: pl.Float64 = column("What came", nullable=True, ge=0.0)
    error_rate: pl.Float64 = column(
        "How far what was foretold is off; below zero where more came; null where nothing came",
        unit="fraction",
        formula="(holdout_predicted - holdout_actual) / holdout_actual",
        nullable=True,
    )
