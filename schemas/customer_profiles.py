"""What all sources know of a customer, how well they are doing, and the risk of losing them."""

from typing import Any

import polars as pl

from schemas.base import Money, Table, column, count, money, table

LEVELS = ("good", "fair", "poor", "unknown")
RISK_MODELS = ("subscriptions", "orders", "inactivity", "none")
HABITS = ("every_week", "some_weeks", "never", "not_mailed")
_MOVING = "Moving: as of data_through, and changes with each night."
_POINTS = ("activity_points", "satisfaction_points", "support_points", "payment_points")
_ADDED = pl.sum_horizontal(pl.col(name).fill_null(0.0) for name in _POINTS)
_SCORES = [pl.col(name.replace("points", "score")) for name in _POINTS]


def _moving(what: str, **options: Any) -> Any:
    return column(what, warning=_MOVING, **options)


def _perhaps(what: str, **options: Any) -> Any:
    return _moving(what, nullable=True, **options)


def _counted(what: str, **options: Any) -> Any:
    return count(what, warning=_MOVING, **options)


def _hundred(what: str, **options: Any) -> Any:
    return _perhaps(what, unit="points of 100", ge=0.0, le=100.0, **options)


def _points(what: str) -> Any:
    return _hundred(
        f"What {what} adds to health_score; null where it is not known",
        formula="score x weight / sum of the weights of the components that are known",
    )


