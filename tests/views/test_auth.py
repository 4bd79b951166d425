"""Getting in, as a customer meets it."""

import datetime as dt
import re

import pytest

from domain import credentials
from domain.clock import utcnow
from models import Account, Customer, Grant, OutgoingMail, Session
from tests.factories import PASSWORD, make_account, make_customer, make_gas

STRONG = "lampada fiume orologio tramonto"
VAT = "01114601006"


@pytest.fixture
def secret_of(app):
    """`secret_of(account)`: the secret of a mail that account just got."""

    def _secret_of(account, lifetime=credentials.RECOVERY, now=None):
        key = credentials.key(app.secret_key)
        return credentials.issue(account, now=now or utcnow(), key=key, lifetime=lifetime)

    return _secret_of


def sign_in(browser, username, password, **more):
    return browser.post("/login", data={"username": username, "password": password, **more})


def is_inside(browser):
    return browser.get("/").location.startswith("/forniture/")


def mails(kind):
    return [row.recipient for row in OutgoingMail.select().where(OutgoingMail.kind == kind)]


# -- Autenticazione ------------------------------------------------------------------------


def test_the_login_page_is_the_guides(client):
    page = client.get("/login").text
    assert "<h1>Autenticazione</h1>" in page
    assert '<label class="form-label" for="username">User</label>' in page
    assert '<label class="form-label" for="password">Password</label>' in page
    assert '<button class="btn btn-primary">Login</button>' in page
    assert ">Annulla</a>" in page
    assert '<a href="/registrazione">Sei un cliente e vuoi registrarti</a>' in page
    assert '<a href="/password-dimenticata">Hai dimenticato la Password ?</a>' in page
    username = re.search(r"<input[^>]*name=\"username\"[^>]*>", page).group()
    password = re.search(r"<input[^>]*name=\"password\"[^>]*>", page).group()
    assert 'autocomplete="username"' in username
    assert 'inputmode="numeric"' in username
    assert 'autocomplete="current-password"' in password


def test_a_customer_gets_in_with_code_and_password(client):
    customer = make_customer(name="PROVA S.P.A.")
    make_gas(customer, code="PR000001")
    account = make_account(customer)
    answer = sign_in(client, account.username, PASSWORD)
    assert (answer.status_code, answer.location) == (303, "/")
    assert client.get("/").location == "/forniture/PR000001/home"
    assert Account.get_by_id(account.id).last_access_at is not None


def test_the_cursor_waits_where_something_is_missing(client):
    for username, waits in (("", "username"), (make_account().username, "password")):
        page = sign_in(client, username, "").text
        assert re.findall(r"<input[^>]*autofocus[^>]*>", page) == re.findall(
            rf'<input[^>]*name="{waits}"[^>]*>', page
        )


def test_blanks_around_the_code_do_not_matter(client):
    account = make_account()
    assert sign_in(client, f" {account.username} ", PASSWORD).status_code == 303


def test_a_wrong_password_is_refused_and_the_code_kept(client):
    account = make_account()
    answer = sign_in(client, account.username, "non-è-questa")
    page = answer.text
    assert answer.status_code == 422
    assert "Codice cliente o password non corretti." in page
    assert f'value="{account.username}"' in page
    assert "non-è-questa" not in page
    assert Session.select().count() == 0


@pytest.mark.parametrize("case", ["unknown", "no password yet", "disabled"])
def test_whoever_cannot_get_in_reads_the_same_sentence(client, case):
    username = "999999"
    if case == "no password yet":
        username = make_account(password=False).username
    elif case == "disabled":
        username = make_account(disabled_at=utcnow()).username
    answer = sign_in(client, username, PASSWORD)
    assert answer.status_code == 422
    assert "Codice cliente o password non corretti." in answer.text


def test_what_is_missing_is_said_beside_the_field(client):
    page = sign_in(client, "", "").text
    assert '<div class="invalid-feedback" id="username-error">Inserire il codice cliente.' in page
    assert '<div class="invalid-feedback" id="password-error">Inserire la password.' in page


def test_after_login_the_page_asked_for_opens(client):
    customer = make_customer()
    make_gas(customer, code="PR000001")
    account = make_account(customer)
    asked = client.get("/forniture/PR000001/home")
    assert asked.location == "/login?next=%2Fforniture%2FPR000001%2Fhome"
    page = client.get(asked.location).text
    assert 'name="next" type="hidden" value="/forniture/PR000001/home"' in page
    answer = sign_in(client, account.username, PASSWORD, next="/forniture/PR000001/home")
    assert answer.location == "/forniture/PR000001/home"


