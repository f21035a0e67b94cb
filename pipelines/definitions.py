"""Entry point of Dagster, named in ``workspace.yaml``. The home is that of TIDEMARK_HOME."""

from pipelines.orchestration.nightly import definitions_of
from pipelines.orchestration.place import home_of_environment

defs = definitions_of(home_of_environment())