@table(
    grain="one row per customer",
    key=["customer_id"],
    warnings=[
        "Moving: every column is as of data_through, and changes with each night.",
        "A component of health that is not known is no zero: it takes no part in the mean.",
    ],
    rules=[
        (
            "health_score is not the sum of its points",
            (pl.col("health_score").fill_null(0.0) - _ADDED).abs() <= 1e-9,
        ),
        (
            "components_known counts a component without a score",
            pl.col("components_known")
            <= pl.sum_horizontal(score.is_not_null().cast(pl.Int64) for score in _SCORES),
        ),
        (
            "health_level is unknown with a score, or known without one",
            (pl.col("health_level") == "unknown") == pl.col("health_score").is_null(),
        ),
        (
            "health_score is there without a component, or not there with one",
            (pl.col("components_known") == 0) == pl.col("health_score").is_null(),
        ),
        (
            "a churn_risk has no model, or a model no risk",
            (pl.col("churn_risk_model") == "none") == pl.col("churn_risk").is_null(),
        ),
        (
            "first_seen_date is after last_seen_date",
            pl.col("last_seen_date").is_null()
            | (pl.col("first_seen_date") <= pl.col("last_seen_date")),
        ),
        (
            "mails were opened in more weeks than they were delivered in",
            pl.col("opened_weeks") <= pl.col("mailed_weeks"),
        ),
    ],
)
class CustomerProfiles(Table):
    """Everybody whom a source names by the end of ``data_through``, with what is known of them.

    Named are customers of the sources customers, subscriptions, orders and tickets, respondents of
    surveys, and users whom an event names; an anonymous id is no customer. An id that the source
    customers knows as a ``user_id`` stands for that customer, the first by name of several. What
    people do (events, answers, mails) belongs to every customer that is the person; what names a
    customer (MRR, orders, tickets) to that one alone.

    Health is the mean of four components, each from 0 to 100, by the setting health_weights.
    activity: active days of the last 28 against health_active_days, which are full marks; known of
    who was ever active. satisfaction: mean of the latest NPS, CSAT and CES answer of the last
    health_survey_days, each by its place on its own scale, effort upside down. support: 100 with no
    ticket open, 0 with health_open_tickets of them; known of who ever opened one. payment: 100
    with MRR, 50 while it is overdue, 0 after the last; or 100 on the day of a purchase falling to
    0 over churn_inactivity_days, whichever is more; known of who ever paid or bought.
    """

    customer_id: pl.String = column("Customer, as the source customers names them")
    as_of: pl.Date = _moving("Last day of the data, data_through")
    user_id: pl.String = _moving("The customer as a person in events and surveys")
    first_seen_date: pl.Date = _perhaps(
        "First day on which any source tells of them: created, first event or mail, subscription, "
        "order or refund, ticket, survey asked or answered; null where no source gives a day"
    )
    last_seen_date: pl.Date = _perhaps(
        "Last day on which they did something: an active event, a purchase, an answer, a ticket, "
        "the start of a subscription; null where they never did"
    )
    country: pl.String = _moving("Country by the source customers, or unknown")
    segment: pl.String = _moving("Segment that the company gives the customer, or unknown")
    plan: pl.String = _moving(
        "Plan that bears most of the MRR; where there never was a subscription with MRR, that of "
        "the source customers; else none"
    )
    mrr_amount: Money = money("MRR; zero without a subscription", warning=_MOVING, ge=0)
    orders: pl.Int64 = _counted("Orders with a purchase so far")
    revenue_amount: Money = money("Orders less refunds so far; without MRR", warning=_MOVING)
    last_order_date: pl.Date = _perhaps("Day of the last purchase")
    expected_value_amount: Money = money(
        "What customer_lifetime_value expects over its horizon, of all models that know; as of "
        "that table's own last day; null where none does",
        warning=_MOVING,
        nullable=True,
        ge=0,
    )
    nps_score: pl.Float64 = _perhaps("Latest recommendation, on 0 to 10", unit="points")
    nps_date: pl.Date = _perhaps("Day of that answer")
    csat_score: pl.Float64 = _perhaps("Latest satisfaction, on its own scale", unit="points")
    csat_date: pl.Date = _perhaps("Day of that answer")
    csat_scale_min: pl.Float64 = _perhaps("Lowest score of its scale")
    csat_scale_max: pl.Float64 = _perhaps("Highest score of its scale")
    ces_score: pl.Float64 = _perhaps("Latest effort or ease, on its own scale", unit="points")
    ces_date: pl.Date = _perhaps("Day of that answer")
    ces_scale_min: pl.Float64 = _perhaps("Lowest score of its scale")
    ces_scale_max: pl.Float64 = _perhaps("Highest score of its scale")
    ces_direction: pl.String = _perhaps("ease: high is easy; effort: high is hard")
    tickets: pl.Int64 = _counted("Tickets opened so far")
    open_tickets: pl.Int64 = _counted("Those of them neither resolved nor closed")
    active_days: pl.Int64 = _counted("Active days of the 28 that end on as_of", unit="days")
    delivered_mails: pl.Int64 = _counted("Mails delivered in these 28 days", unit="mails")
    opened_mails: pl.Int64 = _counted(
        "Openings in these days, not by machines; a mail may be opened twice", unit="openings"
    )
    mailed_weeks: pl.Int64 = _counted(
        "Weeks of the four that end on as_of in which a mail was delivered", unit="weeks"
    )
    opened_weeks: pl.Int64 = _counted("Those of them in which one was opened", unit="weeks")
    email_habit: pl.String = _moving(
        "every_week: opened in each of these weeks with a mail; some_weeks: in some of them; "
        "never: in none; not_mailed: there was no mail",
        isin=list(HABITS),
    )
    activity_score: pl.Float64 = _hundred("Component activity; null where not known")
    satisfaction_score: pl.Float64 = _hundred("Component satisfaction; null where not known")
    support_score: pl.Float64 = _hundred("Component support; null where not known")
    payment_score: pl.Float64 = _hundred("Component payment; null where not known")
    activity_points: pl.Float64 = _points("activity")
    satisfaction_points: pl.Float64 = _points("satisfaction")
    support_points: pl.Float64 = _points("support")
    payment_points: pl.Float64 = _points("payment")
    components_known: pl.Int64 = _counted(
        "Components that are known, of those with a weight above zero", unit="components", le=4
    )
    health_score: pl.Float64 = _hundred(
        "Health, null where no component is known",
        formula="activity_points + satisfaction_points + support_points + payment_points",
    )
    health_level: pl.String = _moving(
        "good, fair or poor by the setting health_levels; unknown without a score",
        isin=list(LEVELS),
    )
    health_score_change: pl.Float64 = _perhaps(
        "Change of health_score on the 28th day before, computed in the same way from what is "
        "known now of that time; null where either is not known",
        unit="points of 100",
        ge=-100.0,
        le=100.0,
    )
    churn_risk: pl.Float64 = _perhaps(
        "Risk of losing the customer within the horizon of the model, to six decimals; null for "
        "who is no customer now. That of inactivity is a level: 0.1, 0.3, 0.6 or 0.9",
        unit="fraction",
        ge=0.0,
        le=1.0,
    )
    churn_risk_model: pl.String = _moving(
        "subscriptions or orders: the model of churn_models that tells the risk; inactivity: there "
        "is none to be used, and the level rises with each quarter of its horizon since "
        "last_seen_date; none: no risk is told",
        isin=list(RISK_MODELS),
    )
