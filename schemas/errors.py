"""The one base of expected problems."""


class StancebankError(Exception):
    """Something the user can mend; the message says what is wrong and what to do."""
