"""Rows 1 and 2: a found invoice, and recovery asked for by others."""

from domain.clock import utcnow
from models import Account, Customer, MailedSecret, OutgoingMail
from tests.factories import PASSWORD, make_account, make_customer

VAT = "01114601006"


def test_row_01_a_registered_customer_cannot_be_registered_with_a_found_invoice(browser_at):
    customer = make_customer(vat_number=VAT, email="contatto@example.it")
    account = make_account(customer, email="padrone@example.it")
    before = list(Account.select().dicts()), list(Customer.select().dicts())
    stranger = browser_at("192.0.2.66")
    answer = stranger.post("/registrazione", data={"code": customer.code, "tax_id": VAT})
    assert answer.status_code == 422
    answer = stranger.post("/registrazione/conferma", data={"email": "ladro@example.it"})
    assert answer.location == "/registrazione"
    assert (list(Account.select().dicts()), list(Customer.select().dicts())) == before
    mails = [(row.kind, row.recipient) for row in OutgoingMail.select()]
    assert mails == [("registration_attempt", account.email)]


def test_row_01_every_known_contact_is_told_of_a_registration(browser_at):
    customer = make_customer(vat_number=VAT, email="contatto@example.it")
    stranger = browser_at("192.0.2.66")
    stranger.post("/registrazione", data={"code": customer.code, "tax_id": VAT})
    stranger.post("/registrazione/conferma", data={"email": "ladro@example.it", "keep": "y"})
    mails = [(row.kind, row.recipient) for row in OutgoingMail.select().order_by(OutgoingMail.id)]
    assert mails == [
        ("first_access", "ladro@example.it"),
        ("registration_notice", "contatto@example.it"),
    ]


def test_row_01_one_number_over_many_codes_from_many_addresses(browser_at):
    customer = make_customer(code="000042", vat_number=VAT)
    statuses = [
        browser_at(f"192.0.2.{n}")
        .post("/registrazione", data={"code": f"{n:06d}", "tax_id": VAT})
        .status_code
        for n in range(100, 120)
    ]
    assert statuses == [422] * 5 + [429] * 15
    answer = browser_at("192.0.2.200").post(
        "/registrazione", data={"code": customer.code, "tax_id": VAT}
    )
    assert answer.status_code == 429


def test_row_02_recovery_asked_500_times_locks_nobody_out(browser_at, sign_in, secret_of):
    account = make_account()
    at_home = sign_in(account)
    for n in range(500):
        stranger = browser_at(f"198.51.{n // 250}.{n % 250}")
        answer = stranger.post("/password-dimenticata", data={"code": account.username})
        assert answer.status_code in {303, 429}
    assert OutgoingMail.select().count() == 3
    assert at_home.get("/").location == "/forniture/-/home"

    owner = browser_at("203.0.113.1")
    data = {"username": account.username, "password": PASSWORD}
    assert owner.post("/login", data=data).location == "/"

    secrets = [secret_of(account) for _mail in OutgoingMail.select()]
    for secret in secrets:
        data = {"username": account.username, "password": secret}
        assert browser_at("203.0.113.2").post("/login", data=data).location == "/"
        assert browser_at("203.0.113.2").post("/login", data=data).status_code == 422
    used = MailedSecret.select().where(MailedSecret.used_at <= utcnow()).count()
    assert used == 3
    assert at_home.get("/").location == "/forniture/-/home"  # until a password is changed
