"""«Operatori», as an administrator meets it."""

import re

import pytest

from domain.clock import utcnow
from models import Operator, OperatorSession, RecoveryCode, RegisterEntry
from tests.factories import PASSWORD, make_operator
from tests.pages import text_of

NEW = {
    "username": "m.verdi",
    "name": "Mara Verdi",
    "email": "mara@example.it",
    "role": "operator",
}


@pytest.fixture
def administrator(app):
    return make_operator("administrator", username="capo", name="Capo Sportello")


@pytest.fixture
def browser(sign_in_operator, administrator):
    return sign_in_operator(administrator)


def entries():
    rows = RegisterEntry.select().order_by(RegisterEntry.number)
    return [(row.operator, row.kind) for row in rows]


def first_password(page):
    return re.search(r"\w{4}-\w{4}-\w{4}-\w{4}", text_of(page))[0]


def test_the_list_shows_who_works_at_the_desk(browser):
    make_operator(name="Anna Bianchi", disabled_at=utcnow())
    make_operator(name="Luca Neri", totp_since=None)
    page = text_of(browser.get("/staff/operatori").text)
    assert "Capo Sportello capo Amministratore" in page
    assert page.index("Luca Neri") < page.index("Anna Bianchi")
    assert "Primo accesso da fare" in page
    assert "Disabilitato" in page


def test_its_queries_do_not_grow(browser, count_queries):
    with count_queries() as few:
        browser.get("/staff/operatori")
    for _n in range(10):
        make_operator()
    with count_queries() as many:
        browser.get("/staff/operatori")
    assert len(many) == len(few)


def test_only_administrators_find_it_in_the_menu(browser, sign_in_operator):
    assert 'href="/staff/operatori"' in browser.get("/staff").text
    assert 'href="/staff/operatori"' not in sign_in_operator(make_operator()).get("/staff").text


def test_a_new_operator_gets_a_first_password_that_is_shown_once(app, browser):
    answer = browser.post("/staff/operatori/nuovo", data=NEW)
    password = first_password(answer.text)
    made = Operator.get(username="m.verdi")
    assert (made.name, made.email, made.role) == ("Mara Verdi", "mara@example.it", "operator")
    assert entries() == [("capo", "operator_created")]
    assert password not in str(list(RegisterEntry.select().dicts()))
    newcomer = app.test_client()
    newcomer.post("/staff/login", data={"username": "m.verdi", "password": password})
    assert newcomer.get("/staff").location == "/staff/password"
    assert password not in browser.get("/staff/operatori/m.verdi").text


def test_the_same_user_name_twice_is_refused(browser):
    browser.post("/staff/operatori/nuovo", data=NEW)
    answer = browser.post("/staff/operatori/nuovo", data=NEW)
    assert answer.status_code == 422
    assert "C&#39;è già un operatore con questo utente" in answer.text
    assert Operator.select().count() == 2
    assert len(entries()) == 1


@pytest.mark.parametrize(
    "bad",
    [
        {"username": ""},
        {"username": "1"},
        {"username": "mara\x00"},
        {"name": ""},
        {"name": "x" * 101},
        {"email": "mara"},
        {"role": "king"},
        {"role": ""},
    ],
)
def test_a_form_with_a_slip_creates_nobody(browser, bad):
    answer = browser.post("/staff/operatori/nuovo", data=NEW | bad)
    assert answer.status_code == 422
    assert "invalid-feedback" in answer.text
    assert Operator.select().count() == 1
    assert entries() == []


def test_a_role_changes(browser):
    operator = make_operator(username="anna")
    answer = browser.post("/staff/operatori/anna/ruolo", data={"role": "administrator"})
    assert answer.location == "/staff/operatori/anna"
    assert Operator.get_by_id(operator.id).role == "administrator"
    assert entries() == [("capo", "operator_role_changed")]
    assert browser.post("/staff/operatori/anna/ruolo", data={"role": "king"}).status_code == 422


def test_the_last_administrator_cannot_go(browser, administrator):
    answer = browser.post("/staff/operatori/capo/ruolo", data={"role": "operator"})
    assert answer.status_code == 422
    assert "unico amministratore" in answer.text
    answer = browser.post("/staff/operatori/capo/disabilita", follow_redirects=True)
    assert "unico amministratore" in answer.text
    assert Operator.get_by_id(administrator.id).role == "administrator"
    assert entries() == []


def test_a_disabled_operator_is_out_and_can_come_back(browser, sign_in_operator):
    operator = make_operator(username="anna")
    hers = sign_in_operator(operator)
    for _twice in range(2):
        answer = browser.post("/staff/operatori/anna/disabilita", follow_redirects=True)
    assert "Riabilita" in answer.text
    assert hers.get("/staff").location == "/staff/login"
    answer = hers.post("/staff/login", data={"username": "anna", "password": PASSWORD})
    assert "Utente o password non corretti." in answer.text
    browser.post("/staff/operatori/anna/riabilita")
    answer = hers.post("/staff/login", data={"username": "anna", "password": PASSWORD})
    assert answer.location == "/staff"


def test_a_reset_gives_a_new_first_password(browser, sign_in_operator):
    operator = make_operator(username="anna")
    RecoveryCode.create(operator=operator, digest="x")
    hers = sign_in_operator(operator)
    password = first_password(browser.post("/staff/operatori/anna/azzera").text)
    assert hers.get("/staff").location == "/staff/login"
    hers.post("/staff/login", data={"username": "anna", "password": password})
    assert hers.get("/staff").location == "/staff/password"
    assert not RecoveryCode.select().exists()
    assert entries() == [("capo", "operator_reset")]


def test_the_sessions_of_another_can_be_closed(browser, sign_in_operator):
    hers = sign_in_operator(make_operator(username="anna"))
    browser.post("/staff/operatori/anna/accessi")
    assert hers.get("/staff").location == "/staff/login"
    assert OperatorSession.select().count() == 1
    assert entries() == [("capo", "operator_sessions_closed")]


@pytest.mark.parametrize("name", ["nessuno", "%00", "a" * 300, "-1"])
def test_who_is_not_there_is_not_found(browser, name):
    assert browser.get(f"/staff/operatori/{name}").status_code == 404
    assert browser.post(f"/staff/operatori/{name}/azzera").status_code == 404
