"""The folder in which the utility puts its own logo, texts and contacts; its own colours."""

import os
from pathlib import Path

import pytest

import jobs
from domain import branding, language, theme
from tests.domain.formats.test_uploads import png

LOGO = '<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0h9v9z"/></svg>'


@pytest.fixture
def folder(tmp_path):
    return tmp_path


@pytest.fixture
def read(folder):
    """`read(COLOR=…)`: what is made of the folder and of these settings."""

    def _read(**settings):
        given = dict.fromkeys(branding.COLORS, "") | {"COLOR": theme.OURS}
        return branding.read({**given, "OVERRIDES_DIR": folder, **settings})

    return _read


def only(warnings):
    (warning,) = warnings
    return warning


# -- The folder ----------------------------------------------------------------------------


def test_without_a_folder_nothing_is_replaced_and_nothing_is_said(read, folder):
    found = read(OVERRIDES_DIR=folder / "manca")
    assert (found.logo, found.mail_logo, found.favicon, found.style) == (None, None, None, "")
    assert (found.texts, found.contacts, found.warnings) == ({}, {}, [])


def test_each_file_has_its_place(read, folder):
    (folder / "logo.svg").write_text(LOGO)
    (folder / "logo.png").write_bytes(png())
    (folder / "favicon.png").write_bytes(png())
    (folder / "stile.css").write_text(".brand { letter-spacing: 0 }")
    (folder / "benvenuto-home.txt").write_text("\ufeffBenvenuti")
    (folder / "LEGGIMI.md").write_text("per noi")
    (folder / ".nascosto").write_text("")
    (folder / "sorgenti").mkdir()
    found = read()
    assert found.warnings == []
    assert (found.logo.name, found.logo.mimetype) == ("logo.svg", "image/svg+xml")
    assert (found.mail_logo.name, found.mail_logo.mimetype) == ("logo.png", "image/png")
    assert found.favicon.name == "favicon.png"
    assert found.style == ".brand { letter-spacing: 0 }"
    assert found.text("benvenuto-home") == "Benvenuti"
    assert found.text("benvenuto-login") is None


def test_without_a_drawing_the_png_serves_pages_too(read, folder):
    (folder / "logo.png").write_bytes(png())
    assert read().logo.name == read().mail_logo.name == "logo.png"


def test_any_change_changes_the_mark_of_it_all(read, folder):
    marks = {read().digest, read(ACCENT="#123456").digest}
    (folder / "pie-di-pagina.txt").write_text("REA")
    marks.add(read().digest)
    assert len(marks) == 3
    assert read().digest in marks


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("logo.svg", b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", "«script»"),
        ("logo.svg", b"\x89PNG\r\n\x1a\n", "UTF-8"),
        ("logo.svg", b" " * 200_001, "supera 200 kB"),
        ("logo.png", LOGO.encode(), "non è un PNG intero"),
        ("favicon.png", png()[:40], "non è un PNG intero"),
        ("logo.png", png(width=60_000, height=60_000), "non è un PNG intero"),
        ("benvenuto-login.txt", b"perch\xe9", "UTF-8"),
        ("benvenuto-login.de.txt", b"a\0b", "non è un testo"),
        ("informativa-privacy.txt", b"<b>" * 60_000, "lasciati aperti"),
        ("stile.css", b"@import 'https://x.example/a.css';", "@import"),
        ("stile.css", b"a { background: url(https://x.example/a.png) }", "url"),
        ("stile.css", b" " * 50_001, "supera 50 kB"),
    ],
)
def test_a_file_that_does_not_do_is_left_aside_and_told(read, folder, name, content, why):
    (folder / name).write_bytes(content)
    found = read()
    warning = only(found.warnings)
    assert str(folder / name) in warning
    assert why in warning
    assert warning.endswith("Il file non è usato.")
    assert (found.logo, found.mail_logo, found.favicon, found.style) == (None, None, None, "")
    assert found.texts == {}


def test_a_folder_or_a_pipe_in_place_of_a_file_holds_nothing_up(read, folder):
    (folder / "logo.svg").mkdir()
    os.mkfifo(folder / "contatti.txt")
    assert all("non è un file" in warning for warning in read().warnings)
    assert len(read().warnings) == 2


def test_a_folder_that_is_none_holds_nothing_up(read, folder):
    (folder / "personalizza").write_text("")
    found = read(OVERRIDES_DIR=folder / "personalizza")
    assert found.texts == {}
    assert found.warnings


def test_a_name_that_is_nearly_right_is_told(read, folder):
    (folder / "benvenuto.txt").write_text("")
    (folder / "Logo.svg").write_text(LOGO)
    warning = only(read().warnings)
    assert "nomi che il portale non conosce: Logo.svg, benvenuto.txt" in warning


