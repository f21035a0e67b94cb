"""The one exception that is meant for people: what went wrong, where, and what to do."""


class TidemarkError(Exception):
    """A problem its reader can mend; the message is shown as it stands, without a traceback."""
