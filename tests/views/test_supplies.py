"""«Dati Tecnici» and «Dati Contrattuali» as a customer reads them."""

import datetime as dt
import re
from decimal import Decimal

import pytest

from domain.clock import rome_day, utcnow
from models import SupplyPoint
from tests.factories import (
    make_account,
    make_contract,
    make_customer,
    make_electricity,
    make_gas,
)

TECHNICAL = "/forniture/PR000001/dati-tecnici"
CONTRACTS = "/forniture/PR000001/contratti"
TODAY = rome_day(utcnow())


def days(number):
    return TODAY + dt.timedelta(days=number)


def facts(page):
    """{label: value} of the lists of facts, without explanations."""
    pairs = re.findall(r"<dt>(.*?)</dt><dd>(.*?)(?:<span class=\"explained\">.*?)?</dd>", page)
    return dict(pairs)


def headings(page):
    return re.findall(r"<h2>(.*?)</h2>", page.split("<main")[1])


# -- Dati Tecnici --------------------------------------------------------------------------


def test_everything_known_of_a_gas_supply(browser, supply):
    SupplyPoint.update(
        active_from=dt.date(2020, 1, 2), annual_use=12345, meter_class="G25", digits=6,
        coefficient_c=Decimal("1.027000"), has_corrector=True, corrector_digits=7,
        corrector_serial="VC1", remi="34990000", use_category="c3", distributor="RETI S.P.A.",
        distributor_vat="09999010979", meter_serial="M1", pdr="00881234567890",
    ).execute()  # fmt: skip
    page = browser.get(TECHNICAL).text
    assert facts(page) == {
        "Codice fornitura": "PR000001",
        "Servizio": "Gas",
        "PDR": "00881234567890",
        "Indirizzo": "VIA PROVA 5 - 48124 RAVENNA (RA)",
        "Attiva dal": "02/01/2020",
        "Consumo annuo": "12.345 Smc",
        "Categoria d&#39;uso": "c3 – riscaldamento, cottura di cibi e acqua calda",
        "Matricola": "M1",
        "Classe del misuratore": "G25",
        "Cifre del contatore": "6",
        "Coefficiente C": "1,027",
        "Correttore di volumi": "presente",
        "Matricola del correttore": "VC1",
        "Cifre del correttore": "7",
        "Distributore": "RETI S.P.A.",
        "Partita IVA del distributore": "09999010979",
        "REMI": "34990000",
    }
    assert "Potenza e tensione" not in headings(page)


def test_everything_known_of_an_electricity_supply(browser, customer):
    make_electricity(
        customer, code="PR000002", pod="IT001E00000001", committed_power_kw=Decimal("3.000"),
        available_power_kw=Decimal("3.300"), voltage_v=230, phases="monofase", meter_type="2G",
        annual_use=0, ended_on=dt.date(2024, 12, 31),
    )  # fmt: skip
    page = browser.get("/forniture/PR000002/dati-tecnici").text
    told = facts(page)
    assert told["POD"] == "IT001E00000001"
    assert told["Potenza impegnata"] == "3 kW"
    assert told["Potenza disponibile"] == "3,3 kW"
    assert told["Tensione"] == "230 V"
    assert (told["Fasi"], told["Tipo di misuratore"]) == ("monofase", "2G")
    assert (told["Consumo annuo"], told["Cessata il"]) == ("0 kWh", "31/12/2024")
    assert "PDR" not in told
    assert "Correttore" not in headings(page)


def test_only_what_is_known_is_told(browser, customer):
    make_electricity(customer, code="PR000002")
    page = browser.get("/forniture/PR000002/dati-tecnici").text
    assert headings(page) == ["Punto di fornitura"]
    assert set(facts(page)) == {"Codice fornitura", "Servizio", "POD", "Indirizzo"}


def test_whom_to_tell_of_a_mistake(app, browser):
    app.config["UTILITY_CONTACTS"] = "telefono 0574 000000"
    for path in (TECHNICAL, CONTRACTS):
        page = browser.get(path).text
        assert 'href="/forniture/PR000001/ticket/nuovo"' in page
        assert "Per correggere questi dati rivolgersi a Prova Energia." in page
        assert "telefono 0574 000000." in page


@pytest.mark.parametrize("page", ["dati-tecnici", "contratti"])
def test_a_customer_without_supplies_is_told(sign_in, page):
    browser = sign_in(make_account(make_customer()))
    answer = browser.get(f"/forniture/-/{page}")
    assert answer.status_code == 200
    assert "non è ancora collegata nessuna fornitura" in answer.text


