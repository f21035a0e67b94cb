"""Everything that touches the world: files, settings, the warehouse, Dagster, the command line."""

import os

# The allocator of polars gives freed memory back at once and so gets every page of each chunk anew.
# Kept for five seconds, and in as many arenas as there are cores, that costs less for a little more
# memory; pieces of a MiB and more, of which few are made, go back at once. Read when polars is
# loaded.
os.environ.setdefault(
    "_RJEM_MALLOC_CONF",
    f"narenas:{os.cpu_count() or 1},dirty_decay_ms:5000,muzzy_decay_ms:0,"
    f"oversize_threshold:{1 << 20}",
)
