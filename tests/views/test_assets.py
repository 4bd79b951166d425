"""Files that browsers keep for good, at addresses that follow their content."""

import gzip
import re

import pytest

from app import create_app
from tests import every_page
from tests.factories import make_operator
from views.assets import FOLDER, KEPT

ZIPPED = {"Accept-Encoding": "gzip, deflate, br"}


@pytest.fixture
def style(app):
    return app.extensions["assets"].address("style.css")


def test_what_is_at_an_address_never_changes(client, style):
    answer = client.get(style)
    assert answer.data == (FOLDER / "style.css").read_bytes()
    assert answer.headers["Content-Type"] == "text/css; charset=utf-8"
    assert answer.headers["Cache-Control"] == KEPT
    assert "Set-Cookie" not in answer.headers


def test_it_is_sent_compressed_to_who_reads_that(client, style):
    answer = client.get(style, headers=ZIPPED)
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert gzip.decompress(answer.data) == client.get(style).data


@pytest.mark.parametrize("refused", ["gzip;q=0", "identity", ""])
def test_it_is_sent_as_it_is_to_who_does_not(client, style, refused):
    answer = client.get(style, headers={"Accept-Encoding": refused})
    assert "Content-Encoding" not in answer.headers
    assert answer.data == (FOLDER / "style.css").read_bytes()


def test_who_asks_again_gets_nothing_anew(client, style):
    tags = {client.get(style, headers=headers).headers["ETag"] for headers in ({}, ZIPPED)}
    assert len(tags) == 2
    for tag in tags:
        encoding = ZIPPED if "gzip" in tag else {}
        again = client.get(style, headers={"If-None-Match": tag, **encoding})
        assert (again.status_code, again.data) == (304, b"")
        assert again.headers["Cache-Control"] == KEPT


def test_what_another_release_has_there_is_not_kept_under_its_address(client):
    answer = client.get("/static/0123456789abcdef/style.css")
    assert answer.data == (FOLDER / "style.css").read_bytes()
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "path",
    [
        "/static/style.css",
        "/static/x/niente.css",
        "/static/x/vendor/dejavu-fonts-ttf-2.37.3/DejaVuSans.ttf",
        "/static/x/../app.py",
        "/static/x/%2e%2e/app.py",
        "/static/x/style.css%00",
        "/static/x/%ff.css",
    ],
)
def test_nothing_else_is_given(client, path):
    assert client.get(path).status_code == 404


def test_another_colour_is_at_another_address(app, settings):
    other = create_app({**settings, "COLOR": "#7a1f5c"})
    here, there = (each.extensions["assets"].address("theme.css") for each in (app, other))
    assert here != there
    assert "#7a1f5c" in other.test_client().get(there).text


def test_every_page_names_what_is_there(app, sign_in, sign_in_operator):
    """Of the pages that differ in their head: entrance, customers, desk, curves, uploads."""
    owner = every_page.rich(app)
    pages = [
        app.test_client().get("/login"),
        *(
            sign_in(owner.account).get(f"/forniture/{owner.electricity.code}/{page}")
            for page in ("fatture", "misure")
        ),
        sign_in_operator(make_operator()).get("/staff/caricamenti"),
    ]
    named = {each for page in pages for each in re.findall(r'"(/static/[^"#]+)', page.text)}
    assert len(named) > 8
    for address in named:
        answer = app.test_client().get(address)
        assert (answer.status_code, answer.headers["Cache-Control"]) == (200, KEPT), address
