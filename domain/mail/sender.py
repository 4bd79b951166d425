"""Sending what is due, from the job or from the background thread of a web process."""


def init_app(app):
    pass


def kick():
    """Let the background sender of this process look at the queue; never waits."""
