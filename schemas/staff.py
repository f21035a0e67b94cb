"""Ids of the people who work for the company."""

import polars as pl

from schemas.base import Table, column, table


@table(grain="one row per id of a person of staff", key=["staff_id"], published=False)
class Staff(Table):
    """Everybody whom the latest row of ``customers`` marks ``is_staff``, by all ids they have.

    These are the person's ``user_id`` and every ``customer_id`` that is mapped to it, marked or
    not. Empty where the setting ``exclude_staff`` is false.
    """

    staff_id: pl.String = column("An id of the person, as a user, customer or respondent")
