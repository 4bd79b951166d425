"""Whatever customers and operators do, done without JavaScript.

Registration, login, a reading and its cancellation: test_the_guide_without_javascript.
"""

import datetime as dt
import io
import re
import zipfile

import pytest
from playwright.sync_api import expect

from domain.clock import rome_day, utcnow
from tests import every_page
from tests.browser.conftest import SIZES, enter
from tests.browser.test_desk import Desk, check_morning
from tests.browser.test_guide import OWN_PASSWORD, PDF, Guide
from tests.factories import PASSWORD, make_document

pytestmark = [pytest.mark.browser, pytest.mark.slow]

ATTACHED = {"name": "foto.pdf", "mimeType": "application/pdf", "buffer": PDF}


class PlainDesk(Desk):
    """The clerk's morning where nothing happens by itself."""

    def find_customer(self, part, name):
        self.entry("Clienti")
        self.fill("Cerca un cliente", part)
        self.press("Cerca")
        self.see("Un cliente trovato.")
        self.follow(name)
        self.heading(name)


def test_a_clerks_morning_without_javascript(open_browser, portal):
    desk = PlainDesk(open_browser(java_script_enabled=False), portal)
    check_morning(desk, open_browser(java_script_enabled=False), portal)


class Customer(Guide):
    """A customer at a telephone, `owner` of one of each thing."""

    def __init__(self, page, portal, owner):
        super().__init__(page, owner.customer.code)
        self.portal = portal
        self.owner = owner

    def open(self, where, supply=None):
        self.page.goto(f"/forniture/{(supply or self.owner.gas).code}/{where}")

    def follow_first(self, words):
        self.page.get_by_role("link", name=words).first.click()

    def download(self, words, role="link"):
        with self.page.expect_download() as download:
            self.page.get_by_role(role, name=words, exact=True).first.click()
        return download.value.path().read_bytes()

    def choose(self, label, option, button):
        self.page.get_by_label(label, exact=True).select_option(label=option)
        self.press(button)

    def mailed(self, pattern):
        """What `pattern` finds in the next mail to this customer that has it."""
        while True:
            mail = self.portal.next_mail()
            found = re.search(pattern, mail.get_body(("plain",)).get_content(), re.M)
            if found and self.code in mail["To"]:
                return found[1]


@pytest.fixture
def customer(open_browser, portal, app, sign_in):
    owner = every_page.rich(app)
    page = open_browser(java_script_enabled=False, viewport=SIZES["phone"])
    return Customer(enter(page, portal, sign_in(owner.account)), portal, owner)


def test_login_and_passwords(customer):
    page = customer.page
    page.goto("/")
    customer.press("logout")
    customer.sign_in("sbagliata")
    expect(page.get_by_label("Password")).to_have_attribute("aria-invalid", "true")
    customer.follow("Hai dimenticato la Password ?")
    customer.fill("Codice Cliente", customer.code)
    customer.press("Conferma")
    customer.sign_in(customer.mailed(r"^Password: (\S+)"))
    customer.choose_own_password()
    customer.entry("Cambio Password")
    customer.fill("Password attuale", OWN_PASSWORD)
    customer.fill("Nuova password", PASSWORD)
    customer.fill("Conferma nuova password", PASSWORD)
    customer.press("Conferma")
    customer.see("Password cambiata")


def test_invoices(customer):
    page, owner = customer.page, customer.owner
    rows = page.locator("#invoices tbody tr")
    wanted = {owner.invoice().number for _each in range(2)}
    customer.open("fatture?righe=10")
    customer.follow("Pagina successiva")
    customer.see("pag. 2 di 3")
    customer.choose("righe", "50", "Mostra")
    expect(rows).to_have_count(27)
    customer.follow("Importo")
    expect(page).to_have_url(re.compile("ordine=importo"))
    page.set_viewport_size(SIZES["desk"])
    expect(page.locator("[data-check-all]")).to_be_hidden()  # a script's work
    for number in wanted:
        page.get_by_label(f"Scegli il documento {number}").check()
    with zipfile.ZipFile(io.BytesIO(customer.download("Scarica ZIP", "button"))) as archive:
        assert len(archive.namelist()) == 2
    customer.choose("Stato", "Pagata", "Filtra")
    customer.see("Nessuna fattura corrisponde alla scelta.")
    customer.open("fatture")
    customer.follow_first("Come pagare")
    customer.heading("Dati per il pagamento")
    customer.see("IT60 X054 2811 1010 0000 0123 456")


