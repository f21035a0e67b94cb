"""The one exception that is meant for people, and the statuses with which commands end."""

FAILED = 1
FILES_REFUSED = 3
# As in sysexits.h: nothing is wrong that the next try could not find mended.
TRY_LATER = 75


class TidemarkError(Exception):
    """A problem its reader can mend; the message is shown as it stands, without a traceback."""


class HomeBusyError(TidemarkError):
    """Another run is at work in the home; it will end."""
