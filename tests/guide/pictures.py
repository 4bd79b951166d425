"""The pictures of the guide, taken while somebody walks through it in a browser.

    python -m tests.guide.pictures [--into FOLDER]

Chapter by chapter it does what the chapter says, and fails where a step does not work any more,
or where what the chapter puts between «» stands on none of the pages that it went through.
"""

from tests.guide import world  # isort: skip (first of all: it stops the clock)

import argparse
import contextlib
import html
import io
import re
import sys
import tempfile
from pathlib import Path

import pyotp
from PIL import Image
from playwright.sync_api import sync_playwright

from jobs import acquire_readings, send_mail
from jobs.demo_world import people
from tests.browser.conftest import CHROMIUM, FLAGS
from tests.guide import rendering

SIZES = {
    "phone": {"width": rendering.PHONE, "height": 844},
    "desk": {"width": 1180, "height": 760},
}
MOST_BYTES = 40_000
COLOURS = (128, 64, 48)  # of a picture, until it is small enough
TALLEST = {"phone": 760, "desk": 800}  # pixels of the screen
# Where to cut: around a place, below the last thing that is whole on it.
FRAMED = """
(place, [top, height]) => {
  const box = place.getBoundingClientRect(), view = document.documentElement.clientWidth;
  const around = box.width < view ? 12 : 0;
  const from = Math.max(0, box.top + top - around), to = from + height;
  let end = box.bottom + around;
  if (end > to) {
    const parts = place.querySelectorAll("tr, p, li, dd, h2, .panel, form, .tile, svg, img, pre");
    const ends = [...parts].map((part) => part.getBoundingClientRect().bottom + 10);
    end = Math.max(from + height / 2, ...ends.filter((each) => each <= to));
  }
  const left = view < 500 ? 0 : Math.max(0, box.left - around);
  const width = view < 500 ? view : Math.min(view - left, box.width + 2 * around);
  return { x: left, y: from, width, height: end - from };
}
"""
# Debian's Chromium speaks English in the fields that it draws itself; a customer's Italian.
IN_ITALIAN = """
(all) => all.map((field) => {
  const shown = document.createElement("input"), [year, month, day] = field.value.split("-");
  const empty = field.type === "date" ? "gg/mm/aaaa" : "Scegli i file   Nessun file selezionato";
  shown.className = field.className;
  shown.value = day ? `${day}/${month}/${year}` : empty;
  field.hidden = true;
  field.after(shown);
})
"""
OWN_PASSWORD = "quattro lumache blu dormono"
GAS, ELECTRICITY, WITH_CORRECTOR = "PR002876", "PR002875", "PR002877"


class Missing(Exception):
    """What the guide names is not on the pages that it leads through."""


class Walk:
    """A browser at the portal; it remembers the words of the pages of a chapter."""

    def __init__(self, browser, world, folder):
        self.browser = browser
        self.world = world
        self.folder = folder
        self.seen = set()
        self.taken = []
        self.page = None

    def opens(self, kind):
        """A browser of somebody else, on a phone or on a desk."""
        context = self.browser.new_context(
            base_url=self.world.address,
            viewport=SIZES[kind],
            device_scale_factor=rendering.PIXELS[kind],
            locale="it-IT",
            timezone_id="Europe/Rome",
            color_scheme="light",
            reduced_motion="reduce",
        )
        context.set_default_timeout(10_000)
        self.page = context.new_page()
        self.kind = kind

    def as_on(self, kind):
        """The same visitor with the window of a phone or of a desk."""
        cookies = self.page.context.cookies()
        self.opens(kind)
        self.page.context.add_cookies(cookies)

    def goes(self, path):
        self.page.goto(path, wait_until="networkidle")
        self.looks()

    def looks(self):
        """Remember the words that stand on the page now, those for screen readers too."""
        content = self.page.content()
        labels = re.findall(r'(?:aria-label|title|value|placeholder)="([^"]*)"', content)
        shown = re.sub(r"<(script|style)\b.*?</\1>", " ", content, flags=re.S)
        words = html.unescape(" ".join([re.sub(r"<[^>]*>", " ", shown), *labels]))
        self.seen.add(" ".join(words.split()))

    def fills(self, **fields):
        for label, text in fields.items():
            self.page.get_by_label(label, exact=True).first.fill(text)

    def types(self, label, text):
        self.page.get_by_label(label, exact=True).first.fill(text)

    def presses(self, words, role="button"):
        self.page.get_by_role(role, name=words, exact=True).first.click()
        self.page.wait_for_load_state("networkidle")
        self.looks()

    def follows(self, words):
        self.presses(words, "link")

    def enters(self, user, password):
        self.types("User", user)
        self.types("Password", password)
        self.presses("Login")

    def takes(self, name, place="main", *, top=0, height=None):
        """A picture of `place`, from `top` on, not taller than a page of print bears."""
        self.looks()
        self.page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
        for banner in self.page.locator(".demo-banner").all():
            banner.evaluate("each => each.remove()")
        self.page.locator("main [type=date], main [type=file]").evaluate_all(IN_ITALIAN)
        height = height or TALLEST[self.kind]
        clip = self.page.locator(place).first.evaluate(FRAMED, [top, height])
        shot = self.page.screenshot(clip=clip, full_page=True, animations="disabled")
        keep(Image.open(io.BytesIO(shot)).convert("RGB"), self.folder / f"{name}.webp")
        self.taken.append(f"{name}.webp")


