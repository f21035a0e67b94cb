"""Registrations for courses as subscriptions, mapped by settings alone. See :mod:`real_data`."""

from pathlib import Path

import polars as pl
from real_data import read

LANDED = "2015-07-31"
PRICE = 10

# Day 0 of a presentation, and its length in days as courses.csv gives it.
STARTS = {
    "2013B": "2013-02-01",
    "2013J": "2013-10-01",
    "2014B": "2014-02-01",
    "2014J": "2014-10-01",
}
LENGTHS = {
    "AAA2013J": 268,
    "AAA2014J": 269,
    "BBB2013J": 268,
    "BBB2014J": 262,
    "BBB2013B": 240,
    "BBB2014B": 234,
}
_STARTS = ", ".join(f'"{code}" = "{day}"' for code, day in STARTS.items())
_DAY_0 = f'{{ column = "code_presentation", values = {{ {_STARTS} }} }}'
_LENGTHS = ", ".join(f'"{code}" = {days}' for code, days in LENGTHS.items())
_LENGTH = f'{{ concat = ["code_module", "code_presentation"], values = {{ {_LENGTHS} }} }}'

SETTINGS = """\
timezone = "Europe/London"
refused_rows_limit = 0.01
"""
SOURCE = f"""
[sources.subscriptions]
path = "registrations.csv"

[sources.subscriptions.columns]
subscription_id = {{ concat = ["code_module", "code_presentation", "id_student"] }}
customer_id = "id_student"
plan = "code_module"
amount = {{ constant = {PRICE} }}
currency = {{ constant = "EUR" }}
interval = {{ constant = "month" }}
started_ts = {{ base = {_DAY_0}, days = "date_registration" }}
ended_ts = {{ base = {_DAY_0}, days = "date_unregistration" }}
cancel_at_ts = {{ base = {_DAY_0}, days = {_LENGTH} }}
"""


def registrations() -> pl.DataFrame:
    """Who registered for what, and left it when, in days from the start of the presentation."""
    return read("oulad_aaa_bbb", "studentRegistration.csv.gz")


def lengths() -> pl.DataFrame:
    """Days of each presentation."""
    return read("oulad_aaa_bbb", "courses.csv.gz")


def land_registrations(home: Path, settings: str = SETTINGS) -> None:
    """One full export of all registrations, as it came; ``settings`` are those of the rest."""
    folder = home / "landing" / "subscriptions" / LANDED
    folder.mkdir(parents=True)
    (home / "tidemark.toml").write_text(settings + SOURCE, encoding="utf-8")
    registrations().write_csv(folder / "registrations.csv")
