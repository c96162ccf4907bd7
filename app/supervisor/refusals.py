"""Why a start was given up."""


class CannotStart(Exception):
    """Something stands in the way of a start; the message says what, and what to do about it."""
