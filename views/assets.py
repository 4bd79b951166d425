"""What all pages share: styles, scripts, signs. Each has an address that follows its content.

`/static/<digest>/<name>` never changes, so browsers keep it for good and ask no more. While a
release is being installed, a page of one node may name what only the other has: then the digest
is not ours, and what we have goes out without being kept.
"""

import gzip
import hashlib
from functools import cache
from pathlib import Path
from typing import NamedTuple

from flask import abort, current_app, request

from views.compression import takes_gzip

FOLDER = Path(__file__).parent.parent / "static"
KINDS = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml", ".png": "image/png"}
DRAWING = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox"
KEPT = "public, max-age=31536000, immutable"


class Asset(NamedTuple):
    """A file in memory, and the same compressed, which is done once."""

    content: bytes
    compressed: bytes
    digest: str
    policy: str | None  # its own Content-Security-Policy

    @classmethod
    def of(cls, content, policy=None):
        compressed = gzip.compress(content, mtime=0)
        return cls(content, compressed, hashlib.sha256(content).hexdigest()[:16], policy)


class Assets:
    """All of them, by name: the files in static/, and what the settings make (`add`)."""

    def __init__(self):
        self._by_name = dict(_in_folder())

    def add(self, name, text):
        self._by_name[name] = Asset.of(text.encode())

    def add_picture(self, name, content):
        """One of the utility's: opened by itself it runs nothing and asks for nothing."""
        self._by_name[name] = Asset.of(content, DRAWING)

    def get(self, name):
        return self._by_name.get(name)

    def address(self, name):
        return f"/static/{self._by_name[name].digest}/{name}"


@cache
def _in_folder():
    return [
        (path.relative_to(FOLDER).as_posix(), Asset.of(path.read_bytes()))
        for path in sorted(FOLDER.rglob("*"))
        if path.suffix in KINDS
    ]


def init_app(app):
    app.extensions["assets"] = assets = Assets()
    app.jinja_env.globals["asset"] = assets.address
    app.add_url_rule("/static/<digest>/<path:name>", "static", serve)


def serve(digest, name):
    asset = current_app.extensions["assets"].get(name) or abort(404)
    zipped = takes_gzip()
    response = current_app.response_class(
        asset.compressed if zipped else asset.content,
        mimetype=KINDS[Path(name).suffix],
        headers={"Vary": "Accept-Encoding"},
    )
    if zipped:
        response.content_encoding = "gzip"
    if asset.policy:
        response.headers["Content-Security-Policy"] = asset.policy
    if digest == asset.digest:
        response.headers["Cache-Control"] = KEPT
    response.set_etag(f"{asset.digest}-gzip" if zipped else asset.digest)
    return response.make_conditional(request)
