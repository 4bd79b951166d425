"""Who acts under a mandate: each route opens as its scope says, and for its supplies alone.

The walks are generated from the routes: one that tests/security/mandates.py is not told of fails.
"""

import datetime as dt

import pytest

from domain import sessions
from domain.clock import rome_day, utcnow
from models import Account, Customer, Event, Mandate, SelfReading, SupplyPoint, TicketMessage
from tests.factories import (
    make_account,
    make_customer,
    make_delegate,
    make_electricity,
    make_gas,
    make_invoice,
    make_mandate,
    make_self_reading,
    make_ticket,
    make_window,
)
from tests.pages import PARTIAL
from tests.security import mandates
from tests.security.mandates import EVERYTHING, INVOICES, NO_SUPPLY, Giver, is_open, least
from tests.security.owners import FOR_ALL, address, own_values, routes
from tests.security.routes import UNSAFE, archive

SCOPES = (INVOICES, EVERYTHING)


@pytest.fixture
def giver(app):
    make_window()
    return Giver(app)


@pytest.fixture
def delegate():
    return make_delegate()


def walked(app, *methods):
    return [(rule, method) for rule, method in routes(app, *methods) if least(rule) != NO_SUPPLY]


def kinds_of(rule, giver):
    """The values of an address for each kind of supply that the route may be asked for."""
    values = own_values(rule, giver)
    yield values
    if values == {"supply_code": giver.gas.code}:
        yield {"supply_code": giver.electricity.code}


def test_row_09_every_route_says_which_scope_opens_it(app):
    found = {rule.endpoint for rule, _method in routes(app, "GET", *UNSAFE) if least(rule)}
    assert found == set(mandates.LEAST)


@pytest.mark.parametrize("scope", SCOPES)
def test_row_09_a_mandate_opens_what_its_scope_says_and_nothing_else(
    app, giver, delegate, sign_in, scope
):
    make_mandate(giver.customer, giver.gas, giver.electricity, account=delegate, scope=scope)
    for rule, method in walked(app, "GET", *UNSAFE):
        for values in kinds_of(rule, giver):
            path = address(app, rule, values)
            before = None if is_open(rule, scope) or method == "GET" else archive()
            answer = sign_in(delegate).open(path, method=method)
            if is_open(rule, scope):
                assert answer.status_code not in {401, 403, 404}, (path, answer.status_code)
                assert "/login" not in (answer.location or ""), path
            else:
                assert answer.status_code == 403, path
                assert giver.customer.tax_code not in answer.text.split()
            if before:
                assert unchanged(before, archive()), path


def unchanged(before, after):
    """Whether nothing is stored but a session and that the mandate was used."""
    ignored = {sessions.Session, Mandate, Event, Account}
    return all(before[table] == after[table] for table in before if table not in ignored)


@pytest.mark.parametrize("scope", SCOPES)
def test_row_09_what_a_mandate_is_not_for_equals_what_does_not_exist(
    app, giver, delegate, sign_in, scope
):
    make_mandate(giver.customer, giver.electricity, account=delegate, scope=scope)
    others = {
        "not entrusted": giver.gas.code,
        "of nobody's mandate": make_gas(make_customer()).code,
        "missing": "PR999999",
    }
    browser = sign_in(delegate)
    for rule, method in walked(app, "GET", *UNSAFE):
        values = own_values(rule, giver)
        seen = set()
        for code in others.values():
            path = address(app, rule, values | {"supply_code": code, "fornitura": code})
            answer = browser.open(path, method=method, headers=PARTIAL)
            lines = [line for line in answer.text.splitlines() if "csrf_token" not in line]
            seen.add((answer.status_code, "\n".join(lines)))
        assert [status for status, _text in seen] == [404], rule


def test_row_09_things_of_other_supplies_are_not_reached_through_an_entrusted_one(
    app, giver, delegate, sign_in
):
    make_mandate(giver.customer, giver.electricity, account=delegate)
    browser = sign_in(delegate)
    for rule, method in walked(app, "GET", *UNSAFE):
        values = own_values(rule, giver)
        if values.keys() == {"supply_code"} or values["supply_code"] == giver.electricity.code:
            continue
        if rule.endpoint in FOR_ALL or not is_open(rule, EVERYTHING):
            continue
        if rule.endpoint in {"frame.choose", "invoices.as_zip"}:  # they pass over it: see below
            continue
        path = address(app, rule, values | {"supply_code": giver.electricity.code})
        assert browser.open(path, method=method).status_code == 404, path
    zipped = f"/forniture/{giver.electricity.code}/fatture/zip?id={giver.invoice().id}"
    assert browser.get(zipped).location == f"/forniture/{giver.electricity.code}/fatture"


def test_row_09_a_delegate_sees_no_invoice_that_concerns_another_supply(
    app, giver, delegate, sign_in
):
    other = make_gas(giver.customer)
    mandate = make_mandate(giver.customer, giver.gas, account=delegate, scope=INVOICES)
    make_invoice(giver.customer, giver.gas, number="SOLA-1")
    make_invoice(giver.customer, giver.gas, other, number="DUE-2")
    make_invoice(giver.customer, number="TUTTE-3")
    page = f"/forniture/{giver.gas.code}/fatture"
    seen = sign_in(delegate).get(page).text
    assert "SOLA-1" in seen
    assert "DUE-2" not in seen
    assert "TUTTE-3" not in seen
    assert all(number in sign_in(giver.account).get(page).text for number in ("DUE-2", "TUTTE-3"))
    mandate.delete_instance()
    make_mandate(
        giver.customer, giver.gas, giver.electricity, other, account=delegate, scope=INVOICES
    )
    seen = sign_in(delegate).get(page).text
    assert "DUE-2" in seen
    assert "TUTTE-3" in seen