def test_whoever_is_inside_is_not_asked_again(sign_in):
    assert sign_in(make_account()).get("/login").location == "/"


# -- logout --------------------------------------------------------------------------------


def test_logout_ends_the_session(client):
    account = make_account()
    sign_in(client, account.username, PASSWORD)
    answer = client.post("/logout")
    assert (answer.status_code, answer.location) == (303, "/login")
    assert client.get("/").location == "/login"
    assert Session.select().count() == 0
    assert "Uscita effettuata." in client.get("/login").text


def test_logout_twice_or_by_nobody_shows_the_login(client):
    assert client.post("/logout").location == "/login"
    assert client.post("/logout").location == "/login"


# -- Registrazione nuovo utente ------------------------------------------------------------


def ask(browser, code, tax_id):
    return browser.post("/registrazione", data={"code": code, "tax_id": tax_id})


def confirm(browser, email, **more):
    return browser.post("/registrazione/conferma", data={"email": email, **more})


def test_a_customer_registers_in_two_steps(client, secret_of):
    customer = make_customer(code="000002", name="PROVA S.P.A.", vat_number=VAT)
    page = client.get("/registrazione").text
    for label in ("Codice cliente presente in fattura", "Codice fiscale o partita IVA"):
        assert f">{label}</label>" in page
    assert "<h1>Registrazione nuovo utente</h1>" in page
    assert ">Conferma</button>" in page

    answer = ask(client, "000002", VAT)
    assert (answer.status_code, answer.location) == (303, "/registrazione/conferma")
    page = client.get("/registrazione/conferma").text
    for text in (
        "<h1>Conferma registrazione</h1>",
        "<dt>Codice cliente</dt>",
        "<dd>000002</dd>",
        "<dt>Denominazione</dt>",
        "<dd>PROVA S.P.A.</dd>",
        "<dt>Residenza/Sede</dt>",
        "<dd>VIA DI PROVA 35 - 59100 PRATO (PO)</dd>",
        ">E-Mail</label>",
        "usa sempre questo indirizzo di posta elettronica",
        "Le credenziali di accesso saranno inviate alla e-mail indicata.",
        ">Salva</button>",
    ):
        assert text in page

    answer = confirm(client, "maria@example.it")
    assert (answer.status_code, answer.location) == (303, "/login")
    assert "Registrazione completata." in client.get("/login").text
    account = Account.get(Account.username == "000002")
    assert account.email == "maria@example.it"
    assert account.password_hash is None
    assert Grant.get().customer == customer
    assert mails("first_access") == ["maria@example.it"]
    assert Customer.get_by_id(customer.id).email is None

    sign_in(client, "000002", secret_of(account, credentials.FIRST_ACCESS))
    assert client.get("/").location == "/password"
    client.post("/password", data={"new_password": STRONG, "repeat_password": STRONG})
    assert is_inside(client)
    client.post("/logout")
    assert sign_in(client, "000002", STRONG).location == "/"


def test_the_address_may_become_the_contact_and_the_old_one_is_told(client):
    customer = make_customer(vat_number=VAT, email="vecchio@example.it")
    ask(client, customer.code, VAT)
    confirm(client, "nuovo@example.it", keep="y")
    assert Customer.get_by_id(customer.id).email == "nuovo@example.it"
    assert mails("first_access") == ["nuovo@example.it"]
    assert mails("registration_notice") == ["vecchio@example.it"]


def test_the_contact_address_is_not_shown_to_who_registers(client):
    customer = make_customer(vat_number=VAT, email="vecchio@example.it")
    ask(client, customer.code, VAT)
    assert "vecchio" not in client.get("/registrazione/conferma").text


def test_an_address_where_the_portal_is_tried_out_is_taken(client):
    customer = make_customer(vat_number=VAT)
    ask(client, customer.code, VAT)
    assert confirm(client, "maria@example.test").location == "/login"
    assert mails("first_access") == ["maria@example.test"]