def test_measures_and_consumption(customer):
    page, power = customer.page, customer.owner.electricity
    day = f"{rome_day(utcnow()) - dt.timedelta(days=7)}"
    customer.open("misure", power)
    expect(page.locator("figure.curve canvas")).to_have_count(0)
    customer.fill("Dal", day)
    customer.fill("Al", day)
    customer.press("Filtra")
    assert len(customer.download("Scarica CSV").splitlines()) > 90
    page.get_by_text("Scaricare un anno intero").click()
    assert customer.download("Scarica XLSX").startswith(b"PK")
    customer.follow("Ultima settimana")
    customer.see("9,60")  # kWh of a day
    customer.open("prelievi", power)
    customer.see("2021")
    assert customer.download("Scarica CSV per Excel").startswith(b"\xef\xbb\xbf")


def test_records_and_another_address(customer):
    page = customer.page
    customer.open("anagrafica")
    customer.fill("Telefono", "0574 123")
    customer.press("Salva")
    customer.see("Telefono e fax sono registrati.")
    address = f"nuova{customer.code}@posta.example"
    customer.fill("Nuovo indirizzo", address)
    customer.fill("Password attuale", "sbagliata")
    customer.press("Cambia indirizzo")
    expect(page.get_by_label("Password attuale")).to_have_attribute("aria-invalid", "true")
    customer.fill("Password attuale", PASSWORD)
    customer.press("Cambia indirizzo")
    customer.see("In attesa di conferma")
    page.goto(customer.mailed(r"(https://\S+/conferma-indirizzo/\S+)"))
    customer.see(address)
    customer.press("Conferma")
    customer.see("Il nuovo indirizzo di posta elettronica è confermato.")


def test_preferences(customer):
    page = customer.page
    customer.open("preferenze")
    customer.fill("Nome della fornitura", "Casa al mare")
    customer.press("Salva il nome")
    chooser = page.get_by_role("combobox", name="Punto di fornitura")
    expect(chooser).to_contain_text("Casa al mare")
    page.get_by_label("Fatture", exact=True).uncheck()
    customer.press("Salva le preferenze")
    customer.see("Preferenze salvate.")
    expect(page.get_by_label("Fatture", exact=True)).not_to_be_checked()
    customer.press("Crea il collegamento")
    page.get_by_text("Come aggiungerlo al proprio calendario").click()
    customer.see("Google Calendar")
    customer.press("Revoca")
    customer.see("Collegamento revocato")
    assert customer.download("Scarica i miei dati").startswith(b"PK")
    customer.follow("Chiedi la cancellazione")
    customer.see("Confermi la richiesta di cancellare i dati personali ?")
    customer.press("Sì")
    customer.see("Richiesta registrata")
    customer.press("Ritira la richiesta")
    expect(page.get_by_role("link", name="Chiedi la cancellazione")).to_be_visible()


def test_a_ticket(customer):
    page = customer.page
    customer.open("ticket")
    customer.follow("Apri un ticket")
    customer.press("Invia")
    customer.see("Scrivere il testo.")
    page.get_by_label("Categoria").select_option(label="Reclamo")
    customer.fill("Oggetto", "Fattura alta")
    customer.fill("Testo", "Perché?")
    page.get_by_label("Allegati").set_input_files(ATTACHED)
    customer.press("Invia")
    customer.heading("Fattura alta")
    assert customer.download("foto.pdf") == PDF
    assert customer.download("Scarica la ricevuta").startswith(b"%PDF")
    customer.fill("Testo", "Aggiungo una cosa.")
    customer.press("Invia")
    expect(page.locator(".turn")).to_have_count(2)
    customer.press("Chiudi il ticket")
    customer.fill("Testo", "Non è risolto.")
    customer.press("Riapri il ticket")
    expect(page.locator(".turn")).to_have_count(3)
    customer.follow("Torna all'elenco")
    customer.see("Fattura alta")


def test_notices_and_history(customer):
    make_document("Sportello chiuso", text="Riapre lunedì.")
    make_document("Altro avviso")
    customer.open("comunicati")
    customer.fill("Cerca nel titolo e nel testo", "lunedì")
    customer.press("Cerca")
    expect(customer.page.locator("#documents tbody tr")).to_have_count(1)
    customer.follow("Sportello chiuso")
    customer.see("Riapre lunedì.")
    customer.entry("Storico")
    customer.choose("Che cosa", "Ticket", "Filtra")
    customer.see("Niente corrisponde alla scelta.")
