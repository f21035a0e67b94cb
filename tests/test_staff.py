"""Who is of staff: all ids of whom the latest row of a customer marks."""

from typing import Any

from frames import assert_rows, day, frame

from schemas.landed_customers import LandedCustomers
from schemas.staff import Staff
from transforms.staff import staff


def landed(line: int, customer_id: str, **columns: Any) -> dict[str, Any]:
    usual = {"landing_date": day("2024-03-05"), "event_date": day("2024-03-05"), "file": "c.csv"}
    return {"line": line, "customer_id": customer_id} | usual | columns


def ids(*rows: dict[str, Any], exclude_staff: bool = True) -> list[str]:
    table = staff(frame(LandedCustomers, rows), exclude_staff=exclude_staff)
    return sorted(table.collect()["staff_id"].to_list())


def test_a_customer_who_is_marked_is_of_staff() -> None:
    rows = [landed(1, "ada"), landed(2, "bob", is_staff=True), landed(3, "cyd", is_staff=False)]
    assert_rows(
        staff(frame(LandedCustomers, rows), exclude_staff=True), Staff, [{"staff_id": "bob"}]
    )


def test_all_ids_of_the_person_are_of_staff_marked_or_not() -> None:
    rows = [
        landed(1, "c1", user_id="bob", is_staff=True),
        landed(2, "c2", user_id="bob"),
        landed(3, "c3", user_id="ada"),
    ]
    assert ids(*rows) == ["bob", "c1", "c2"]


def test_the_row_of_the_person_s_own_id_marks_those_that_are_mapped_to_it() -> None:
    assert ids(landed(1, "bob", is_staff=True), landed(2, "c2", user_id="bob")) == ["bob", "c2"]


def test_the_latest_row_decides() -> None:
    today = day("2024-03-06")
    came = [landed(1, "bob"), landed(2, "bob", is_staff=True, landing_date=today)]
    left = [landed(1, "bob", is_staff=True), landed(2, "bob", landing_date=today)]
    assert ids(*came) == ["bob"]
    assert ids(*left) == []


def test_nobody_is_of_staff_where_the_setting_says_so() -> None:
    assert ids(landed(1, "bob", is_staff=True), exclude_staff=False) == []