@pytest.mark.parametrize("case", ["unknown code", "wrong number", "registered"])
def test_a_refused_registration_reads_the_same(client, case):
    customer = make_customer(code="000002", vat_number=VAT)
    if case == "registered":
        make_account(customer, email="padrone@example.it")
    code = "000003" if case == "unknown code" else "000002"
    number = "00000000000" if case == "wrong number" else VAT
    answer = ask(client, code, number)
    page = answer.text
    assert answer.status_code == 422
    assert "Con questi dati non è possibile registrarsi." in page
    assert f'value="{code}"' in page
    assert f'value="{number}"' in page
    told = ["padrone@example.it"] if case == "registered" else []
    assert mails("registration_attempt") == told
    assert client.get("/registrazione/conferma").location == "/registrazione"


def test_the_second_step_alone_leads_to_the_first(client):
    for answer in (client.get("/registrazione/conferma"), confirm(client, "x@example.it")):
        assert (answer.status_code, answer.location) == (303, "/registrazione")
    assert Account.select().count() == 0


def test_the_second_step_waits_half_an_hour(client, monkeypatch):
    customer = make_customer(vat_number=VAT)
    ask(client, customer.code, VAT)
    later = utcnow() + dt.timedelta(minutes=31)
    monkeypatch.setattr("views.auth.registration.utcnow", lambda: later)
    assert confirm(client, "maria@example.it").location == "/registrazione"
    assert "entro mezz&#39;ora" in client.get("/registrazione").text
    assert Account.select().count() == 0


@pytest.mark.parametrize(
    "email",
    ["", "maria", "maria@", "a@b@c.it", "maria@example.it\r\nBcc: x@x.it", "a" * 300 + "@x.it"],
)
def test_an_address_that_is_none_is_refused_and_kept(client, email):
    customer = make_customer(vat_number=VAT)
    ask(client, customer.code, VAT)
    answer = confirm(client, email)
    assert answer.status_code == 422
    assert 'id="email-error"' in answer.text
    assert Account.select().count() == OutgoingMail.select().count() == 0
    assert confirm(client, "maria@example.it").location == "/login"


def test_saving_twice_registers_once(client, app):
    customer = make_customer(vat_number=VAT)
    other = app.test_client()
    ask(client, customer.code, VAT)
    ask(other, customer.code, VAT)
    assert confirm(client, "maria@example.it").status_code == 303
    answer = confirm(other, "ladro@example.it")
    assert answer.status_code == 422
    assert "Con questi dati non è possibile registrarsi." in answer.text
    assert confirm(client, "maria@example.it").location == "/registrazione"
    assert mails("first_access") == ["maria@example.it"]


# -- Hai dimenticato la Password ? ---------------------------------------------------------


def recover(browser, code):
    return browser.post("/password-dimenticata", data={"code": code})


def test_a_new_password_comes_by_mail(client, secret_of):
    account = make_account(email="maria@example.it")
    page = client.get("/password-dimenticata").text
    assert ">Codice Cliente</label>" in page
    assert ">Conferma</button>" in page
    assert '<a class="btn btn-outline-secondary" href="/login">Annulla</a>' in page
    main = page.partition("<main")[2].partition("</main>")[0]
    assert main.count("<input") == 2  # the code, and the CSRF token

    answer = recover(client, account.username)
    assert (answer.status_code, answer.location) == (303, "/login")
    assert "Se il codice è di un cliente registrato" in client.get("/login").text
    assert mails("recovery") == ["maria@example.it"]

    secret = secret_of(account)
    sign_in(client, account.username, secret)
    client.post("/password", data={"new_password": STRONG, "repeat_password": STRONG})
    assert is_inside(client)
    assert mails("password_changed") == ["maria@example.it"]


def test_a_code_left_out_is_asked_for(client):
    answer = recover(client, " ")
    assert answer.status_code == 422
    assert "Inserire il codice cliente." in answer.text


# -- Cambio Password -----------------------------------------------------------------------


def test_after_a_mailed_secret_only_the_change_of_password_opens(client, secret_of):
    customer = make_customer()
    make_gas(customer, code="PR000001")
    account = make_account(customer)
    sign_in(client, account.username, secret_of(account))
    for path in ("/", "/forniture/PR000001/home", "/forniture/PR000001/password", "/forniture/-/x"):
        assert client.get(path).location == "/password"
        assert client.post(path).location == "/password"
    page = client.get("/password").text
    assert "<h1>Cambio Password</h1>" in page
    assert "Password attuale" not in page
    assert ">Conferma</button>" in page
    assert 'form="leave">Annulla</button>' in page
    assert "/forniture/PR000001" not in page  # menu and selector lead nowhere
    client.post("/logout")
    assert sign_in(client, account.username, PASSWORD).location == "/"


