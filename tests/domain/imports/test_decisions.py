"""Files that wait for a decision get one, however many clerks decide at the same moment."""

from functools import partial

import pytest

from domain.clock import utcnow
from domain.errors import Refused
from domain.imports import held, uploads
from models import ImportedFile, UploadedFile, writing
from tests.factories import make_import, make_upload
from tests.together import at_once

AGAIN = range(5)  # whoever is first is chance


def one_of(results):
    """The place of the only one of `results` that was not refused."""
    (done,) = [n for n, result in enumerate(results) if not isinstance(result, Refused)]
    return done


def test_a_held_file_is_confirmed_or_discarded(app):
    inbox = app.config["DATA_DIR"] / "inbox"
    (inbox / "sospesi").mkdir()
    for n in AGAIN:
        name = f"clienti_{n}.csv"
        sha256 = make_upload(app, name, name.encode()).sha256
        (inbox / "sospesi" / name).write_bytes(name.encode())
        row = make_import(name, "held", sha256=sha256)
        acts = [partial(act, row.id, inbox=inbox, now=utcnow()) for act in DECISIONS]
        done = one_of(at_once(*acts))
        row = ImportedFile.get_by_id(row.id)
        assert (row.confirmed_at is None, row.discarded_at is None) == (done == 1, done == 0)
        assert (inbox / "sospesi" / name).exists() == (done == 0)


DECISIONS = (held.confirm, held.discard)


def test_a_file_is_loaded_or_discarded(app):
    data = app.config["DATA_DIR"]

    def load(row):
        with writing():
            uploads.load(data, row)

    def discard(row):
        with writing():
            uploads.remove(row)

    for n in AGAIN:
        row = make_upload(app, f"clienti_{n}.csv", b"%d" % n)
        done = one_of(at_once(partial(load, row), partial(discard, row)))
        assert (data / "inbox" / row.name).exists() == (done == 0)
        assert UploadedFile.select().count() == 0


def test_what_the_inbox_does_not_take_goes_on_waiting(app):
    data = app.config["DATA_DIR"]
    row = make_upload(app)
    (data / "inbox" / row.name).write_bytes(b"another one")
    with pytest.raises(Refused, match="aspetta già un altro file"), writing():
        uploads.load(data, row)
    assert UploadedFile.get().id == row.id
