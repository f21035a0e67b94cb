"""Made-up but lifelike landings with planted truths and dirt, for demonstrations and benchmarks.

The generator decides first who is active on which day, makes events for these days, and writes
down what it decided; likewise with contracts, orders, tickets and the other sources. It knows
nothing of how the warehouse computes its tables: that is what makes its truths worth comparing
with.
"""

from pipelines.sample.options import FileFormat
from pipelines.sample.sample import SampleSummary, write_sample
from pipelines.sample.sources import ALL_SOURCES

__all__ = ["ALL_SOURCES", "FileFormat", "SampleSummary", "write_sample"]
