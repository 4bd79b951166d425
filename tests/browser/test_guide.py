"""The printed guide, walked in a browser from registration to «Acquisita»."""

import datetime as dt
import re

import pytest
from playwright.sync_api import expect

from domain.clock import rome_day, utcnow
from tests.browser.conftest import SIZES

pytestmark = pytest.mark.browser

OWN_PASSWORD = "quattro lumache blu dormono"
PDF = b"%PDF-1.4\n% la fattura di prova\n%%EOF\n"
EVERY_ENTRY = (
    "Home Page", "Elenco fatture", "Cambio Password", "Autolettura Contatore", "Dati Anagrafici",
    "Prelievi Fatturati", "Ticket", "Dati Tecnici", "Dati Contrattuali", "Misure elettriche",
    "I miei documenti", "Modulistica", "Normative", "Comunicati", "Informazioni", "Storico",
)  # fmt: skip
HALF_A_MINUTE = 30_000  # milliseconds, longer than the list's own interval


def archive_of(code, vat_number):
    """The files of a customer with one supply of each kind, a document, and an open window."""
    today = rome_day(utcnow())
    ago = [today - dt.timedelta(days=days) for days in (400, 60, 10)]
    return [
        ("clienti.csv",
         "codice_cliente;denominazione;partita_iva;via;civico;cap;comune;provincia\n"
         f"{code};PROVA S.P.A.;{vat_number};VIA DI PROVA;35;59100;PRATO;PO\n"),
        ("forniture.csv",
         "codice_fornitura;codice_cliente;servizio;pod_pdr;via;civico;cap;comune;provincia;"
         "cifre;matricola;classe_misuratore;consumo_annuo\n"
         f"PR{code}1;{code};EE;IT001E{code}74;VIA PROVA;5;48124;RAVENNA;RA;;;;\n"
         f"PR{code}2;{code};GAS;00990000{code};VIA DI PROVA;35;59100;PRATO;PO;5;G{code};G4;1200\n"),
        ("fatture.csv",
         "numero;data;codice_cliente;codice_fornitura;scadenza;importo;stato;documento\n"
         f"{code}/E;{ago[1]};{code};PR{code}1;{ago[2]};1234,56;pagata;fattura_{code}.pdf\n"),
        ("letture.csv",
         "codice_fornitura;data;contatore;fonte;matricola\n"
         f"PR{code}2;{ago[0]};1000;distributore;G{code}\n"
         f"PR{code}2;{ago[2]};2200;distributore;G{code}\n"),
        ("periodi.csv",
         "id;dal;dalle_ore;al;alle_ore\n"
         f"aperto;{today - dt.timedelta(days=2)};00:00;{today + dt.timedelta(days=2)};23:59\n"),
    ]  # fmt: skip


class Guide:
    """The steps of the guide, each in the words that the customer reads."""

    def __init__(self, page, code):
        self.page = page
        self.code = code

    def see(self, words):
        expect(self.page.get_by_text(words).first).to_be_visible()

    def heading(self, words):
        expect(self.page.get_by_role("heading", name=words, exact=True, level=1)).to_be_visible()

    def follow(self, words):
        self.page.get_by_role("link", name=words, exact=True).click()

    def columns(self, *names):
        """Above the columns, or beside each value where the page is narrow."""
        for name in names:
            header = self.page.get_by_role("columnheader", name=name, exact=True)
            label = self.page.locator(f'[data-label="{name}"]')
            expect(header.or_(label).first).to_be_visible()

    def open_menu(self):
        """Unfold the menu where the page is narrow; returns it."""
        unfold = self.page.locator("details.menu:not([open]) > summary")
        if unfold.is_visible():
            unfold.click()
        return self.page.get_by_role("navigation", name="Menu Generale")

    def entry(self, words):
        """Open an entry of the menu."""
        self.open_menu().get_by_role("link", name=words, exact=True).click()
        self.heading(words)

    def press(self, words):
        self.page.get_by_role("button", name=words, exact=True).click()

    def fill(self, label, text):
        self.page.get_by_label(label, exact=True).fill(text)

    def register(self, vat_number, address):
        self.page.goto("/")
        self.heading("Autenticazione")
        self.follow("Sei un cliente e vuoi registrarti")
        self.heading("Registrazione nuovo utente")
        self.fill("Codice cliente presente in fattura", self.code)
        self.fill("Codice fiscale o partita IVA", vat_number)
        self.press("Conferma")
        self.heading("Conferma registrazione")
        for words in ("Codice cliente", "Denominazione", "Residenza/Sede", "PROVA S.P.A."):
            self.see(words)
        self.see("VIA DI PROVA 35 - 59100 PRATO (PO)")
        self.see("Le credenziali di accesso saranno inviate alla e-mail indicata.")
        self.fill("E-Mail", address)
        self.page.get_by_label("usa sempre questo indirizzo di posta elettronica").check()
        self.press("Salva")
        self.heading("Autenticazione")

    def sign_in(self, password):
        self.fill("User", self.code)
        self.fill("Password", password)
        self.press("Login")

    def choose_own_password(self):
        self.heading("Cambio Password")
        menu = self.open_menu()
        expect(menu.get_by_text("Elenco fatture")).to_be_visible()
        expect(menu.get_by_role("link")).to_have_count(0)
        self.fill("Nuova password", OWN_PASSWORD)
        self.fill("Conferma nuova password", OWN_PASSWORD)
        self.press("Conferma")

    def look_around(self):
        self.heading("Home Page")
        self.see("Benvenuto")
        menu = self.open_menu()
        for entry in EVERY_ENTRY:
            expect(menu.get_by_role("link", name=entry, exact=True)).to_be_visible()
        self.see("Documentazione Generica")

    def download_invoice(self):
        self.entry("Elenco fatture")
        self.columns("Numero", "Data", "Scadenza", "Importo", "Stato", "Doc")
        row = self.page.get_by_role("row").filter(has_text=f"{self.code}/E")
        expect(row).to_contain_text("1.234,56")
        expect(row).to_contain_text("Pagata")
        with self.page.expect_download() as download:
            row.get_by_role("link", name="PDF").click()
        assert download.value.path().read_bytes() == PDF

    def choose_supply(self, supply, *, by_itself):
        label = self.page.get_by_role("combobox", name="Punto di fornitura")
        expect(label).to_contain_text(f"PR{self.code}1 (Pod: IT001E{self.code}74); "
                                      "VIA PROVA 5 - 48124 RAVENNA (RA)")  # fmt: skip
        label.select_option(supply)
        if not by_itself:
            self.press("Vai")
        self.page.wait_for_url(f"**/forniture/{supply}/**")
        self.heading("Elenco fatture")

    def open_readings(self):
        self.entry("Autolettura Contatore")
        self.see("Elenco Autoletture")
        self.see("L'inserimento delle autoletture è consentito nei seguenti periodi:")
        self.columns("Dal", "A partire dalle ore", "Al", "Fino alle ore")

    def add_reading(self, counter):
        self.follow("Aggiungi")
        self.heading("Inserimento Autolettura")
        self.fill("Lettura Contatore", counter)
        self.press("Salva")

    def confirm_odd_value(self, counter):
        self.add_reading(counter)
        self.heading("Inserimento Autolettura")
        expect(self.page.get_by_label("Lettura Contatore")).to_have_value(counter)
        self.page.get_by_label("Confermo la lettura").check()
        self.press("Salva")

    def cancel(self):
        self.row("Da acquisire").get_by_role("link", name="Cancella").click()
        day = f"{rome_day(utcnow()):%d/%m/%Y}"
        self.see(f"Confermi la cancellazione della lettura del {day} ?")
        expect(self.page.get_by_text("No", exact=True)).to_be_visible()
        self.press("Sì")
        expect(self.row("Da acquisire")).to_have_count(0)

    def row(self, words):
        return self.page.locator("#readings tbody").get_by_role("row").filter(has_text=words)


