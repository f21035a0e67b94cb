"""All sources of the sample beside the events, made from one plan so that they fit together."""

from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from pipelines.sample.clock import Clock
from pipelines.sample.contracts import contracts
from pipelines.sample.costs import campaign_costs
from pipelines.sample.customers import customer_rows, customers
from pipelines.sample.dice import Dice
from pipelines.sample.exports import Export, content, files, sent
from pipelines.sample.options import Options
from pipelines.sample.orders import order_rows
from pipelines.sample.plan import Plan
from pipelines.sample.rates import exchange_rates, in_force, rates
from pipelines.sample.social import posts, snapshots, social_accounts, social_posts
from pipelines.sample.subscriptions import subscription_rows
from pipelines.sample.surveys import survey_rows
from pipelines.sample.tickets import ticket_rows, tickets

EVENTS = "events"
OTHERS = (
    "campaign_costs",
    "customers",
    "exchange_rates",
    "orders",
    "social_accounts",
    "social_posts",
    "subscriptions",
    "surveys",
    "tickets",
)
ALL_SOURCES = (EVENTS, *OTHERS)


class Written(NamedTuple):
    """What was written of a source beside the events."""

    rows: int
    files: int
    bytes: int
    truths: dict[str, Any]


def write_sources(
    wanted: Collection[str], landing: Path, plan: Plan, options: Options, dice: Dice
) -> dict[str, Written]:
    """Land the wanted sources, one file for each export."""
    clock = Clock(options)
    made = _exports(plan, clock, dice)
    return {
        source: _write(made[source](), place, landing / source, clock, dice)
        for place, source in enumerate(OTHERS)
        if source in wanted
    }


def _exports(plan: Plan, clock: Clock, dice: Dice) -> dict[str, Callable[[], Export]]:
    everybody, told = customers(plan, clock, dice), rates(clock, dice)
    force, asked = in_force(told), tickets(everybody, clock, dice)
    return {
        "campaign_costs": lambda: campaign_costs(force, clock, dice),
        "customers": lambda: customer_rows(everybody, clock, dice),
        "exchange_rates": lambda: exchange_rates(told),
        "orders": lambda: order_rows(everybody, force, clock, dice),
        "social_accounts": lambda: social_accounts(clock, dice),
        "social_posts": lambda: social_posts(snapshots(posts(clock, dice), clock, dice)),
        "subscriptions": lambda: subscription_rows(
            contracts(everybody, clock, dice), force, clock, dice
        ),
        "surveys": lambda: survey_rows(everybody, asked, clock, dice),
        "tickets": lambda: ticket_rows(asked, clock),
    }


def _write(export: Export, place: int, folder: Path, clock: Clock, dice: Dice) -> Written:
    dirty = sent(export, clock, dice)
    sizes = list(_sizes(files(dirty, place, clock), folder, clock.options))
    return Written(dirty.rows.height, len(sizes), sum(sizes), dirty.truths())


def _sizes(made: Iterator[tuple[int, str, Any]], folder: Path, options: Options) -> Iterator[int]:
    """Write each file, and tell its bytes."""
    for day, name, rows in made:
        path = folder / str(options.date(day)) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as file:
            yield file.write(content(rows, name))
