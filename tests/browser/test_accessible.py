"""Every page of customers and of the desk, in the demo, under axe; what is not seen is told."""

import re
from urllib.parse import urlsplit

import pyotp
import pytest
from playwright.sync_api import Error, expect

from jobs.demo_world import people
from tests.browser.accessible import findings
from tests.browser.test_demo import Demo, enter_desk, sign_in_at_desk
from tests.browser.test_guide import OWN_PASSWORD, Guide

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LOOKS = {
    "a computer, light": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "light"},
    "a computer, dark": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
    "a telephone, light": {"viewport": {"width": 390, "height": 844}, "color_scheme": "light"},
    "a telephone, dark": {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"},
}
ELECTRICITY, GAS, ENDED = (
    f"/forniture/{code}" for code in ("PR002874", "PR002876", "PR002879")
)  # fmt: skip
STRANGER = (
    "/login", "/registrazione", "/password-dimenticata", "/staff/login",
    "/demo/posta", "/demo/telefono",
)  # fmt: skip
CUSTOMER = (
    f"{ELECTRICITY}/home", f"{GAS}/autolettura", f"{GAS}/prelievi", f"{ENDED}/fatture",
    f"{ELECTRICITY}/fatture?anno=1999", f"{ELECTRICITY}/comunicati?cerca=niente",
    f"{ELECTRICITY}/misure?dal=01/01/2020&al=02/01/2020", f"{ELECTRICITY}/ticket?stato=closed",
)  # fmt: skip
DESK = (
    "/staff",
    "/staff/clienti?cerca=002874", "/staff/clienti?cerca=niente+di+simile",
    "/staff/clienti/000207",
    "/staff/autoletture?insolite=1", "/staff/autoletture?dal=2001-01-01&al=2001-01-01",
    "/staff/autoletture/nuova?fornitura=PR002877", "/staff/autoletture/nuova?fornitura=nessuna",
    "/staff/periodi?quali=passati", "/staff/periodi/nuovo?come=ultimi",
    "/staff/documenti?cerca=niente+di+simile",
    "/staff/ticket?stato=chiusi", "/staff/ticket?cerca=niente+di+simile",
    "/staff/ticket/nuovo?cliente=000002",
    "/staff/caricamenti?stato=repeated", "/staff/posta?destinatario=niente",
    "/staff/registro?cliente=999999",
)  # fmt: skip
# Forms that are sent as they are found: what is wrong in them is told on the page.
WRONG = {
    "stranger": (
        ("/login", "Login"), ("/registrazione", "Conferma"), ("/password-dimenticata", "Conferma"),
        ("/staff/login", "Login"),
    ),
    "customer": (
        (f"{ELECTRICITY}/ticket/nuovo", "Invia"), (f"{GAS}/autolettura/nuova", "Salva"),
        (f"{ELECTRICITY}/password", "Conferma"),
    ),
    "desk": (
        ("/staff/ticket/nuovo?cliente=000002", "Apri il ticket"),
        ("/staff/ticket/risposte/nuova", "Salva"),
        ("/staff/autoletture/nuova?fornitura=PR002877", "Salva"),
        ("/staff/periodi/nuovo?come=uno", "Anteprima"),
        ("/staff/documenti/nuovo", "Anteprima"),
        ("/staff/operatori/nuovo", "Crea l'operatore"),
        ("/staff/password", "Conferma"),
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def portal(tmp_path_factory):
    demo = Demo(tmp_path_factory.mktemp("demo") / "demo-data")
    try:
        demo.wait()
        yield demo
    finally:
        demo.stop()


@pytest.fixture(scope="module")
def signed_in(chromium, portal):
    """What a browser keeps of who has signed in: nobody, the customer, the administrator."""
    context = chromium.new_context(base_url=portal.address, locale="it-IT")
    page = context.new_page()
    page.goto("/login")
    Guide(page, people.READY["code"]).sign_in(people.READY_PASSWORD)
    page.wait_for_url("**/home")
    customer = context.storage_state()
    context.close()
    context = chromium.new_context(base_url=portal.address, locale="it-IT")
    page = context.new_page()
    enter_desk(page, people.DESK[0]["username"])
    desk = context.storage_state()
    context.close()
    return {"stranger": None, "customer": customer, "desk": desk}


@pytest.fixture
def visit(open_browser, signed_in):
    """`visit(who, look)`: a page of that visitor's browser."""

    def _visit(who, look):
        return open_browser(storage_state=signed_in[who], **LOOKS[look])

    return _visit


# -- Every page ----------------------------------------------------------------------------


def pattern(address):
    """What addresses of the same kind of page have in common."""
    return tuple(
        "#" if re.search(r"\d", part) else part for part in urlsplit(address).path.split("/")
    )


def links(page):
    """The addresses of the portal's own pages that this one leads to."""
    return page.eval_on_selector_all(
        "a[href]:not([download])",
        "all => all.filter(a => a.origin === location.origin).map(a => a.pathname + a.search)",
    )


def crawled(page, starts):
    """Open `starts`, and what they lead to: of each kind of page the first; yield at each."""
    waiting, known = list(starts), set()
    while waiting:
        address = waiting.pop(0)
        try:
            page.goto(address)
        except Error as error:
            if "Download is starting" not in str(error):
                raise
            continue
        yield address
        for link in links(page):
            if pattern(link) not in known and not link.startswith("/demo"):
                known.add(pattern(link))
                waiting.append(link)


@pytest.mark.parametrize("look", ["a computer, light", "a telephone, dark"])
@pytest.mark.parametrize(("who", "starts"), [
    ("customer", CUSTOMER), ("desk", DESK),
])  # fmt: skip
def test_every_page_that_links_lead_to(visit, who, starts, look):
    page = visit(who, look)
    seen, found = [], []
    for address in crawled(page, starts):
        seen.append(address)
        found += findings(page)
    assert len(seen) > len(starts) + 15
    assert not found, "\n".join(found)


@pytest.mark.parametrize("look", ["a computer, light", "a telephone, dark"])
def test_what_strangers_see(open_browser, look):
    page = open_browser(**LOOKS[look])
    found = []
    for address in STRANGER:
        page.goto(address)
        found += findings(page)
    assert not found, "\n".join(found)


# -- States --------------------------------------------------------------------------------


@pytest.mark.parametrize("look", ["a computer, light", "a telephone, dark"])
@pytest.mark.parametrize("who", WRONG)
def test_a_form_that_came_back(visit, who, look):
    page = visit(who, look)
    found = []
    for address, button in WRONG[who]:
        page.goto(address)
        page.eval_on_selector_all("main form", "all => all.forEach(form => form.noValidate = true)")
        page.locator("main").get_by_role("button", name=button, exact=True).first.click()
        page.wait_for_load_state()
        expect(page.locator("main .is-invalid, main .alert").first).to_be_visible()
        found += findings(page)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("look", ["a computer, dark", "a telephone, light"])
def test_previews_questions_and_the_view(visit, look):
    page = visit("desk", look)
    found = []

    def press(words):
        page.locator("main").get_by_role("button", name=words, exact=True).click()
        page.wait_for_load_state()

    page.goto("/staff/documenti/nuovo")
    page.get_by_label("Titolo").fill("Un avviso con il testo")
    page.get_by_label("Testo").fill("# Titolo\n\nUn testo **forte**.\n\n- uno\n- due")
    press("Anteprima")
    expect(page.get_by_role("heading", name="Come lo vede il cliente")).to_be_visible()
    found += findings(page)

    page.goto("/staff/periodi/nuovo?come=ultimi")
    press("Anteprima")
    expect(page.get_by_role("heading", name="Anteprima")).to_be_visible()
    found += findings(page)

    page.goto("/staff/periodi")
    page.locator("#windows .cancel").first.click()
    expect(page.get_by_role("dialog")).to_be_visible()
    found += findings(page)

    page.goto("/staff/autoletture/nuova?fornitura=PR002876")
    page.get_by_label("Lettura Contatore").fill("1")
    press("Salva")
    expect(page.get_by_label("Confermo la lettura")).to_be_visible()
    found += findings(page)

    page.goto(f"/staff/clienti/{people.READY['code']}")
    press("Guarda come il cliente")
    expect(page.locator(".view-banner")).to_be_visible()
    found += findings(page)
    page.get_by_role("button", name="Esci dalla vista").click()
    expect(page.get_by_role("heading", name=people.READY["name"])).to_be_visible()
    assert not found, "\n".join(found)


def test_the_first_time_of_an_operator(visit):
    page = visit("desk", "a computer, light")
    page.goto("/staff/operatori/nuovo")
    page.get_by_label("Nome e cognome").fill("Prova Nuova")
    page.get_by_label("Utente").fill("p.nuova")
    page.get_by_label("E-Mail").fill("nuova@energia-di-prova.example")
    page.get_by_role("button", name="Crea l'operatore").click()
    password = page.locator(".key").inner_text()
    found = findings(page)

    page = visit("stranger", "a telephone, dark")
    sign_in_at_desk(page, "p.nuova", password)
    found += findings(page)
    page.get_by_label("Nuova password", exact=True).fill(OWN_PASSWORD)
    page.get_by_label("Conferma nuova password").fill(OWN_PASSWORD)
    page.get_by_role("button", name="Conferma").click()
    expect(page.get_by_role("heading", name="Secondo fattore")).to_be_visible()
    found += findings(page)
    page.get_by_text("Non si riesce a inquadrarlo").click()
    key = "".join(page.locator(".key").inner_text().split())
    page.get_by_label("Codice di 6 cifre").fill("000000")
    page.get_by_role("button", name="Conferma").click()
    found += findings(page)
    page.get_by_label("Codice di 6 cifre").fill(pyotp.TOTP(key).now())
    page.get_by_role("button", name="Conferma").click()
    expect(page.get_by_role("heading", name="Codici di recupero")).to_be_visible()
    found += findings(page)
    assert not found, "\n".join(found)


# -- By keyboard ---------------------------------------------------------------------------


def test_after_a_refresh_the_focus_stays_and_the_result_is_told(visit):
    page = visit("desk", "a computer, light")
    told = page.locator("#told")
    page.goto("/staff/clienti")
    page.keyboard.type("provaspa")
    expect(told).to_have_text(re.compile("Nessun cliente corrisponde"))
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("002874")
    expect(told).to_have_text("Un cliente trovato.")
    expect(page.get_by_label("Cerca un cliente")).to_be_focused()
    for entry, partial, box, sort in (
        ("ticket", "queue", "cerca", "oggetto"),
        ("documenti", "documents", "cerca", "titolo"),
        ("posta", "mails", "destinatario", "creata"),
        ("autoletture", "self_readings", "fornitura", "data"),
        ("registro", "entries", "cliente", None),
    ):
        page.goto(f"/staff/{entry}")
        if sort:
            heading = page.locator(f"#{partial}-{sort}")
            heading.focus()
            page.keyboard.press("Enter")
            expect(told).to_have_text(re.compile(r"^Righe: \d+, pagina 1 di \d+\.$"))
            expect(heading).to_be_focused()
        page.locator(f"#{box}").fill("999999")
        button = page.locator(f"#{partial}-filtra")
        button.focus()
        page.keyboard.press("Enter")
        expect(told).to_have_text(re.compile("corrisponde"))
        expect(button).to_be_focused()


def test_a_question_opens_and_closes_by_keyboard(visit):
    page = visit("desk", "a computer, light")
    page.goto("/staff/periodi")
    cross = page.locator("#windows .cancel").first
    cross.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(cross).to_be_focused()
