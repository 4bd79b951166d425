"""Script in whatever the import files hold stays text on every page."""

import csv
import datetime as dt
import io

import pytest
from playwright.sync_api import expect

from domain.clock import rome_day, utcnow
from domain.measures import count
from tests.browser.test_desk import Desk
from tests.browser.test_guide import OWN_PASSWORD, Guide

pytestmark = pytest.mark.browser

IMAGE = "<img src=x onerror=alert(1)>"
SCRIPT = "'\"><script>alert(2)</script>"
ATTRIBUTE = '" autofocus onfocus="alert(3)'
TEMPLATE = "{{ 7*7 }}<svg/onload=alert(4)>"
CODE, VAT_NUMBER = "000666", "90006660975"
PAGES = (
    "home", "fatture", "password", "autolettura", "autolettura/nuova", "autolettura/periodi",
    "anagrafica", "preferenze", "prelievi", "ticket", "dati-tecnici", "contratti", "misure",
    "documenti", "modulistica", "normative", "comunicati", "informazioni", "storico",
)  # fmt: skip
PAPERS = {
    "documenti": "personale", "modulistica": "modulistica", "normative": "normative",
    "comunicati": "comunicati", "informazioni": "informazioni",
}  # fmt: skip


def table(*rows):
    """Rows (dictionaries with the same keys) as the text of a CSV file."""
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0], delimiter=";", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def hostile_archive(today):
    place = {"via": IMAGE, "civico": "<b>1</b>", "cap": "59100", "comune": SCRIPT,
             "provincia": "PO"}  # fmt: skip
    return [
        ("clienti.csv", table({
            "codice_cliente": CODE, "denominazione": f"{IMAGE} {SCRIPT}",
            "partita_iva": VAT_NUMBER, **place, "telefono": ATTRIBUTE[:30],
        })),
        ("forniture.csv", table({
            "codice_fornitura": "PR666001", "codice_cliente": CODE, "servizio": "GAS",
            "pod_pdr": "00990000000666", **place, "matricola": "<u onclick=alert(5)>",
            "cifre": 5, "classe_misuratore": "G4", "distributore": ATTRIBUTE,
        })),
        ("contratti.csv", table({
            "codice_contratto": "C666", "codice_fornitura": "PR666001", "offerta": TEMPLATE,
            "decorrenza": today,
        })),
        ("fatture.csv", table({
            "numero": "</td><script>alert(6)</script>", "data": today, "codice_cliente": CODE,
            "codice_fornitura": "PR666001", "scadenza": today, "importo": "10,00",
            "stato": "da_pagare", "iban": "IT60X0542811101000000123456",
        })),
        ("letture.csv", table(*(
            {"codice_fornitura": "PR666001", "data": today - dt.timedelta(days=days),
             "contatore": 500 - days, "fonte": "<script>alert(7)", "matricola": SCRIPT}
            for days in (200, 100)
        ))),
        ("periodi.csv", table({
            "id": IMAGE, "dal": today, "dalle_ore": "00:00", "al": today, "alle_ore": "23:59",
        })),
    ]  # fmt: skip


def hostile_power(today):
    """A supply of electricity of the same customer, what was billed and measured, documents."""
    day = today - dt.timedelta(days=3)
    return [
        ("forniture_ee.csv", table({
            "codice_fornitura": "PR666002", "codice_cliente": CODE, "servizio": "EE",
            "pod_pdr": '<I>"POD\'', "via": IMAGE, "comune": SCRIPT, "fasi": "<b onclick=alert(8)>",
            "tipo_misuratore": TEMPLATE[:40], "distributore": IMAGE,
        })),
        ("contratti_ee.csv", table({
            "codice_contratto": SCRIPT, "codice_fornitura": "PR666002", "offerta": IMAGE,
            "mercato": SCRIPT, "uso": TEMPLATE, "decorrenza": day, "tipo_prezzo": IMAGE,
            "periodicita": ATTRIBUTE, "modalita_pagamento": IMAGE,
        })),
        ("prelievi.csv", table({
            "codice_fornitura": "PR666002", "dal": day, "al": today, "totale": 10, "unita": "kWh",
            "tipo": "stimato", "fattura": IMAGE,
        })),
        ("misure.csv", table({
            "pod": '<I>"POD\'', "data": day, "tipo": "S",
            **{f"q{number}": 100 + number for number in range(1, count(day) + 1)},
        })),
        ("documenti.csv", table(*(
            {"categoria": category, "titolo": f"{SCRIPT} {category}", "data": today,
             "testo": f"{IMAGE} {ATTRIBUTE} https://x/\"onclick=alert(9)//<{TEMPLATE}",
             "codice_cliente": CODE if category == "personale" else ""}
            for category in PAPERS.values()
        ))),
    ]  # fmt: skip


def look_at(page, path):
    """Open a page that names the customer at its top, and find no script of others in it.

    Once it is loaded every picture in it has come or failed; only curves ask for more.
    """
    page.goto(path, wait_until="networkidle" if path.endswith("/misure") else "load")
    expect(page.get_by_text(IMAGE).first).to_be_visible()
    find_no_script(page)


