"""Everything that touches the world: files, settings, the warehouse, Dagster, the command line."""
