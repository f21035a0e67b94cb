"""Customers as they stood at the end of a day: the facts of all sources beside each other."""

from dataclasses import dataclass
from datetime import date

import polars as pl

from transforms.customer_facts import activity, answers, contracts, purchases, support
from transforms.money import MONEY
from transforms.people import as_people


@dataclass(frozen=True)
class Sources:
    """What customers are told of by, and the zone whose days count."""

    customers: pl.LazyFrame
    subscriptions: pl.LazyFrame
    orders: pl.LazyFrame
    tickets: pl.LazyFrame
    user_months: pl.LazyFrame
    timezone: str

    def under_contract(self, on: date) -> pl.LazyFrame:
        """States of who bore MRR on the day."""
        payers = contracts(self.subscriptions, self.customers, on).filter(is_paying())
        return self._of(payers, on)

    def buyers(self, on: date, churn_inactivity_days: int) -> pl.LazyFrame:
        """States of a shop's customers of the day."""
        bought = purchases(self.orders, self.customers, on)
        return self._of(bought.filter(is_buying(on, churn_inactivity_days)), on)

    def _of(self, rows: pl.LazyFrame, on: date) -> pl.LazyFrame:
        people = as_people(rows.select("customer_id"), self.customers)
        return self.states(people.select("customer_id", "user_id"), on)

    def states(self, people: pl.LazyFrame, on: date) -> pl.LazyFrame:
        """``people`` (customer_id, user_id) with what is known of each at the end of the day.

        Null is not known; MRR, orders, revenue and tickets are zero where there are none.
        """
        return (
            people.join(
                contracts(self.subscriptions, self.customers, on), on="customer_id", how="left"
            )
            .join(purchases(self.orders, self.customers, on), on="customer_id", how="left")
            .join(
                support(self.tickets, self.customers, self.timezone, on),
                on="customer_id",
                how="left",
            )
            .join(activity(self.user_months, on), on="user_id", how="left")
            .with_columns(
                pl.col("mrr_amount", "revenue_amount").fill_null(pl.lit(0, MONEY)),
                pl.col("orders", "purchase_days", "tickets", "open_tickets").fill_null(0),
                pl.col("is_past_due").fill_null(False),
                active_days=pl.col("active_days").fill_null(0),
            )
        )


def with_answers(states: pl.LazyFrame, survey_responses: pl.LazyFrame, on: date) -> pl.LazyFrame:
    """The states with each person's latest answers by the end of the day."""
    return states.join(answers(survey_responses, on), on="user_id", how="left")


def is_paying() -> pl.Expr:
    """Under contract: the MRR of the day is above zero."""
    return pl.col("mrr_amount") > 0


def is_buying(on: date, churn_inactivity_days: int) -> pl.Expr:
    """A shop's customer: has a purchase in the days up to and with the day."""
    since = (pl.lit(on) - pl.col("last_purchase_date")).dt.total_days()
    return (since < churn_inactivity_days).fill_null(False)
