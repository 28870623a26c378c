"""The one error of this package."""


class EmbeddedError(RuntimeError):
    """An embedded server cannot be used; the message is a sentence for a person, with the log to read if any."""