def keep(picture, path):
    """Write it with as many colours as fit: with few of them letters stay sharper than blurred."""
    for colours in COLOURS:
        written, drawn = io.BytesIO(), picture.quantize(colours, dither=Image.Dither.NONE)
        drawn.convert("RGB").save(written, "WEBP", lossless=True, quality=80, method=4)
        if written.tell() <= MOST_BYTES:
            path.write_bytes(written.getvalue())
            return
    raise Missing(f"{path.name}: {written.tell()} byte, al massimo {MOST_BYTES}")


# -- For customers ---------------------------------------------------------------------------


def before_one_begins(walk):
    walk.opens("phone")
    walk.goes("/registrazione")
    walk.presses("Conferma")


def first_access(walk):
    newcomer = people.NEWCOMER
    walk.opens("phone")
    walk.goes("/login")
    walk.takes("accesso", "body", height=560)
    walk.follows("Sei un cliente e vuoi registrarti")
    walk.types("Codice cliente presente in fattura", "000001")
    walk.types("Codice fiscale o partita IVA", newcomer["vat_number"])
    walk.presses("Conferma")  # refused, and says so
    walk.goes("/registrazione")
    walk.types("Codice cliente presente in fattura", newcomer["code"])
    walk.types("Codice fiscale o partita IVA", newcomer["vat_number"])
    walk.takes("registrazione")
    walk.presses("Conferma")
    walk.types("E-Mail", "cartiera@posta.example")
    walk.takes("conferma-registrazione")
    walk.presses("Salva")
    walk.world.job(send_mail)
    walk.goes("/demo/posta")
    walk.takes("mail", "article.mail")
    password = re.search(r"Password:\s+(\S+)", walk.page.locator("article.mail").inner_text())[1]
    walk.goes("/login")
    walk.enters(newcomer["code"], password)
    walk.types("Nuova password", OWN_PASSWORD)
    walk.types("Conferma nuova password", OWN_PASSWORD)
    walk.page.locator("details.menu summary").click()
    walk.takes("prima-password", "main", height=560)
    walk.presses("Conferma")


def in_and_out(walk):
    walk.opens("phone")
    walk.goes("/login")
    walk.follows("Hai dimenticato la Password ?")
    walk.types("Codice Cliente", people.NEWCOMER["code"])
    walk.takes("password-dimenticata")
    walk.goes("/login")
    walk.enters(people.READY["code"], people.READY_PASSWORD)
    walk.goes(f"/forniture/{GAS}/password")
    walk.goes(f"/forniture/{GAS}/secondo-fattore")
    walk.takes("secondo-fattore", '.panel:has(h2:text("Aggiungere"))', height=820)
    add_factor(walk)


