"""The demo's utility on one certain morning: nothing in it changes from one run to the next.

Imported before anything else of the portal: what it puts in place of the clock and of chance is
what the others then import.
"""

import datetime as dt
import random
import secrets
import threading
from contextlib import contextmanager

from werkzeug.serving import WSGIRequestHandler, make_server

from domain import clock

NOW = dt.datetime(2026, 11, 24, 8, 30, tzinfo=dt.UTC)
ADDRESS = "https://portale.example"  # that its mails name
_chance = random.Random(2874)

clock.utcnow = lambda: NOW
secrets.choice = _chance.choice
secrets.token_bytes = lambda size=32: _chance.randbytes(size)
secrets.token_hex = lambda size=32: _chance.randbytes(size).hex()
secrets.token_urlsafe = lambda size=32: _chance.randbytes(size).hex()


class Quiet(WSGIRequestHandler):
    def log(self, *_told):
        pass


class World:
    """The portal of the demo, at `address`, with its jobs."""

    def __init__(self, app, address):
        self.app = app
        self.address = address

    def job(self, module):
        with self.app.app_context():
            return module.run(self.app, now=NOW)


@contextmanager
def running(folder):
    """A World with its data in `folder`."""
    from app import create_app
    from jobs import demo, seed_demo
    from models import db

    given = demo.settings(0, folder)
    demo.job("migrate", given)
    app = create_app({
        **{name.removeprefix("PORTALE_"): value for name, value in given.items()
           if name.startswith("PORTALE_") and value},
        "DATA_DIR": folder, "BASE_URL": ADDRESS,
    })  # fmt: skip
    app.config.update(TRUSTED_HOSTS=None, MAIL_IN_BACKGROUND=False)
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
    world = World(app, f"http://127.0.0.1:{server.server_port}")
    world.job(seed_demo)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    try:
        yield world
    finally:
        server.shutdown()
        serving.join()
        db.close_all()
