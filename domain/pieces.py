"""Queries that are read a piece at a time while a file of them is sent, however long it is."""

from models import db


def in_pieces(following, size):
    """Every row of a query, `size` at once.

    `following(row)` is the query of the rows after `row`, or of all of them for None. The
    request's connection was handed back when a file is sent: each piece takes one of its own.
    """
    last = None
    while True:
        with db.connection_context():
            piece = list(following(last).limit(size))
        yield from piece
        if len(piece) < size:
            return
        last = piece[-1]
