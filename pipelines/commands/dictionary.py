"""``tidemark dictionary``: the data dictionary of what is published, written again."""

import json

from pipelines import registry
from pipelines.commands.console import console
from pipelines.dictionary.page import DICTIONARY, write_dictionary
from pipelines.errors import TidemarkError
from pipelines.home import Home
from pipelines.publish.publication import CONTENTS
from pipelines.publish.restatements import LOG_SPEC
from pipelines.session import writing


def rewrite_dictionary(home: Home) -> None:
    """Write ``bi/dictionary.html`` from the schemas and the published tables, and say so."""
    with writing(home) as session:
        publication_id = session.shelf.current_id
        if publication_id is None:
            raise TidemarkError(
                f"nothing is published in {home.bi} yet: `tidemark run` publishes the tables, and "
                "the dictionary with them"
            )
        folder = session.shelf.folder_of(publication_id)
        published = json.loads((folder / CONTENTS).read_bytes())["tables"]
        specs = [*(spec for spec in registry.PUBLISHED if spec.name in published), LOG_SPEC]
        write_dictionary(specs, folder, CONTENTS)
        session.shelf.link(publication_id)
    console.print(f"Wrote {home.bi / DICTIONARY}: {len(specs)} tables.")