def find_no_script(page):
    assert page.locator("script:not([src]), [onerror], [onload], [onfocus]").count() == 0
    assert page.locator("[onclick], [href^='javascript:'], main svg[onload]").count() == 0
    assert page.locator("main img:not([src^='/guida/figure/'])").count() == 0


@pytest.mark.slow
def test_row_13_no_text_of_the_archive_is_executed(open_browser, portal):
    today = rome_day(utcnow())
    portal.load(hostile_archive(today))
    portal.load(hostile_power(today))
    page = open_browser()
    guide = Guide(page, CODE)
    page.goto("/registrazione")
    guide.fill("Codice cliente presente in fattura", CODE)
    guide.fill("Codice fiscale o partita IVA", VAT_NUMBER)
    guide.press("Conferma")
    guide.see(IMAGE)
    guide.fill("E-Mail", "tizio@posta.example")
    guide.press("Salva")
    mail = portal.next_mail()
    assert IMAGE not in mail.get_body(("html",)).get_content()
    guide.sign_in(mail.get_body(("plain",)).get_content().split("Password: ")[1].split()[0])
    guide.fill("Nuova password", OWN_PASSWORD)
    guide.fill("Conferma nuova password", OWN_PASSWORD)
    guide.press("Conferma")
    page.goto("/forniture/PR666001/preferenze")
    guide.fill("Nome della fornitura", SCRIPT)
    guide.press("Salva il nome")
    expect(page.get_by_role("combobox", name="Punto di fornitura")).to_contain_text(SCRIPT)
    for supply in ("PR666001", "PR666002"):
        for path in PAGES:
            look_at(page, f"/forniture/{supply}/{path}")
    page.goto("/forniture/PR666001/fatture")
    guide.see("</td><script>alert(6)</script>")
    guide.follow("Come pagare")
    expect(page.get_by_role("dialog", name="Dati per il pagamento")).to_contain_text("alert(6)")
    for path, category in PAPERS.items():
        look_at(page, f"/forniture/PR666002/{path}")
        guide.follow(f"{SCRIPT} {category}")
        expect(page.get_by_role("heading", level=1)).to_have_text(f"{SCRIPT} {category}")
        look_at(page, page.url)
        expect(page.locator("main")).to_contain_text(TEMPLATE)
    look_at(page, "/forniture/PR666002/ticket/nuovo")
    page.get_by_label("Categoria").select_option("Reclamo")
    guide.fill("Oggetto", IMAGE)
    guide.fill("Testo", f"{SCRIPT}\n{TEMPLATE}")
    name = "<img src=x onerror=alert(10)>.pdf"
    pdf = {"name": name, "mimeType": "text/html", "buffer": b"%PDF-1.4\n%%EOF\n"}
    page.get_by_label("Allegati").set_input_files(pdf)
    guide.press("Invia")
    for text in (IMAGE, SCRIPT, name):
        guide.see(text)
    look_at(page, page.url)
    for path in ("ticket", "storico", "home"):
        look_at(page, f"/forniture/PR666002/{path}")


@pytest.mark.slow
def test_row_13_nor_is_it_at_the_desk(open_browser, portal):
    """An operator of such a name writes, sends a file and opens whatever there is to open."""
    today = rome_day(utcnow())
    portal.load(hostile_archive(today))
    portal.load(hostile_power(today))
    desk = Desk(open_browser(), portal)
    page = desk.page
    told = portal.job(
        "create_operator", "--username", "m.rossi", "--name", SCRIPT, "--email", "m@posta.example"
    )  # fmt: skip
    desk.enrol(told)
    desk.sign_in()
    page.goto("/staff/ticket/risposte/nuova")
    desk.fill("Titolo", IMAGE)
    desk.fill("Testo", SCRIPT)
    desk.press("Salva")
    page.goto(f"/staff/ticket/nuovo?cliente={CODE}")
    page.get_by_label("Categoria").select_option("Reclamo")
    desk.fill("Oggetto", IMAGE)
    desk.fill("Testo", TEMPLATE)
    desk.press("Apri il ticket")
    desk.fill("Nota interna", SCRIPT)
    desk.press("Registra la nota")
    desk.see("Nota registrata")
    desk.send((f"clienti_{IMAGE}.csv", table({"codice_cliente": IMAGE, SCRIPT: TEMPLATE})))
    find_no_script(page)
    opened = crawl(page, "/staff", f"/staff/clienti/{CODE}", "/staff/clienti?cerca=onerror",
                   "/staff/autoletture?fornitura=PR666001")  # fmt: skip
    assert len(opened) > 25


NOT_PAGES = (".csv", ".txt", "/csv", "/pdf", ".pdf")


def crawl(page, *starts):
    """Open each page of the desk that a link leads to, once; return their paths."""
    opened, waiting = set(), list(starts)
    while waiting:
        address = waiting.pop()
        path = address.partition("#")[0].partition("?")[0]
        if path in opened or path.endswith(NOT_PAGES) or "/allegati/" in path:
            continue
        opened.add(path)
        page.goto(address)
        find_no_script(page)
        waiting += page.locator("a[href^='/staff']").evaluate_all(
            "links => links.map(each => each.getAttribute('href'))"
        )
    return opened