def add_factor(walk):
    """Of the newcomer, whom no other chapter needs."""
    ready = walk.page
    walk.opens("phone")
    walk.goes("/login")
    walk.enters(people.NEWCOMER["code"], OWN_PASSWORD)
    supply = walk.page.url.split("/forniture/")[1].split("/")[0]
    walk.goes(f"/forniture/{supply}/secondo-fattore")
    walk.types("Password attuale", OWN_PASSWORD)
    walk.types("Codice di 6 cifre", code_of(walk.page))
    walk.presses("Conferma")
    walk.page = ready


def a_page(walk):
    walk.as_on("desk")
    walk.goes(f"/forniture/{GAS}/home")
    walk.takes("pagina-iniziale", "body", height=640)
    walk.goes(f"/forniture/{ELECTRICITY}/home")
    walk.as_on("phone")
    walk.goes(f"/forniture/{ELECTRICITY}/fatture")
    walk.takes("elenco-telefono", "body", height=700)


def invoices(walk):
    walk.as_on("desk")
    walk.goes(f"/forniture/{ELECTRICITY}/fatture")
    walk.takes("fatture", height=560)
    walk.as_on("phone")
    for code in (ELECTRICITY, GAS):
        walk.goes(f"/forniture/{code}/fatture")
        ways = walk.page.get_by_role("link", name="Come pagare")
        if ways.count():
            break
    walk.goes(ways.first.get_attribute("href"))
    walk.takes("pagamento", height=740)


def self_reading(walk):
    walk.as_on("phone")
    walk.goes(f"/forniture/{GAS}/autolettura")
    last = last_reading(walk)
    walk.takes("autolettura", height=560)
    walk.follows("Aggiungi")
    walk.types("Lettura Contatore", str(last + 45))
    walk.takes("inserimento")
    walk.types("Lettura Contatore", str(last))
    walk.presses("Salva")
    walk.takes("conferma-lettura")
    walk.types("Lettura Contatore", str(last + 45))
    walk.presses("Salva")
    walk.takes("da-acquisire", "#readings", height=420)
    walk.page.get_by_role("link", name=re.compile("Cancella la lettura")).first.click()
    walk.page.locator("dialog[open]").wait_for()
    walk.takes("cancella-lettura", "dialog")
    walk.page.keyboard.press("Escape")
    walk.world.job(acquire_readings)
    walk.goes(f"/forniture/{GAS}/autolettura")
    walk.goes(f"/forniture/{WITH_CORRECTOR}/autolettura")


def last_reading(walk):
    """The highest that the page shows of the meter."""
    rows = walk.page.locator("#readings tbody tr td:nth-child(2)").all_inner_texts()
    return max(int(re.sub(r"\D", "", text)) for text in rows)


def consumption(walk):
    walk.as_on("desk")
    walk.goes(f"/forniture/{ELECTRICITY}/prelievi?anno=2025")
    walk.takes("prelievi", height=640)
    walk.goes(f"/forniture/{ELECTRICITY}/misure")
    walk.follows("Ultima settimana")
    walk.page.wait_for_timeout(300)  # the curve is drawn
    walk.takes("misure", "figure.curve", height=700)


def supply(walk):
    walk.as_on("phone")
    walk.goes(f"/forniture/{GAS}/dati-tecnici")
    walk.takes("dati-tecnici", height=700)
    walk.goes(f"/forniture/{GAS}/contratti")


def own_data(walk):
    walk.as_on("phone")
    walk.goes(f"/forniture/{GAS}/anagrafica")
    walk.takes("anagrafica", height=720)
    walk.goes(f"/forniture/{GAS}/deleghe")
    walk.goes(f"/forniture/{GAS}/preferenze")
    walk.page.locator("details").evaluate_all("all => all.forEach(each => each.open = true)")
    walk.takes("preferenze", 'form:has(button:text("Salva le preferenze"))', height=820)


def tickets(walk):
    walk.as_on("phone")
    walk.goes(f"/forniture/{GAS}/ticket/nuovo")
    walk.takes("ticket-nuovo")
    walk.goes(f"/forniture/{GAS}/ticket")
    answered = walk.page.locator("main tbody tr", has_text="Risposto").get_by_role("link").first
    answered.click()
    walk.page.wait_for_load_state("networkidle")
    walk.takes("ticket", height=760)
    for state in ("Chiuso", "Reclamo"):
        walk.goes(f"/forniture/{GAS}/ticket")
        row = walk.page.locator("main tbody tr", has_text=state).get_by_role("link").first
        if row.count():
            row.click()
            walk.page.wait_for_load_state("networkidle")
            walk.looks()


