import datetime as dt
import json
import time

import pytest

import models
from domain import history
from domain.history_sentences import SENTENCES, sentence
from models import Event
from tests.conftest import ON_POSTGRESQL
from tests.factories import make_account, make_customer, make_event, make_gas

pytestmark = pytest.mark.usefixtures("app")

NOW = dt.datetime(2026, 11, 23, 9, 0, tzinfo=dt.UTC)


def told(account, **asked):
    return [(row.kind, row.login) for row in history.page(account.id, **asked, limit=20)]


def test_an_account_has_the_events_of_its_own_and_of_its_customers_once_each():
    customer = make_customer()
    mine, other = make_account(customer), make_account(customer, username="altro")
    make_event("access", account=mine)
    make_event("reading_entered", account=mine, customer=customer)
    make_event("reading_entered", account=other, customer=customer)
    make_event("ticket_answered", customer=customer)
    assert told(mine) == [
        ("ticket_answered", None),
        ("reading_entered", "altro"),
        ("reading_entered", mine.username),
        ("access", mine.username),
    ]


def test_the_accesses_of_another_login_are_its_own():
    customer = make_customer()
    make_event("access", account=make_account(customer, username="altro"))
    assert told(make_account(customer)) == []


def test_what_happened_to_a_supply_before_it_changed_hands_stays_with_the_former_customer():
    former, present = make_customer(), make_customer()
    supply = make_gas(present)
    make_event("reading_entered", customer=former, supply=supply)
    assert told(make_account(present)) == []
    assert told(make_account(former)) == [("reading_entered", None)]


def test_days_are_those_of_italy_and_both_belong():
    account = make_account()
    for at in ("2026-07-04T21:59", "2026-07-04T22:00", "2026-07-05T21:59", "2026-07-05T22:00"):
        make_event("access", account=account, at=dt.datetime.fromisoformat(f"{at}+00:00"))
    day = dt.date(2026, 7, 5)
    assert len(told(account, since=day, until=day)) == 2
    assert len(told(account, since=day)) == 3
    assert len(told(account, until=day)) == 3


def test_each_kind_belongs_to_one_group_and_has_its_sentence():
    assert len(history.KINDS) == len(set(history.KINDS))
    assert set(SENTENCES) == set(history.KINDS)
    account = make_account()
    for kind in history.KINDS:
        make_event(kind, account=account)
    for group, kinds in history.GROUPS.items():
        assert {kind for kind, _login in told(account, group=group)} == set(kinds)


def test_the_copy_of_one_s_data_is_among_what_was_downloaded():
    assert history.group_of("data_exported") == "documenti"


def test_a_later_version_s_event_is_shown_among_all_and_in_no_group():
    account = make_account()
    make_event("vault_opened", account=account)
    assert told(account) == [("vault_opened", account.username)]
    assert not any(told(account, group=group) for group in history.GROUPS)
    assert sentence("vault_opened", "{}") == "Operazione registrata."


@pytest.mark.parametrize("details", ["", "{", "[]", "null", '{"day": "ieri"}', '{"numbers": 3}'])
def test_details_that_are_not_understood_break_nothing(details):
    for kind in history.KINDS:
        assert sentence(kind, details).endswith(".")


@pytest.mark.parametrize(
    ("kind", "details", "expected"),
    [
        ("access", {"address": "192.0.2.1", "browser": "Firefox", "system": "Windows"},
         "Accesso al portale, con Firefox su Windows, dall'indirizzo 192.0.2.1."),
        ("access", {"address": "192.0.2.1", "browser": None, "system": "iPhone"},
         "Accesso al portale, con iPhone, dall'indirizzo 192.0.2.1."),
        ("access", {"address": "2001:db8::1", "browser": None, "system": None, "mailed": True},
         "Accesso con la password ricevuta per posta elettronica, dall'indirizzo 2001:db8::1."),
        ("reading_entered", {"day": "2026-11-23", "counter": 45000},
         "Inserita l'autolettura del 23/11/2026: il contatore segnava 45000."),
        ("invoice_downloaded", {"number": "2026/42"}, "Scaricata la fattura 2026/42."),
        ("invoices_downloaded", {"count": 1, "numbers": ["A"]},
         "Scaricata in un file ZIP la fattura A."),
        ("invoices_downloaded", {"count": 2, "numbers": ["A", "B"]},
         "Scaricate in un file ZIP le fatture A, B."),
        ("invoices_downloaded", {"count": 9, "numbers": ["A", "B"]},
         "Scaricate in un file ZIP le fatture A, B e altre 7."),
        ("contact_changed", {"field": "phone", "value": "1", "previous": "2"},
         "Telefono: cambiato da «2» a «1»."),
        ("contact_changed", {"field": "fax", "value": "1", "previous": None},
         "Fax: aggiunto il contatto «1»."),
        ("contact_changed", {"field": "phone", "value": None, "previous": "2"},
         "Telefono: cancellato il contatto «2»."),
        ("preferences_changed", {"nickname": "Casa"}, "La fornitura ora si chiama «Casa»."),
        ("preferences_changed", {"nickname": None}, "Tolto il nome dato alla fornitura."),
        ("preferences_changed", {"notices": False},
         "Avvisi per posta elettronica disattivati."),
        ("measures_downloaded", {"since": "2026-01-01", "until": "2026-01-31", "format": "CSV"},
         "Scaricate le misure elettriche dal 01/01/2026 al 31/01/2026 (CSV)."),
        ("document_downloaded", {"title": "100%(x)s {0}"},
         "Scaricato il documento «100%(x)s {0}»."),
    ],
)  # fmt: skip
def test_the_sentence_of_an_event(kind, details, expected):
    assert sentence(kind, json.dumps(details)) == expected


def test_a_kind_that_nobody_listed_is_a_mistake():
    with pytest.raises(ValueError, match="no such event"):
        history.record("acces", now=NOW)


def test_an_event_is_written_with_its_transaction_or_not_at_all():
    with models.writing() as transaction:
        history.record("access", now=NOW, address="192.0.2.1")
        transaction.rollback()
    assert not Event.select().exists()


def test_a_busy_archive_keeps_nobody_from_a_download(app, caplog):
    """Another connection holds what a note needs; the download goes on without it."""
    account = make_account()
    held = "SELECT id FROM account FOR UPDATE" if ON_POSTGRESQL else "UPDATE account SET id = id"
    other = type(models.db.obj)(models.db.obj.database, **models.db.obj.connect_params)
    with other.connection_context():
        other.execute_sql("BEGIN")
        other.execute_sql(held)
        begun = time.monotonic()
        history.note("access", now=NOW, account=account, address="192.0.2.1")
        assert time.monotonic() - begun < 2  # the archive itself would wait for five seconds
        other.rollback()
    other.close_all()
    assert "access not recorded" in caplog.text
    assert not Event.select().exists()
    history.note("access", now=NOW, account=account, address="192.0.2.1")
    assert Event.select().count() == 1


def test_many_events_are_found_by_index():
    query = history._page(None)._build(make_account().id, NOW, NOW, 20, 0)
    explain = "EXPLAIN" if ON_POSTGRESQL else "EXPLAIN QUERY PLAN"
    if ON_POSTGRESQL:
        models.db.execute_sql("SET enable_seqscan = off")  # few rows: it would read them all
    sql, values = query.sql()
    plan = str(models.db.execute_sql(f"{explain} {sql}", values).fetchall())
    assert "event_account_id_at" in plan
    assert "event_customer_id_at" in plan
    assert "Seq Scan on event" not in plan
    assert "SCAN t1" not in plan
