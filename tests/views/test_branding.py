"""Pages as the utility wants them: its logo, texts, contacts, colours and style."""

import re

import pytest

from domain import branding
from tests.conftest import make_app
from tests.domain.formats.test_uploads import png
from tests.factories import make_account

LOGO = '<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0h9v9z"/></svg>'
TEXTS = {
    "contatti.txt": "telefono: 800 000 000\npronto_intervento_gas: 800 000 001",
    "contatti.de.txt": "telefono: 800 000 000 (kostenlos)",
    "pie-di-pagina.txt": "{utility} S.r.l. - P. IVA {partita_iva}",
    "benvenuto-login.txt": "# Buongiorno\n\nServe una **fattura**. [Sito](https://example.it)",
    "benvenuto-login.de.txt": "Guten Tag",
    "benvenuto-home.txt": "Qui c'è <b>tutto</b><script>alert(1)</script><img src=x onerror=a()>",
}


def written(settings, files):
    folder = settings["DATA_DIR"] / "personalizza"
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())


@pytest.fixture
def with_texts(app):
    written(app.config, TEXTS)
    app.config["BRANDING"] = branding.read(app.config)


@pytest.fixture
def portal(settings):
    """`portal(files, **settings)`: the browser of a stranger at a portal with these files."""

    def _portal(files, **given):
        written(settings, files)
        return make_app({**settings, **given}).test_client()

    return _portal


def test_strangers_see_whose_portal_it_is(client, with_texts):
    page = client.get("/login").text
    assert "<h2>Buongiorno</h2>" in page
    assert "Serve una <strong>fattura</strong>." in page
    assert '<a href="tel:800000000">800 000 000</a>' in page
    assert re.search(r'class="emergency">Pronto intervento gas: <a href="tel:800000001">', page)
    assert "Prova Energia S.r.l. - P. IVA 01234567890" in page
    client.set_cookie("lingua", "de")
    page = client.get("/login").text
    assert "<p>Guten Tag</p>" in page
    assert "800 000 000</a> (kostenlos)" in page
    assert "Prova Energia S.r.l." in page


def test_the_logo_has_an_address_for_good_and_runs_nothing(portal):
    client = portal({"logo.svg": LOGO})
    address, name = re.search(r'<img src="(\S+)" alt="(.+?)">', client.get("/login").text).groups()
    assert name == "Prova Energia"
    answer = client.get(address)
    assert answer.text == LOGO
    assert answer.mimetype == "image/svg+xml"
    assert "immutable" in answer.headers["Cache-Control"]
    assert answer.headers["Content-Security-Policy"].endswith("; sandbox")
    assert "Set-Cookie" not in answer.headers


def test_a_refused_logo_leaves_the_name_and_says_so_at_start(portal, caplog):
    client = portal({"logo.svg": LOGO.replace("<path", "<script/><path")})
    assert '<a class="brand" href="/">Prova Energia</a>' in client.get("/login").text
    assert "logo.svg: contiene «script»" in caplog.text


def test_pictures_and_style_of_ones_own_come_from_the_portal(portal):
    style = ".brand { letter-spacing: 0.01em }"
    client = portal({"favicon.png": png(), "stile.css": style}, COLOR="#0f5132")
    page = client.get("/login").text
    icon = re.search(r'<link rel="icon" href="(\S+)" type="image/png">', page)[1]
    assert client.get(icon).data == png()
    css = client.get(re.search(r'href="(\S+theme\.css)"', page)[1]).text
    assert "--brand: #0f5132;" in css
    assert css.endswith(style)
    assert (
        '<meta name="theme-color" media="(prefers-color-scheme: light)" content="#0f5132">' in page
    )


def test_customers_read_its_welcome_and_nothing_of_it_runs(with_texts, sign_in):
    page = sign_in(make_account()).get("/forniture/-/home").text
    assert "Qui c'è <b>tutto</b>" in page
    assert "<script>alert" not in page
    assert "onerror" not in page
    assert "Questo è il portale clienti" not in page
