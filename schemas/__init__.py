"""What every table promises: columns, types, units, meaning and grain, as pandera models.

Nothing here reads a file or computes a metric. Imports run one way: schemas <- transforms <-
pipelines.
"""
