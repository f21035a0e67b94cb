"""Dagster: assets, checks and the job of every night. Nothing here computes."""
