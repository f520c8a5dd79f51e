"""The one exception a user sees as a line."""


class LingquError(Exception):
    """A fault the user can mend; its message is one line: what, where, and the mend."""
