"""Pages are compressed for who came by himself, never for who was sent by another site."""

import datetime as dt
import gzip

import pytest

from domain.clock import rome_day, utcnow
from tests.factories import make_account, make_customer, make_electricity, make_measured_day

ZIPPED = {"Accept-Encoding": "gzip, deflate, br"}


@pytest.mark.parametrize("site", ["same-origin", "none"])
def test_a_page_is_compressed(client, site):
    answer = client.get("/login", headers={**ZIPPED, "Sec-Fetch-Site": site})
    assert answer.headers["Content-Encoding"] == "gzip"
    assert int(answer.headers["Content-Length"]) == len(answer.data)
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Autenticazione" in gzip.decompress(answer.data).decode()


@pytest.mark.parametrize("site", ["cross-site", "same-site", "", "same-origin,none", None])
def test_what_another_site_may_have_asked_for_is_not(client, site):
    headers = ZIPPED if site is None else {**ZIPPED, "Sec-Fetch-Site": site}
    answer = client.get("/login", headers=headers)
    assert "Content-Encoding" not in answer.headers
    assert "Autenticazione" in answer.text


@pytest.mark.parametrize("encoding", ["", "identity", "gzip;q=0", "br"])
def test_nor_for_who_cannot_read_it(client, encoding):
    headers = {"Accept-Encoding": encoding, "Sec-Fetch-Site": "none"}
    assert "Content-Encoding" not in client.get("/login", headers=headers).headers


def test_who_keeps_a_page_for_others_is_told_for_whom_it_is_compressed(client):
    zipped = client.get("/guida", headers={**ZIPPED, "Sec-Fetch-Site": "none"})
    plain = client.get("/guida")
    assert zipped.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    for answer in (zipped, plain):
        assert answer.cache_control.public
        assert {"Accept-Encoding", "Sec-Fetch-Site"} <= set(answer.vary)
        assert answer.get_etag()[1], "the same for different bytes: a weak one"
    known = {"If-None-Match": zipped.headers["ETag"]}
    assert client.get("/guida", headers=known).status_code == 304


def test_an_error_is_a_page_too_and_what_is_short_stays_as_it_is(client):
    headers = {**ZIPPED, "Sec-Fetch-Site": "none"}
    wrong = client.post("/login", data={"username": "x"}, headers=headers)
    assert (wrong.status_code, wrong.headers["Content-Encoding"]) == (422, "gzip")
    assert "Content-Encoding" not in client.get("/health", headers=headers).headers


def test_curves_are_compressed(sign_in):
    customer = make_customer()
    supply = make_electricity(customer)
    for days in range(1, 6):
        make_measured_day(supply, rome_day(utcnow()) - dt.timedelta(days=days))
    browser = sign_in(make_account(customer))
    path = f"/forniture/{supply.code}/misure/curva"
    answer = browser.get(path, headers={**ZIPPED, "Sec-Fetch-Site": "same-origin"})
    assert gzip.decompress(answer.data) == browser.get(path).data