def papers(walk):
    walk.as_on("phone")
    for path in ("documenti", "modulistica", "normative", "informazioni"):
        walk.goes(f"/forniture/{GAS}/{path}")
    walk.goes(f"/forniture/{GAS}/comunicati")
    walk.takes("comunicati", height=620)
    walk.goes(f"/forniture/{GAS}/storico")
    walk.takes("storico", height=620)
    walk.goes(f"/forniture/{GAS}/password")


def help_needed(walk):
    walk.goes(f"/forniture/{GAS}/password")
    walk.goes(f"/forniture/{GAS}/autolettura")
    walk.opens("phone")
    walk.goes("/login")


# -- For clerks ------------------------------------------------------------------------------


def enter_desk(walk):
    walk.opens("desk")
    boss = people.DESK[0]["username"]
    walk.goes("/staff/login")
    walk.takes("sportello-accesso", "main")
    walk.types("Utente", boss)
    walk.types("Password", people.DESK_PASSWORD)
    walk.presses("Login")
    walk.takes("sportello-codice", "main")
    telephone = walk.page.context.new_page()
    telephone.goto("/demo/telefono")
    codes = telephone.locator("#codes").inner_text()
    telephone.close()
    code = re.search(rf"{boss}\b.*?(\d{{3}}) (\d{{3}})", codes, re.S)
    walk.types("Codice di 6 cifre", code[1] + code[2])
    walk.presses("Conferma")
    walk.goes("/staff/password")
    first_time_at_desk(walk)


def first_time_at_desk(walk):
    """Of a clerk whose access the boss has begun anew."""
    clerk = people.DESK[1]["username"]
    walk.goes(f"/staff/operatori/{clerk}")
    walk.presses("Nuova password di primo accesso")
    given = walk.page.locator("main dd").all_inner_texts()
    boss = walk.page
    walk.opens("desk")
    walk.goes("/staff/login")
    walk.types("Utente", clerk)
    walk.types("Password", given[1])
    walk.presses("Login")
    walk.types("Nuova password", OWN_PASSWORD)
    walk.types("Conferma nuova password", OWN_PASSWORD)
    walk.presses("Conferma")
    walk.takes("sportello-telefono", "main", height=620)
    walk.types("Codice di 6 cifre", code_of(walk.page))
    walk.presses("Conferma")
    walk.page = boss


def code_of(page):
    """The code that a telephone shows for the key on the page."""
    key = re.sub(r"\s", "", page.locator("main dd").last.text_content())
    return pyotp.TOTP(key).at(world.NOW)


def morning(walk):
    walk.goes("/staff")
    walk.takes("sportello-oggi", "body", height=640)
    walk.goes("/staff/caricamenti")
    walk.goes("/staff/posta")


def customers(walk):
    walk.goes("/staff/clienti?cerca=prova")
    walk.takes("sportello-ricerca", height=460)
    walk.goes(f"/staff/clienti/{people.READY['code']}")
    walk.takes("sportello-scheda", height=760)
    walk.presses("Guarda come il cliente")
    walk.takes("sportello-vista", "body", height=420)
    walk.presses("Esci dalla vista")
    walk.goes(f"/staff/clienti/{people.NEWCOMER['code']}")
    walk.goes(f"/staff/clienti/{people.READY['code']}/cancellazione")


def readings_and_windows(walk):
    walk.goes("/staff/autoletture")
    walk.takes("sportello-autoletture", height=640)
    walk.goes("/staff/periodi")
    walk.follows("Stabilisci nuovi periodi")
    walk.follows("Gli ultimi giorni di ogni mese")
    fill_rule(walk)
    walk.presses("Anteprima")
    walk.takes("sportello-periodi", height=640)


def fill_rule(walk):
    for label in walk.page.locator("main form input:visible, main form select:visible").all():
        if label.get_attribute("type") == "number" and not label.input_value():
            label.fill("5")


