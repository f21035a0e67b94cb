"""Intervals that hold the true value in 95 of 100 samples, at small samples and at the edges too.

All of them contain the value that was seen, stay on its scale, and have a width even where all
answers are alike. Every argument is an expression of whole numbers; nothing is known of tables.
"""

import polars as pl

from transforms.division import ratio

# The standard normal distribution lies within it on both sides with probability 0.95.
Z = 1.959963984540054
_Z2 = Z * Z

Interval = tuple[pl.Expr, pl.Expr]


def wilson(successes: pl.Expr, trials: pl.Expr) -> Interval:
    """Wilson's score interval of a share, as fractions (Wilson 1927). Null without trials."""
    share = ratio(successes, trials)
    weight = ratio(pl.lit(_Z2), trials + _Z2)
    middle = share * (1 - weight) + weight / 2
    spread = share * (1 - share) * (1 - weight) + weight / 4
    half = (weight * spread).sqrt()
    # Rounding must not put a limit on the wrong side of what was seen.
    return (
        pl.min_horizontal(middle - half, share).clip(0.0, 1.0),
        pl.max_horizontal(middle + half, share).clip(0.0, 1.0),
    )


def share_difference(above: pl.Expr, below: pl.Expr, trials: pl.Expr) -> Interval:
    """Interval of ``above / trials - below / trials``, two shares of one sample, on -1 to 1.

    Newcombe's square-and-add of Wilson's limits (Newcombe 1998, method 10; Zou and Donner 2008),
    with the correlation that two shares of one multinomial sample have. Where nothing lies between
    the two it is Wilson's own interval, stretched. Counted out over all samples of a size, it
    covers 95 to 96 % on average from 2 answers on, where the adjusted Wald interval can miss
    the value that was seen.
    """
    upper, lower = ratio(above, trials), ratio(below, trials)
    (upper_low, upper_high), (lower_low, lower_high) = wilson(above, trials), wilson(below, trials)
    alone = (1 - upper) * (1 - lower)
    # All answers are of one kind: what else there is, is taken to be of the other.
    correlation = -pl.when(alone > 0).then(ratio(upper * lower, alone).sqrt()).otherwise(1.0)
    difference = upper - lower
    down = _added(upper - upper_low, lower_high - lower, correlation)
    up = _added(upper_high - upper, lower - lower_low, correlation)
    return (difference - down).clip(-1.0, 1.0), (difference + up).clip(-1.0, 1.0)


def _added(one: pl.Expr, other: pl.Expr, correlation: pl.Expr) -> pl.Expr:
    return (one * one - 2 * correlation * one * other + other * other).sqrt()


def bounded_mean(total: pl.Expr, squares: pl.Expr, trials: pl.Expr, top: pl.Expr) -> Interval:
    """Interval of the mean of answers on 0 to ``top``, from their sum and the sum of squares.

    Agresti and Coull's interval (1998), carried from shares to any scale with two ends: as if half
    of Z squared answers more had been given at each end. With answers at the ends alone it is
    theirs. Unlike Student's it stays on the scale, and keeps a width where all answers are equal.
    """
    weighed = trials + _Z2
    mean = ratio(total + top * (_Z2 / 2), weighed)
    square = ratio(squares + top * top * (_Z2 / 2), weighed)
    half = (ratio(pl.lit(_Z2), weighed) * (square - mean * mean).clip(0.0)).sqrt()
    seen = ratio(total, trials)
    return (
        pl.when(trials > 0).then(pl.min_horizontal(mean - half, seen).clip(0.0)),
        pl.when(trials > 0).then(pl.max_horizontal(pl.min_horizontal(mean + half, top), seen)),
    )