def walk(page, portal, code, vat_number, *, script):
    """The whole guide up to a reading that waits; returns the Guide at that point."""
    portal.load(archive_of(code, vat_number), [(f"fattura_{code}.pdf", PDF)])
    guide = Guide(page, code)
    guide.register(vat_number, f"{code}@posta.example")

    mail = portal.next_mail()
    assert mail["To"] == f"{code}@posta.example"
    text = mail.get_body(("plain",)).get_content()
    link = re.search(r"https://\S+", text)[0]
    assert link == f"{portal.address}/login"
    page.goto(link)
    guide.sign_in(re.search(r"^Password: (\S+)", text, re.M)[1])
    guide.choose_own_password()
    assert portal.next_mail()["To"] == mail["To"]  # told that the password is another
    guide.look_around()

    guide.download_invoice()
    guide.choose_supply(f"PR{code}2", by_itself=script)
    guide.open_readings()
    guide.add_reading("2.215")
    expect(guide.row("Da acquisire")).to_contain_text("2215")
    guide.cancel()
    guide.confirm_odd_value("2200")  # nothing used since the distributor's last reading
    expect(guide.row("Da acquisire")).to_contain_text("2200")
    return guide


@pytest.mark.parametrize(
    ("browser", "size", "code", "vat_number"),
    [
        ("chromium", "desk", "000002", "00000020974"),
        pytest.param("firefox", "phone", "000118", "00001180975", marks=pytest.mark.slow),
        pytest.param("chromium", "phone", "000119", "00001190974", marks=pytest.mark.slow),
        pytest.param("firefox", "desk", "000120", "00001200971", marks=pytest.mark.slow),
    ],
)
def test_the_guide(open_browser, portal, size, code, vat_number):
    page = open_browser(viewport=SIZES[size])
    page.clock.install()
    guide = walk(page, portal, code, vat_number, script=True)

    requests = []
    page.on("request", lambda request: requests.append(request))
    page.evaluate("document.body.dataset.same = 'yes'")
    line = portal.job("acquire_readings")
    assert "autoletture acquisite: 1" in line
    page.clock.run_for(HALF_A_MINUTE)
    expect(guide.row("Acquisita")).to_contain_text("2200")
    expect(guide.row("Acquisita").get_by_role("link", name="Cancella")).to_have_count(0)
    assert requests
    assert not any(request.is_navigation_request() for request in requests)
    assert page.evaluate("document.body.dataset.same") == "yes"

    requests.clear()
    page.clock.run_for(4 * HALF_A_MINUTE)
    page.wait_for_timeout(200)
    assert requests == []  # nothing waits any more, so nobody asks

    written = (portal.data / "outbox").glob("autoletture_*.csv")
    rows = [row for path in written for row in path.read_text().splitlines()]
    (acquired,) = [row for row in rows if f";PR{code}2;" in row]
    assert ";2200;" in acquired


def test_the_guide_without_javascript(open_browser, portal):
    page = open_browser(java_script_enabled=False)
    guide = walk(page, portal, "000117", "00001170976", script=False)
    portal.job("acquire_readings")
    page.reload()
    expect(guide.row("Acquisita")).to_contain_text("2200")


def test_row_16_back_after_logout_shows_the_login(open_browser, portal):
    page = open_browser()
    code, vat_number = "000300", "90000000977"
    guide = walk(page, portal, code, vat_number, script=True)
    guide.press("logout")
    guide.heading("Autenticazione")
    page.go_back()
    guide.heading("Autenticazione")
    expect(page.get_by_text("PROVA S.P.A.")).to_have_count(0)
