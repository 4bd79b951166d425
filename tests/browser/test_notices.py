"""Row 13: what operators publish is formatted, and nothing in it runs: not for them, nor after."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.test_desk import Desk
from tests.browser.test_guide import Guide, archive_of
from tests.domain.test_formatting import HOSTILE

pytestmark = pytest.mark.browser

CODE, VAT_NUMBER = "000003", "00000030973"
BOLD = "Si **cambia** [qui](https://www.example.it)"
SOME = [text for text in HOSTILE[::3] if "\x00" not in text]  # NUL the form refuses
PDF = {
    "name": "<img src=x onerror=alert(9)>.pdf",
    "mimeType": "text/html",
    "buffer": b"%PDF-1.4\n<script>alert(8)</script>\n%%EOF\n",
}


def look_at(page):
    """What the open page shows of a text: no script, no picture, nothing that listens or styles."""
    main = page.locator("main")
    assert page.locator("script:not([src])").count() == 0
    for what in ("img", "svg:not(.icon)", "iframe", "base", "style", "math", "textarea"):
        assert main.locator(f".formatted {what}").count() == 0
    listening = main.evaluate(
        "main => [...main.querySelectorAll('*')].flatMap(each => [...each.attributes])"
        ".filter(each => /^on|^data-hx|^style$/.test(each.name)).map(each => each.name)"
    )
    assert listening == []
    inside = main.evaluate(
        "main => [...main.querySelectorAll('.formatted *')].flatMap(each => [...each.attributes])"
        ".map(each => each.name + '=' + each.value)"
    )
    for attribute in inside:
        assert re.match(r"rel=noopener noreferrer external$|href=(https://|mailto:)", attribute)


def written(desk, title, text, pdf=None):
    """Prepare a notice and look at its preview; nobody sees it yet."""
    desk.page.goto("/staff/documenti/nuovo")
    desk.fill("Titolo", title)
    desk.fill("Testo", text)
    if pdf:
        desk.page.get_by_label("File PDF").set_input_files(pdf)
    desk.press("Anteprima")
    desk.heading("Anteprima")
    look_at(desk.page)


def customer_of(page, portal):
    """A customer, who has registered and signed in."""
    portal.load(archive_of(CODE, VAT_NUMBER)[:2])
    guide = Guide(page, CODE)
    guide.register(VAT_NUMBER, f"{CODE}@posta.example")
    text = portal.next_mail().get_body(("plain",)).get_content()
    page.goto("/login")
    guide.sign_in(re.search(r"^Password: (\S+)", text, re.M)[1])
    guide.choose_own_password()
    guide.heading("Home Page")
    return guide


@pytest.mark.slow
def test_row_13_what_operators_publish_is_formatted_and_never_runs(open_browser, portal):
    desk = Desk(open_browser(), portal)
    told = portal.job(
        "create_operator", "--username", "m.rossi", "--name", "Maria Rossi",
        "--email", "m.rossi@posta.example",
    )  # fmt: skip
    desk.enrol(told)
    desk.sign_in()
    customer = customer_of(open_browser(), portal)
    written(desk, "<script>alert(7)</script>", BOLD, PDF)
    customer.follow("Comunicati")
    customer.see("Al momento non ci sono comunicati.")
    desk.press("Pubblica")
    desk.see("Documento pubblicato.")
    for number, text in enumerate(SOME):
        written(desk, f"Avviso {number}", f"Testo\n{text}")
        desk.press("Pubblica")
        desk.see("Documento pubblicato.")
        look_at(desk.page)
    customer.page.goto("/forniture/PR0000031/comunicati?righe=50&ordine=titolo")
    look_at(customer.page)
    customer.follow("<script>alert(7)</script>")
    notice = customer.page.locator(".formatted")
    expect(notice.locator("strong")).to_have_text("cambia")
    expect(notice.get_by_role("link", name="qui")).to_have_attribute("rel", re.compile("noopener"))
    with customer.page.expect_download():
        customer.follow("Scarica il PDF")
    customer.follow("Torna all'elenco")
    customer.page.goto("/forniture/PR0000031/comunicati?righe=50&ordine=titolo")
    notices = customer.page.get_by_role("rowheader").get_by_role("link")
    addresses = notices.evaluate_all("links => links.map(each => each.href)")
    assert len(addresses) == 1 + len(SOME)
    for address in addresses:
        customer.page.goto(address)
        look_at(customer.page)