def test_the_change_ends_other_sessions_and_secrets(app, client, secret_of, sign_in):
    account = make_account()
    secret, other = secret_of(account), secret_of(account)
    elsewhere = sign_in(account)
    assert is_inside(elsewhere)
    client.post("/login", data={"username": account.username, "password": secret})
    assert is_inside(elsewhere)  # not before the password is changed
    client.post("/password", data={"new_password": STRONG, "repeat_password": STRONG})
    assert is_inside(client)
    assert elsewhere.get("/").location == "/login"
    late = app.test_client()
    answer = late.post("/login", data={"username": account.username, "password": other})
    assert answer.status_code == 422
    answer = late.post("/login", data={"username": account.username, "password": PASSWORD})
    assert answer.status_code == 422


@pytest.fixture
def inside(sign_in):
    """A signed-in browser, its account, and where its password is changed."""
    customer = make_customer(name="ROSSI MARIA", vat_number=VAT)
    make_gas(customer, code="PR000001")
    account = make_account(customer)
    return sign_in(account), account, "/forniture/PR000001/password"


def change(browser, path, current, new, repeated=None):
    return browser.post(
        path,
        data={"password": current, "new_password": new, "repeat_password": repeated or new},
    )


def test_the_password_can_be_changed_from_the_menu(inside, client, sign_in):
    browser, account, path = inside
    elsewhere = sign_in(account)
    page = browser.get(path).text
    assert ">Password attuale</label>" in page
    assert page.count('autocomplete="new-password"') == 2
    assert (
        '<a class="btn btn-outline-secondary" href="/forniture/PR000001/home">Annulla</a>' in page
    )
    assert '<select class="form-select" id="supply" name="fornitura" disabled>' in page
    assert 'class="entry" href' not in page  # the menu is inert
    answer = change(browser, path, PASSWORD, STRONG)
    assert (answer.status_code, answer.location) == (303, "/forniture/PR000001/home")
    assert is_inside(browser)
    assert elsewhere.get("/").location == "/login"
    assert (
        client.post("/login", data={"username": account.username, "password": STRONG}).location
        == "/"
    )
    assert mails("password_changed") == [account.email]


def test_the_password_in_use_is_asked_for(inside):
    browser, account, path = inside
    answer = change(browser, path, "un'altra", STRONG)
    assert answer.status_code == 422
    assert "La password attuale non è corretta." in answer.text
    assert STRONG not in answer.text
    assert Account.get_by_id(account.id).password_hash == account.password_hash


def test_the_password_in_use_can_be_guessed_ten_times(inside):
    browser, _account, path = inside
    answers = [change(browser, path, "un'altra", STRONG).status_code for _ in range(11)]
    assert answers == [422] * 10 + [429]
    answer = change(browser, path, PASSWORD, STRONG)
    assert answer.status_code == 429
    assert "Troppi tentativi. Riprovare tra 15 minuti." in answer.text


def test_the_new_password_is_typed_twice_alike(inside):
    browser, _account, path = inside
    answer = change(browser, path, PASSWORD, STRONG, STRONG + "!")
    assert answer.status_code == 422
    assert "Le due password non sono uguali" in answer.text


def test_the_change_of_password_is_not_for_others(inside, client, sign_in):
    _browser, _account, path = inside
    assert client.get(path).location.startswith("/login?next=")
    assert change(client, path, PASSWORD, STRONG).location == "/login"
    stranger = sign_in(make_account())
    assert stranger.get(path).status_code == 404
    assert change(stranger, path, PASSWORD, STRONG).status_code == 404


def test_without_a_mailed_secret_the_password_in_use_is_never_skipped(inside):
    browser, account, path = inside
    data = {"new_password": STRONG, "repeat_password": STRONG}
    assert browser.get("/password").location == path
    assert browser.post("/password", data=data).location == path
    assert Account.get_by_id(account.id).password_hash == account.password_hash


def test_a_customer_without_supplies_can_change_the_password(sign_in):
    browser = sign_in(make_account())
    answer = change(browser, "/forniture/-/password", PASSWORD, STRONG)
    assert answer.location == "/forniture/-/home"


def test_changing_twice_asks_for_the_password_that_is_now_in_use(inside):
    browser, _account, path = inside
    assert change(browser, path, PASSWORD, STRONG).status_code == 303
    assert change(browser, path, PASSWORD, STRONG).status_code == 422
    assert is_inside(browser)
