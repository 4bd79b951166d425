"""The first operator, and one who lost everything: at the command line, in real processes."""

import re

import pytest

from domain import operator_sessions, register
from domain.clock import utcnow
from models import JobRun, Operator, OperatorSession, RecoveryCode, RegisterEntry
from tests.factories import make_operator
from tests.jobs.process import job

pytestmark = pytest.mark.processes

FIRST = ("--username", "m.rossi", "--name", "Maria Rossi", "--email", "maria@example.it")


@pytest.fixture
def create(app, settings):
    """`create(*options)`: (exit code, what it printed)."""

    def _create(*options):
        done = job(settings, "create_operator", *options)
        return done.returncode, done.stdout

    return _create


def password_in(text):
    return re.search(r"Password di primo accesso: (\S+)", text)[1]


def test_the_first_operator_is_an_administrator_and_gets_in(app, create):
    code, printed = create(*FIRST)
    assert code == 0
    assert "Utente: m.rossi\n" in printed
    assert "Sportello: http://localhost/staff\n" in printed
    assert printed.rstrip().endswith("Operatore m.rossi creato.")
    made = Operator.get()
    assert (made.name, made.email, made.role) == (
        "Maria Rossi",
        "maria@example.it",
        "administrator",
    )
    browser = app.test_client()
    data = {"username": "m.rossi", "password": password_in(printed)}
    assert browser.post("/staff/login", data=data).location == "/staff"
    assert browser.get("/staff").location == "/staff/password"


def test_it_is_in_the_register_as_done_at_the_command_line(app, create):
    _code, printed = create(*FIRST)
    entry = RegisterEntry.get()
    assert (entry.operator, entry.kind) == ("riga di comando", "operator_created")
    assert register.first_broken(register.key(app.secret_key)) is None
    assert password_in(printed) not in entry.details
    assert not JobRun.select().exists()


def test_the_first_cannot_be_a_plain_operator(create):
    code, printed = create(*FIRST, "--role", "operator")
    assert code == 1
    assert "Il primo operatore deve essere un amministratore." in printed
    assert not Operator.select().exists()


@pytest.mark.slow
def test_the_others_are_what_they_are_said_to_be(create):
    make_operator("administrator")
    assert create(*FIRST)[0] == 0
    assert Operator.get(username="m.rossi").role == "operator"
    code, printed = create(*FIRST, "--role", "administrator")
    assert code == 1
    assert "C'è già un operatore con questo utente" in printed


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ((), "Servono --username, --name e --email"),
        (FIRST[:4], "Servono --username, --name e --email"),
        ((*FIRST[:5], "maria"), "posta elettronica non è scritto bene"),
        (("--username", "Maria Rossi", *FIRST[2:]), "comincia con una lettera"),
        (("--reset", "nessuno"), "Non c'è un operatore «nessuno»."),
    ],
)
def test_a_slip_is_told_and_nothing_is_written(create, options, told):
    code, printed = create(*options)
    assert (code, told in printed) == (1, True), printed
    assert not Operator.select().exists()
    assert not RegisterEntry.select().exists()


def test_an_unknown_role_is_misuse(create):
    assert create(*FIRST, "--role", "king")[0] == 2


def test_reset_lets_one_begin_again(app, create):
    operator = make_operator(username="m.rossi")
    RecoveryCode.create(operator=operator, digest="x")
    operator_sessions.open_session(operator, now=utcnow())
    code, printed = create("--reset", "m.rossi")
    assert code == 0
    assert printed.rstrip().endswith("Accesso azzerato per l'operatore m.rossi.")
    fresh = Operator.get()
    assert (fresh.totp_since, fresh.must_change_password) == (None, True)
    assert not OperatorSession.select().exists()
    assert not RecoveryCode.select().exists()
    entry = RegisterEntry.get()
    assert (entry.operator, entry.kind) == ("riga di comando", "operator_reset")
    browser = app.test_client()
    data = {"username": "m.rossi", "password": password_in(printed)}
    browser.post("/staff/login", data=data)
    assert browser.get("/staff").location == "/staff/password"