def test_a_png_that_is_heavy_for_mails_serves_pages_alone(read, folder):
    (folder / "logo.png").write_bytes(png(3, 2)[:-12] + bytes(60_000) + png(3, 2)[-12:])
    found = read()
    assert (found.logo.name, found.mail_logo) == ("logo.png", None)
    assert "nelle mail" not in only(found.warnings)
    assert "in ogni mail: lì resta il nome" in only(found.warnings)


def test_texts_and_contacts_are_in_the_readers_language_or_in_italian(read, folder):
    (folder / "benvenuto-home.txt").write_text("Benvenuti")
    (folder / "benvenuto-home.de.txt").write_text("Willkommen")
    (folder / "contatti.txt").write_text("orari: sempre")
    (folder / "contatti.en.txt").write_text("orari: always")
    found = read()
    said = {}
    for code in language.LANGUAGES:
        with language.speaking(code):
            said[code] = found.text("benvenuto-home"), found.contact_list()[0].value
    assert said == {
        "it": ("Benvenuti", "sempre"),
        "de": ("Willkommen", "sempre"),
        "en": ("Benvenuti", "always"),
    }


# -- Contacts ------------------------------------------------------------------------------


def test_contacts_come_in_one_order_and_lead_where_they_can(read, folder):
    (folder / "contatti.txt").write_text(
        "# nostri\n\nPronto intervento gas: 800 000 001 (sempre)\nsito: https://www.example.it/a\n"
        "TELEFONO: +39 0574/000000\norari: 8.30-17.00\nemail: clienti@example.it\n"
        "pec: a@pec.example.it\nindirizzo: Via Prova 1"
    )
    found = read()
    assert found.warnings == []
    assert [(each.key, each.link) for each in found.contact_list()] == [
        ("pronto_intervento_gas", "tel:800000001"),
        ("telefono", "tel:+390574000000"),
        ("orari", None),
        ("email", "mailto:clienti@example.it"),
        ("pec", "mailto:a@pec.example.it"),
        ("indirizzo", None),
        ("sito", "https://www.example.it/a"),
    ]
    assert found.contact_list()[0][1::2] == ("800 000 001", " (sempre)")
    assert branding.summary(found) == "+39 0574/000000 - clienti@example.it"


def test_several_numbers_are_shown_and_none_is_called(read, folder):
    (folder / "contatti.txt").write_text("telefono: 800 1, da cellulare 0574 1")
    assert read().contact_list() == [("telefono", "800 1, da cellulare 0574 1", None, "")]


@pytest.mark.parametrize(
    "line",
    ["fax: 0574 1", "telefono 0574 1", "telefono:", "telefono: " + "1" * 201, ":",
     "email: clienti", "email: a@b.it?bcc=c@d.it", "email: a@b.it<script>", "sito: example.it",
     "sito: javascript:alert(1)", "sito: http://example.it", "pec: <a@b.it>"],
)  # fmt: skip
def test_a_line_that_is_no_contact_is_told_and_the_others_stay(read, folder, line):
    (folder / "contatti.txt").write_text(f"orari: sempre\n{line}\nindirizzo: Via Prova 1\n")
    found = read()
    assert [each.key for each in found.contact_list()] == ["orari", "indirizzo"]
    assert "contatti.txt, riga 2: " in only(found.warnings)


# -- Colours -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", branding.COLORS)
@pytest.mark.parametrize("value", ["red", "#fff", "#12345g", "#0b5c8c;}", "a\nb"])
def test_what_is_no_colour_is_told_and_ours_stays(read, name, value):
    found = read(**{name: value})
    assert found.palette == theme.palette(theme.OURS)
    assert only(found.warnings).startswith(f"PORTALE_{name}: ")
    assert "\n" not in only(found.warnings)


def test_a_colour_unfit_for_links_is_told_with_the_nearest_that_does(read):
    warning = only(read(COLOR="#FFCC00").warnings)
    assert warning == (
        "PORTALE_COLOR: #ffcc00 per collegamenti e pulsanti su fondo chiaro #e8ecf0 ha contrasto "
        "1,2:1, ne serve 4,5:1; il più vicino che basta, e che il portale usa, è #826800: "
        "PORTALE_ACCENT=#826800"
    )
    assert read(COLOR="#ffcc00", ACCENT="#826800").warnings == []
    assert "PORTALE_ACCENT_DARK: #333333" in only(read(ACCENT_DARK="#333333").warnings)


def test_the_folder_of_the_demo_is_an_example(read):
    found = read(OVERRIDES_DIR=Path(jobs.__file__).parent / "demo_world/personalizza")
    assert found.warnings == []
    assert None not in (found.logo, found.mail_logo, found.favicon)
    assert set(found.contacts) == set(language.LANGUAGES)
    assert {code for _name, code in found.texts} == set(language.LANGUAGES)
