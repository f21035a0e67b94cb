"""The one exception that is meant for people, and the statuses with which commands end."""

FAILED = 1
FILES_REFUSED = 3


class TidemarkError(Exception):
    """A problem its reader can mend; the message is shown as it stands, without a traceback."""
