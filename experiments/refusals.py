"""The one kind of error that is told to a person as it stands: what cannot be done, and why, in plain words."""


class Refused(Exception):
    """Something that was asked for cannot be done; the message is a sentence for the person who asked."""
