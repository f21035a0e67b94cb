from typing import Any

from frames import assert_rows, day, frame

from schemas.base import empty
from schemas.customers import Customers
from schemas.landed_customers import LandedCustomers
from schemas.staff import Staff
from transforms.customers import customers


def landed(line: int, customer_id: str, **columns: Any) -> dict[str, Any]:
    usual = {"landing_date": day("2024-03-05"), "event_date": day("2024-03-05"), "file": "c.csv"}
    return {"line": line, "customer_id": customer_id} | usual | columns


def test_the_latest_row_of_a_customer_counts() -> None:
    rows = [
        landed(1, "ada", country="DE", landing_date=day("2024-03-06")),
        landed(2, "ada", country="FR"),
        landed(3, "bob"),
    ]
    assert_rows(
        customers(frame(LandedCustomers, rows), empty(Staff)),
        Customers,
        [
            {"customer_id": "ada", "country": "DE", "fate": "counts"},
            {"customer_id": "ada", "country": "FR", "fate": "duplicate"},
            {"customer_id": "bob", "country": None, "fate": "counts"},
        ],
    )


def test_a_customer_is_the_user_of_the_same_id_unless_the_row_says_another() -> None:
    rows = [landed(1, "ada"), landed(2, "bob", user_id="u7", is_staff=True)]
    assert_rows(
        customers(frame(LandedCustomers, rows), empty(Staff)),
        Customers,
        [
            {"customer_id": "ada", "user_id": "ada", "is_staff": False},
            {"customer_id": "bob", "user_id": "u7", "is_staff": True},
        ],
    )


def test_of_staff_the_latest_row_is_excluded_and_the_others_stay_duplicates() -> None:
    rows = [
        landed(1, "bob", user_id="u7"),
        landed(2, "bob", user_id="u7", is_staff=True),
        landed(3, "bobs other", user_id="u7"),
        landed(4, "ada"),
    ]
    ids = [{"staff_id": name} for name in ("u7", "bob")]
    assert_rows(
        customers(frame(LandedCustomers, rows), frame(Staff, ids)),
        Customers,
        [
            {"line": 1, "fate": "duplicate"},
            {"line": 2, "fate": "excluded"},
            {"line": 3, "fate": "excluded"},
            {"line": 4, "fate": "counts"},
        ],
    )
