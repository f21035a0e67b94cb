"""The same tables by other means, each in a process of its own.

A contender is a module with ``stored(events, out, through)`` and, where it can, ``landed(landing,
form, out, through)``. ``stored`` starts from the events that count, each with its person, one
Parquet file a day; ``landed`` from files as they came. Both write the tables of
:mod:`benchmarks.outputs`, one Parquet file each.
"""