def test_row_09_a_delegate_sees_no_ticket_of_the_customer_alone(app, giver, delegate, sign_in):
    make_mandate(giver.customer, giver.gas, account=delegate)
    private = make_ticket(giver.customer, subject="Questione privata", state="answered")
    about = make_ticket(giver.customer, supply=giver.gas, subject="Sulla fornitura")
    here = f"/forniture/{giver.gas.code}"
    browser = sign_in(delegate)
    listed = browser.get(f"{here}/ticket").text
    assert about.subject in listed
    assert private.subject not in listed
    assert private.subject not in browser.get(f"{here}/home").text
    assert browser.get(f"{here}/ticket/{private.code}").status_code == 404


def test_row_09_a_supply_that_changed_hands_leaves_the_mandate(app, giver, delegate, sign_in):
    make_mandate(giver.customer, giver.gas, giver.electricity, account=delegate)
    make_self_reading(giver.gas, dt.date(2026, 1, 5), 100)
    browser = sign_in(delegate)
    page = f"/forniture/{giver.gas.code}/autolettura"
    assert browser.get(page).status_code == 200
    SupplyPoint.update(customer=make_customer()).where(SupplyPoint.id == giver.gas).execute()
    assert browser.get(page).status_code == 404
    assert browser.get(f"/forniture/{giver.electricity.code}/home").status_code == 200
    assert giver.gas.code not in browser.get(f"/forniture/{giver.electricity.code}/home").text


# -- The end -------------------------------------------------------------------------------

ENDS = {
    "revoked": lambda giver: Mandate.update(ended_at=utcnow(), ended_by="customer").execute(),
    "over": lambda giver: Mandate.update(
        ends_on=rome_day(utcnow()) - dt.timedelta(days=1)
    ).execute(),
    "never accepted": lambda giver: Mandate.update(accepted_at=None).execute(),
    "customer disabled": lambda giver: (
        Account.update(disabled_at=utcnow()).where(Account.id == giver.account).execute()
    ),
    "customer erased": lambda giver: (
        Customer.update(erased_at=utcnow()).where(Customer.id == giver.customer).execute()
    ),
}


@pytest.mark.parametrize("how", ENDS)
def test_row_07_the_end_of_a_mandate_counts_at_the_next_request(app, giver, delegate, sign_in, how):
    make_mandate(giver.customer, giver.gas, account=delegate)
    browser, here = sign_in(delegate), f"/forniture/{giver.gas.code}"
    download = f"{here}/fatture/{giver.invoice().id}/pdf"
    assert browser.get(download).status_code == 200
    ENDS[how](giver)
    assert browser.get(download).status_code == 404
    assert browser.get(f"{here}/home").status_code == 404
    assert browser.post(f"{here}/autolettura/nuova", data={"counter": "10"}).status_code == 404
    assert not SelfReading.select().exists()
    assert browser.get("/").location == "/deleghe"
    assert browser.get("/deleghe").status_code == 200


def test_row_07_the_last_day_of_a_mandate_is_the_one_in_rome(app, giver, delegate):
    from domain import mandates as rules

    make_mandate(giver.customer, giver.gas, account=delegate, ends_on=dt.date(2026, 7, 31))
    last_minute = dt.datetime(2026, 7, 31, 21, 59, tzinfo=dt.UTC)
    assert rules.in_force(delegate.id, now=last_minute)
    assert not rules.in_force(delegate.id, now=last_minute + dt.timedelta(minutes=1))


# -- What it leaves ------------------------------------------------------------------------


def test_row_09_the_view_of_an_operator_has_no_mandates(app, giver, sign_in_operator):
    """Who looks as a customer looks at that customer alone."""
    from tests.factories import make_operator

    viewed = Giver(app)
    make_mandate(giver.customer, giver.gas, account=viewed.account)
    browser = sign_in_operator(make_operator())
    browser.post(f"/staff/clienti/{viewed.customer.code}/accessi/{viewed.account.id}/vista")
    assert browser.get(f"/forniture/{viewed.gas.code}/home").status_code == 200
    assert browser.get(f"/forniture/{giver.gas.code}/home").status_code == 404
    assert "Si agisce per" not in browser.get(f"/forniture/{viewed.gas.code}/home").text


def test_row_09_a_delegate_never_asks_to_change_data(app, giver, delegate, sign_in):
    make_mandate(giver.customer, giver.gas, account=delegate)
    browser, page = sign_in(delegate), f"/forniture/{giver.gas.code}/ticket/nuovo"
    asked = {"category": "data_change", "subject": "Cambio", "text": "Nuovo indirizzo"}
    assert browser.post(page, data=asked).status_code == 422
    assert not TicketMessage.select().exists()


def test_a_page_of_who_has_no_mandate_costs_no_query_more(giver, sign_in, count_queries):
    browser = sign_in(giver.account)
    with count_queries() as queries:
        browser.get(f"/forniture/{giver.gas.code}/fatture")
    assert not [sql for sql in queries if "mandate_supply" in sql]
    assert len(queries) <= 4


def test_the_queries_of_a_delegate_do_not_grow_with_the_mandates(
    app, delegate, sign_in, count_queries
):
    givers = [Giver(app) for _n in range(3)]
    browser, counts = sign_in(delegate), []
    for giver in givers:
        make_account(giver.customer, username=f"secondo {giver.gas.id}")
        make_mandate(giver.customer, giver.gas, make_electricity(giver.customer), account=delegate)
        browser.get(f"/forniture/{giver.gas.code}/fatture")  # the first use of the day is noted
        with count_queries() as queries:
            assert browser.get(f"/forniture/{givers[0].gas.code}/fatture").status_code == 200
        counts.append(len(queries))
    assert len(set(counts)) == 1
    assert counts[0] <= 6
