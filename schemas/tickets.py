"""Fact: states of tickets, with what became of each."""

from schemas.base import table
from schemas.landed_tickets import TicketContract
from schemas.provenance import Fate


@table(
    grain="one row per accepted row of the source tickets",
    key=["landing_date", "file", "line", "item"],
    order=["ticket_id", "landing_date", "file", "line", "item"],
    published=False,
)
class Tickets(Fate, TicketContract):
    """Of the rows of one ticket the one updated last counts.

    Between two of one time the later landing decides, then the file and the line. A row that does
    not say when it was updated is older than every row that does.
    """