def papers_of_desk(walk):
    walk.goes("/staff/documenti/nuovo")
    walk.types("Titolo", "Nuovi orari dello sportello")
    walk.types("Testo", "Dal primo dicembre lo sportello è aperto **anche il sabato**.")
    walk.takes("sportello-documento", height=760)
    for name in ("A chi è destinato", "Categoria"):
        walk.page.get_by_label(name, exact=True).select_option(index=1)
    walk.presses("Anteprima")
    walk.presses("Pubblica")


def queue(walk):
    walk.goes("/staff/ticket")
    walk.takes("sportello-coda", height=780)
    walk.page.locator("main tbody tr").first.get_by_role("link").first.click()
    walk.page.wait_for_load_state("networkidle")
    walk.takes("sportello-ticket", height=800)


def uploads_and_mail(walk):
    walk.goes("/staff/caricamenti")
    walk.takes("sportello-caricamenti", height=760)
    walk.page.get_by_role("link", name=re.compile("cessati")).first.click()
    walk.page.wait_for_load_state("networkidle")
    walk.looks()
    walk.goes("/staff/posta")
    walk.takes("sportello-posta", height=700)


def operators_and_register(walk):
    walk.goes("/staff/operatori")
    walk.goes("/staff/operatori/nuovo")
    walk.goes(f"/staff/operatori/{people.DESK[1]['username']}")
    walk.takes("sportello-operatore", height=640)
    walk.goes("/staff/registro")
    walk.takes("sportello-registro", height=700)


CHAPTERS = {
    "cliente/01-prima-di-cominciare": before_one_begins,
    "cliente/02-primo-accesso": first_access,
    "cliente/03-entrare-e-uscire": in_and_out,
    "cliente/04-una-pagina": a_page,
    "cliente/05-fatture": invoices,
    "cliente/06-autolettura": self_reading,
    "cliente/07-consumi": consumption,
    "cliente/08-fornitura": supply,
    "cliente/09-propri-dati": own_data,
    "cliente/10-ticket": tickets,
    "cliente/11-documenti": papers,
    "cliente/12-aiuto": help_needed,
    "sportello/01-entrare": enter_desk,
    "sportello/02-la-mattina": morning,
    "sportello/03-clienti": customers,
    "sportello/04-autoletture": readings_and_windows,
    "sportello/05-documenti": papers_of_desk,
    "sportello/06-ticket": queue,
    "sportello/07-caricamenti": uploads_and_mail,
    "sportello/08-operatori-e-registro": operators_and_register,
}


def run(folder):
    """Walk through all chapters; returns what is missing, as sentences."""
    missing = []
    with contextlib.ExitStack() as stack:
        data = stack.enter_context(tempfile.TemporaryDirectory())
        quiet = stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
        portal = stack.enter_context(world.running(Path(data) / "demo-data"))
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        stack.callback(browser.close)
        walk = Walk(browser, portal, folder)
        for chapter, steps in CHAPTERS.items():
            walk.seen.clear()
            steps(walk)
            missing += unseen(chapter, walk.seen)
        missing += amiss(walk.taken)
        del quiet
    return missing


def unseen(chapter, seen):
    """The labels of a chapter that are on none of the pages it went through."""
    source = (rendering.SOURCES / f"{chapter}.md").read_text("utf-8")
    for label in sorted(rendering.labels(source)):
        if not any(label in words for words in seen):
            yield f"{chapter}: «{label}» non si legge in nessuna delle sue pagine"


def amiss(taken):
    """Pictures that the guide shows and nobody takes, or the other way round."""
    shown = rendering.pictures()
    yield from (f"{name}: nessuno la fotografa" for name in sorted(shown - {*taken}))
    yield from (f"{name}: la guida non la mostra" for name in sorted({*taken} - shown))


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.guide.pictures")
    parser.add_argument("--into", type=Path, default=rendering.PICTURES)
    folder = parser.parse_args().into
    folder.mkdir(parents=True, exist_ok=True)
    if missing := run(folder):
        sys.exit("\n".join(missing))


if __name__ == "__main__":
    main()
