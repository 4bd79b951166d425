"""A clerk's morning at the desk, lived in a browser."""

import datetime as dt
import re

import pyotp
import pytest
from playwright.sync_api import expect

from domain.clock import rome_day, utcnow
from tests.browser.test_guide import Guide, archive_of

pytestmark = pytest.mark.browser

CLERKS_PASSWORD = "sette ricci gialli cantano"
CODE, VAT_NUMBER = "000002", "00000020974"


class Desk(Guide):
    """The steps of the morning, each in the words that the clerk reads."""

    def __init__(self, page, portal):
        super().__init__(page, CODE)
        self.portal = portal
        self.otp = None

    def entry(self, words):
        """Open an entry of the menu."""
        menu = self.page.get_by_role("navigation", name="Menu dello sportello")
        menu.get_by_role("link", name=words, exact=True).click()
        self.heading(words)

    def enrol(self, told):
        """The first time: a password of one's own, the telephone, the recovery codes."""
        self.page.goto("/staff")
        self.heading("Sportello operatori")
        self.give_password(re.search(r"^Password di primo accesso: (\S+)", told, re.M)[1])
        self.heading("Cambio Password")
        self.fill("Nuova password", CLERKS_PASSWORD)
        self.fill("Conferma nuova password", CLERKS_PASSWORD)
        self.press("Conferma")
        self.heading("Secondo fattore")
        self.page.get_by_text("Non si riesce a inquadrarlo").click()
        key = self.page.locator(".key").inner_text()
        self.otp = pyotp.TOTP("".join(key.split()))
        self.give_code(utcnow())
        self.heading("Codici di recupero")
        self.press("Li ho messi al sicuro")
        self.leave()

    def give_password(self, password):
        self.fill("Utente", "m.rossi")
        self.fill("Password", password)
        self.press("Login")

    def give_code(self, at):
        self.fill("Codice di 6 cifre", self.otp.at(at))
        self.press("Conferma")

    def sign_in(self):
        self.page.goto("/staff")
        self.give_password(CLERKS_PASSWORD)
        self.heading("Codice di accesso")
        self.give_code(utcnow() + dt.timedelta(seconds=30))  # that of now has been used
        self.heading("Oggi")

    def leave(self):
        self.press("logout")
        self.heading("Sportello operatori")

    # -- Imports -----------------------------------------------------------------------------

    def send(self, *files):
        self.entry("Caricamenti")
        given = [
            {"name": name, "mimeType": "text/csv", "buffer": text.encode()} for name, text in files
        ]
        self.page.get_by_label("File da caricare").set_input_files(given)
        self.press("Invia")

    def import_with_an_error(self, name, text):
        """Send a file with a wrong row, read what is wrong, throw it away."""
        self.send((name, text))
        self.heading("Prova di un file")
        self.see("Con errori")
        row = self.page.locator("#problems tbody").get_by_role("row").first
        expect(row).to_contain_text("codice_cliente")
        expect(row).to_contain_text("La cella è vuota: va compilata.")
        expect(row.get_by_role("rowheader")).to_have_text("3")
        with self.page.expect_download() as download:
            self.follow("Scarica gli errori (CSV)")
        assert "3;codice_cliente;" in download.value.path().read_text("utf-8-sig")
        self.press("Scarta")
        self.see(f"«{name}» è stato scartato.")

    def import_well(self, name, text):
        self.send((name, text))
        self.heading("Prova di un file")
        self.see("Senza errori")
        self.press("Carica")
        self.see(f"«{name}» è in inbox")
        self.portal.job("import_inbox")
        self.page.reload()
        row = self.page.locator("#imports tbody").get_by_role("row").filter(has_text=name)
        expect(row).to_contain_text("Importato")

    # -- Notices, windows, tickets, customers ------------------------------------------------

    def publish(self, title, text):
        self.entry("Documenti e avvisi")
        self.follow("Nuovo documento o avviso")
        self.fill("Titolo", title)
        self.fill("Testo", text)
        self.page.get_by_label("A chi è destinato").select_option(label="a tutti i clienti")
        self.page.get_by_label("Categoria").select_option(label="Comunicati")
        self.press("Anteprima")
        self.see("Nessun cliente vede ancora niente")
        self.see(text)
        self.press("Pubblica")
        self.see(title)

    def open_window(self, first, last):
        self.entry("Periodi di lettura")
        self.follow("Stabilisci nuovi periodi")
        self.fill("Dal", f"{first}")
        self.fill("Al", f"{last}")
        self.press("Anteprima")
        self.see("Periodi nuovi: 1 di 1")
        self.press("Conferma: 1 periodo")
        row = self.page.locator("#windows tbody").get_by_role("row")
        expect(row.filter(has_text=f"{last:%d/%m/%Y}")).to_contain_text("Aperto")

    def answer_complaint(self, subject, text):
        self.entry("Ticket")
        self.follow(subject)
        self.heading(subject)
        self.see("Reclamo")
        self.press("Prendi in carico")
        self.fill("Testo", text)
        self.press("Invia")
        expect(self.page.locator(".turn").last).to_contain_text(text)

    def find_customer(self, part, name):
        """By a part of a POD, as one types."""
        self.entry("Clienti")
        self.page.get_by_label("Cerca un cliente").press_sequentially(part)
        self.page.wait_for_url(f"**cerca={part}")
        self.see("Un cliente trovato.")
        self.page.get_by_role("link", name=name, exact=True).click()
        self.heading(name)

    def look_as_customer(self, notice):
        self.press("Guarda come il cliente")
        self.heading("Home Page")
        self.see("Benvenuto")
        self.follow("Comunicati")
        self.see(notice)
        self.press("Esci dalla vista")
        self.heading("PROVA S.P.A.")


