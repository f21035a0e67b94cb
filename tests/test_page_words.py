from datetime import date
from decimal import Decimal

import pytest

from pipelines.pages.words import duration, listed, number, percent, plain_day

SPACE = "\u00a0"


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (1234, 0, "1,234"),
        (0, 0, "0"),
        (3.0931, 2, "3.09"),
        (Decimal("29218.1632"), 2, "29,218.16"),
        (-7.4, 1, "\u22127.4"),
    ],
)
def test_numbers_are_grouped_and_have_a_real_minus_sign(value, decimals, text):
    assert number(value, decimals) == text


def test_what_rounds_to_zero_is_not_negative():
    assert number(-0.004, 2) == "0.00"


def test_fractions_are_written_as_per_cent():
    assert percent(0.123) == f"12.3{SPACE}%"
    assert percent(1) == f"100.0{SPACE}%"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (42.35, "42 s"),
        (60, "1 min"),
        # 174 = 2 x 60 + 54.
        (174, "2 min 54 s"),
        # 16,305 = 4 x 3,600 + 31 x 60 + 45: rounded to 32 minutes.
        (16_305, "4 h 32 min"),
        # 3,599.9 is an hour, and never 60 minutes.
        (3_599.9, "1 h"),
        # 198,911 = 2 x 86,400 + 7.25 x 3,600.
        (198_911.6, "2 d 7 h"),
        (-90, "\u22121 min 30 s"),
    ],
)
def test_durations_have_their_two_largest_units(seconds, text):
    assert duration(seconds) == text.replace(" ", SPACE)


def test_days_and_lists_read_as_english():
    assert plain_day(date(2025, 3, 1)) == "1 Mar 2025"
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"]) == "a, b and c"