@pytest.mark.parametrize("path", [TECHNICAL, CONTRACTS])
def test_only_its_customer_sees_it(client, stranger, supply, path):
    assert client.get(path).location.startswith("/login")
    assert stranger.get(path).status_code == 404
    assert stranger.get(path.replace("PR000001", "PR999999")).status_code == 404


@pytest.mark.parametrize("page", ["dati-tecnici", "contratti"])
def test_row_13_hostile_text_is_shown_as_typed(browser, supply, page):
    payload = "<script>alert(1)</script>"
    SupplyPoint.update(distributor=payload, remi=payload[:40], use_category=payload).execute()
    make_contract(supply, days(-9), offer=payload, masked_iban="<b>x</b>", use=payload)
    text = browser.get(f"/forniture/PR000001/{page}").text
    assert "<script>alert" not in text
    assert "<b>x" not in text
    assert "&lt;script&gt;" in text


# -- Dati Contrattuali ---------------------------------------------------------------------


def test_the_contract_in_force_comes_first_and_says_so(browser, supply):
    make_contract(supply, days(-900), days(-401), offer="VECCHIA", code="C1")
    make_contract(supply, days(31), offer="FUTURA", code="C3")
    make_contract(
        supply, days(-400), days(30), offer="GAS SERENO", code="C2", market="libero",
        use="domestico", price_type="fisso", billing_period="bimestrale",
        payment_method="addebito in conto", masked_iban="IT60*******************3456",
        deposit_cents=7700,
    )  # fmt: skip
    page = browser.get(CONTRACTS).text
    assert page.index("In vigore oggi") < page.index("FUTURA") < page.index("VECCHIA")
    assert page.count("In vigore oggi") == 1
    current = page[page.index("Contratto attuale") : page.index("Prossimo contratto")]
    assert facts(current) == {
        "Offerta": "GAS SERENO",
        "Codice contratto": "C2",
        "Mercato": "libero",
        "Uso": "domestico",
        "Decorrenza": f"{days(-400):%d/%m/%Y}",
        "Scadenza del contratto": f"{days(30):%d/%m/%Y}",
        "Tipo di prezzo": "fisso",
        "Periodicità di fatturazione": "bimestrale",
        "Modalità di pagamento": "addebito in conto",
        "IBAN": "IT60 … 3456",
        "Deposito cauzionale": "77,00\N{NO-BREAK SPACE}€",
    }
    assert f"Dal {days(31):%d/%m/%Y}" in page
    past = re.search(r"<details class=\"fold\">(.*?)</details>", page, re.S)[1]
    assert facts(past)["Offerta"] == "VECCHIA"


def test_a_contract_without_end_says_so(browser, supply):
    make_contract(supply, days(-400))
    assert facts(browser.get(CONTRACTS).text)["Scadenza del contratto"] == "senza scadenza"


def test_no_contracts_at_all(browser):
    assert "Non risultano ancora contratti per questa fornitura." in browser.get(CONTRACTS).text


def test_none_in_force_today(browser, supply):
    make_contract(supply, days(-9), days(-1))
    page = browser.get(CONTRACTS).text
    assert "Oggi non risulta nessun contratto in vigore" in page
    assert "In vigore oggi" not in page


def test_an_ended_supply_has_no_contract_in_force(browser, customer):
    supply = make_gas(customer, code="PR000003", ended_on=days(-30))
    make_contract(supply, days(-400), offer="DI ALLORA")
    page = browser.get("/forniture/PR000003/contratti").text
    assert f"La fornitura è cessata il {days(-30):%d/%m/%Y}" in page
    assert "In vigore oggi" not in page
    assert "DI ALLORA" in page


def test_a_former_customers_contracts_are_not_shown(browser, supply):
    SupplyPoint.update(active_from=days(-50)).execute()
    make_contract(supply, days(-300), days(-51), offer="DI UN ALTRO", masked_iban="IT99*9999")
    page = browser.get(CONTRACTS).text
    assert "DI UN ALTRO" not in page
    assert "9999" not in page


@pytest.mark.parametrize("path", [TECHNICAL, CONTRACTS])
def test_the_page_costs_few_queries_however_many_contracts(browser, supply, path, count_queries):
    counts = []
    for more in (1, 30):
        for place in range(more):
            make_contract(supply, days(-place))
        browser.get(path)
        with count_queries() as queries:
            browser.get(path)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 4