def complain(page, portal, subject):
    """A customer registers and complains."""
    guide = Guide(page, CODE)
    guide.register(VAT_NUMBER, f"{CODE}@posta.example")
    text = portal.next_mail().get_body(("plain",)).get_content()
    page.goto(f"{portal.address}/login")
    guide.sign_in(re.search(r"^Password: (\S+)", text, re.M)[1])
    guide.choose_own_password()
    guide.heading("Home Page")
    guide.follow("Ticket")
    guide.follow("Apri un ticket")
    page.get_by_label("Categoria").select_option(label="Reclamo")
    guide.fill("Oggetto", subject)
    guide.fill("Testo", "La fattura è più alta del solito.")
    guide.press("Invia")
    return guide


@pytest.mark.slow
def test_a_clerks_morning(open_browser, portal):
    check_morning(Desk(open_browser(), portal), open_browser(), portal)


def check_morning(desk, customers_page, portal):
    today = rome_day(utcnow())
    told = portal.job(
        "create_operator", "--username", "m.rossi", "--name", "Maria Rossi",
        "--email", "m.rossi@posta.example",
    )  # fmt: skip
    desk.enrol(told)
    desk.sign_in()

    (customers, text), (supplies, second), *_rest = archive_of(CODE, VAT_NUMBER)
    header, row = text.splitlines()
    wrong = f"{header}\n{row}\n{row.replace(CODE, '', 1)}\n"
    desk.import_with_an_error(customers, wrong)
    desk.import_well(customers, text)
    desk.import_well(supplies, second)

    customer = complain(customers_page, portal, "Fattura alta")

    desk.publish("Sportello chiuso", "Il 7 dicembre lo sportello resta chiuso.")
    desk.answer_complaint("Fattura alta", "La lettura era stimata: la correggiamo.")
    desk.open_window(today - dt.timedelta(days=1), today + dt.timedelta(days=3))
    desk.find_customer(f"E{CODE}7", "PROVA S.P.A.")
    desk.look_as_customer("Sportello chiuso")
    desk.entry("Registro attività")
    desk.see("clienti.csv")
    desk.leave()
    desk.page.goto("/staff/clienti")
    desk.heading("Sportello operatori")

    customer.page.reload()
    customer.see("La lettura era stimata: la correggiamo.")
    customer.follow("Storico")
    customer.see("servizio clienti")
