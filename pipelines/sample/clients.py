"""What people come with: platforms, devices, browsers and versions of the app."""

from typing import NamedTuple

import polars as pl

from pipelines.sample.dice import Dice, chosen
from pipelines.sample.options import Options

_CHROME = "(KHTML, like Gecko) Chrome/134.0.0.0"
_APPLE = "AppleWebKit/605.1.15 (KHTML, like Gecko)"


class _Client(NamedTuple):
    device: str
    user_agent: str
    weight: int


_CLIENTS = {
    "web": (
        _Client("desktop", f"Mozilla/5.0 (Windows NT 10.0) {_CHROME} Safari/537.36", 40),
        _Client("desktop", f"Mozilla/5.0 (Macintosh) {_APPLE} Version/18.3 Safari/605.1.15", 15),
        _Client("desktop", "Mozilla/5.0 (X11; Linux x86_64; rv:136.0) Gecko/20100101", 5),
        _Client("mobile", f"Mozilla/5.0 (Linux; Android 10; K) {_CHROME} Mobile", 25),
        _Client("tablet", f"Mozilla/5.0 (iPad; CPU OS 18_3 like Mac OS X) {_APPLE}", 15),
    ),
    "ios": (
        _Client("mobile", "Tide/4 CFNetwork/1568.200 Darwin/24.3.0", 85),
        _Client("tablet", "Tide/4 (iPad; iPadOS 18.3)", 15),
    ),
    "android": (_Client("mobile", "Tide/4 (Android 14; Pixel 8, like Mobile)", 100),),
}
_DAYS_PER_VERSION = 14
_VERSIONS_BEHIND = {0: 70, 1: 20, 2: 10}


def client(platform: pl.Expr, options: Options, dice: Dice) -> list[pl.Expr]:
    """``device``, ``user_agent`` and ``app_version`` of the column ``person`` on its platform."""
    all_clients = [client for clients in _CLIENTS.values() for client in clients]
    index, start = pl.lit(None, dtype=pl.Int64), 0
    for name, clients in _CLIENTS.items():
        weights = {start + at: client.weight for at, client in enumerate(clients)}
        picked = dice.pick(weights, pl.col("person"), "client")
        index = pl.when(platform == name).then(picked).otherwise(index)
        start += len(clients)
    return [
        chosen(pl.Series([client.device for client in all_clients]), index).alias("device"),
        chosen(pl.Series([client.user_agent for client in all_clients]), index).alias("user_agent"),
        _app_version(platform, options, dice).alias("app_version"),
    ]


def _app_version(platform: pl.Expr, options: Options, dice: Dice) -> pl.Expr:
    """A new version every two weeks, which some put off."""
    newest = (options.days - 1) // _DAYS_PER_VERSION
    versions = pl.Series([f"4.{version}.0" for version in range(newest + 1)])
    behind = dice.pick(_VERSIONS_BEHIND, pl.col("person"), "app version")
    version = pl.max_horizontal(pl.col("event_day") // _DAYS_PER_VERSION - behind, pl.lit(0))
    return pl.when(platform.is_in(["ios", "android"])).then(chosen(versions, version))
