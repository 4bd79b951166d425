"""What is queued arrives, once, whatever the server does."""

import datetime as dt
import json
import logging
import re
import threading

import peewee as pw
import pytest

from domain import credentials, mail
from domain.clock import utcnow
from domain.mail import outbox, sender, transport
from models import TABLES, Account, MailedSecret, OutgoingMail, db, is_sqlite, writing
from tests import smtp
from tests.factories import make_account, make_operator
from tests.together import at_once

SECRET = re.compile(r"\b[a-z2-9]{24}\b")
NOW = dt.datetime(2026, 11, 23, 8, 30, tzinfo=dt.UTC)


def queue(kind="password_changed", *, now=NOW, **values):
    account = make_account(**values)
    return mail.queue(kind, account.email, account=account, now=now)


def send(now=NOW):
    return mail.send_due(clock=lambda: now)


def fresh(row):
    return OutgoingMail.get_by_id(row.id)


def secret_in(message):
    return SECRET.search(message.get_body(("plain",)).get_content())[0]


def opens(account, secret, now=NOW):
    key = credentials.key("una-chiave-di-prova-lunga-abbastanza")
    return credentials.find(account.username, secret, now=now, key=key) is not None


# -- Arriving ------------------------------------------------------------------------------


def test_a_queued_mail_arrives_and_is_noted(mail_server):
    row = queue(email="rosa@example.it")
    assert send().sent == 1
    (message,) = mail_server.messages()
    assert message.envelope_to == ["rosa@example.it"]
    assert message["To"] == "rosa@example.it"
    kept = fresh(row)
    assert (kept.state, kept.sent_at, kept.last_error) == ("sent", NOW, None)
    assert send().sent == 0
    assert not mail_server.messages()


def test_many_mails_share_one_connection(mail_server):
    for _ in range(5):
        queue()
    assert send().sent == 5
    assert mail_server.connections == 1


def test_a_mail_is_not_sent_before_it_is_due(mail_server):
    queue(now=NOW + dt.timedelta(seconds=1))
    assert send().sent == 0


def test_a_mail_is_part_of_the_transaction_that_queued_it(mail_server):
    with writing() as transaction:
        queue()
        transaction.rollback()
    assert send().sent == 0


def test_an_unknown_kind_is_a_mistake_of_the_caller(app):
    with pytest.raises(ValueError, match="newsletter"):
        mail.queue("newsletter", "rosa@example.it", now=NOW)


# -- Secrets -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "lifetime"),
    [("first_access", credentials.FIRST_ACCESS), ("recovery", credentials.RECOVERY)],
)
def test_the_secret_in_the_mail_lets_in_until_it_expires(mail_server, kind, lifetime):
    later = NOW + dt.timedelta(hours=3)  # its life begins when it is sent
    row = queue(kind)
    send(later)
    secret = secret_in(mail_server.messages()[0])
    assert opens(row.account, secret, later + lifetime - dt.timedelta(seconds=1))
    assert not opens(row.account, secret, later + lifetime)


def test_the_secret_is_nowhere_else(mail_server, caplog):
    caplog.set_level(logging.DEBUG)
    queue("first_access")
    mail_server.to_text = "451 later"
    send()
    mail_server.to_text = "250 OK"
    send(NOW + dt.timedelta(minutes=1))
    secret = secret_in(mail_server.messages()[0])
    stored = repr([list(table.select().tuples()) for table in TABLES])
    logged = repr([record.getMessage() for record in caplog.records if record.name != "mail.log"])
    assert "mail" in logged  # what the portal says, beside what aiosmtpd does
    assert secret not in stored
    assert secret not in logged


@pytest.mark.parametrize("answer", ["451 busy", "550 no such user", smtp.MailServer.CUT])
def test_a_secret_that_never_left_is_taken_back(mail_server, answer):
    row = queue("recovery")
    mail_server.to_recipient[row.recipient] = answer
    send()
    assert not MailedSecret.select().exists()


def test_a_secret_whose_mail_may_have_arrived_is_kept(mail_server):
    row = queue("recovery")
    mail_server.to_text = mail_server.CUT
    send()
    assert credentials.alive(row.account, now=NOW).count() == 1
    assert fresh(row).state == "queued"


@pytest.mark.parametrize("change", [{"email": "altra@example.it"}, {"disabled_at": NOW}])
def test_a_secret_is_not_sent_where_it_no_longer_belongs(mail_server, change):
    row = queue("first_access")
    type(row.account).update(change).where(type(row.account).id == row.account_id).execute()
    assert send().failed == 1
    assert fresh(row).state == "failed"
    assert not mail_server.messages()
    assert not MailedSecret.select().exists()


# -- Refusals ------------------------------------------------------------------------------


def test_a_recipient_refused_for_good_is_not_tried_again(mail_server):
    row, other = queue(), queue()
    mail_server.to_recipient[row.recipient] = "550 no such user"
    tally = send()
    assert (tally.sent, tally.failed, tally.trouble) == (1, 1, "")
    assert fresh(row).state == "failed"
    assert fresh(row).last_error == "550 no such user"
    assert fresh(other).state == "sent"
    assert send(NOW + dt.timedelta(days=1)).failed == 0


def test_a_text_refused_for_good_is_not_tried_again(mail_server):
    row = queue()
    mail_server.to_text = "554 looks like spam"
    assert send().failed == 1
    assert fresh(row).last_error == "554 looks like spam"


def test_a_recipient_refused_for_now_waits_longer_each_time(mail_server):
    row, other = queue(), queue()
    mail_server.to_recipient[row.recipient] = "451 greylisted"
    now, waits = NOW, []
    for _ in range(8):
        send(now)
        waits.append(int((fresh(row).due_at - now).total_seconds() / 60))
        assert send(now + dt.timedelta(seconds=59)).postponed == 0
        now = fresh(row).due_at
    assert waits == [1, 2, 5, 15, 30, 60, 60, 60]
    assert fresh(other).state == "sent"
    mail_server.to_recipient.clear()
    assert send(now).sent == 1


def test_after_two_days_a_mail_is_given_up(mail_server):
    row = queue()
    mail_server.to_recipient[row.recipient] = "451 greylisted"
    send(NOW + dt.timedelta(days=2))
    assert fresh(row).state == "queued"
    send(NOW + dt.timedelta(days=2, hours=1))
    assert fresh(row).state == "failed"


@pytest.mark.parametrize(
    "address",
    ["rosa@example.it\r\nBcc: tutti@example.it", "rosa@example.it\n", "a@b.it, c@d.it", "rosa",
     "<rosa@example.it>", "rosa@example.it>\r\nDATA", "ròsa@example.it", ""],
)  # fmt: skip
def test_row_22_what_is_not_one_address_is_never_given_to_the_server(mail_server, address):
    row = mail.queue("password_changed", address, account=make_account(), now=NOW)
    assert send().failed == 1
    assert "indirizzo non valido" in fresh(row).last_error
    assert mail_server.taken.empty()


def test_a_domain_with_accents_is_reached(mail_server):
    queue(email="rosa@città.example.it")
    send()
    assert mail_server.messages()[0].envelope_to == ["rosa@xn--citt-3na.example.it"]


def test_a_mail_that_cannot_be_written_does_not_stop_the_others(mail_server, caplog):
    broken = queue()
    OutgoingMail.update(params="{").where(OutgoingMail.id == broken.id).execute()
    queue()
    tally = send()
    assert (tally.sent, tally.postponed) == (1, 1)
    assert fresh(broken).state == "queued"


# -- A server in trouble -------------------------------------------------------------------


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(transport, "TIMEOUT", 0.2)


def one_tried_of_many(rows):
    """Every mail is still queued, one was tried and is due again within a minute or so."""
    states = [fresh(row) for row in rows]
    tried = [row for row in states if row.attempts]
    assert {row.state for row in states} == {"queued"}
    assert len(tried) == 1
    return tried[0]


def test_while_the_server_is_down_the_queue_is_not_marched_through(app):
    rows = [queue() for _ in range(5)]
    tally = send()  # nobody listens on port 1
    assert (tally.sent, tally.postponed) == (0, 1)
    assert "non raggiungibile" in tally.trouble
    assert one_tried_of_many(rows).due_at == NOW + dt.timedelta(minutes=1)


def test_an_outage_does_not_lengthen_the_wait_once_it_is_over(app, mail_server):
    row = queue()
    port, app.extensions["mail"].port = mail_server.port, 1
    now = NOW
    for _ in range(30):
        send(now)
        now += dt.timedelta(minutes=1)
    app.extensions["mail"].port = port
    assert send(now).sent == 1
    assert fresh(row).state == "sent"


def test_a_silent_server_costs_one_wait(app, impatient):
    rows = [queue() for _ in range(5)]
    with smtp.silent() as port:
        app.extensions["mail"].port = port
        assert "non raggiungibile" in send().trouble
    one_tried_of_many(rows)


@pytest.mark.parametrize("answer", ["421 closing", smtp.MailServer.CUT, smtp.MailServer.SILENT])
def test_a_server_that_stops_in_the_middle_gets_no_more(mail_server, impatient, answer):
    rows = [queue() for _ in range(5)]
    mail_server.to_recipient = {row.recipient: answer for row in rows}
    assert send().trouble
    one_tried_of_many(rows)
    mail_server.to_recipient.clear()
    assert send(NOW + dt.timedelta(minutes=1)).sent == 5


@pytest.mark.parametrize("answer", [smtp.MailServer.CUT, smtp.MailServer.SILENT])
def test_a_mail_that_may_have_arrived_goes_again_under_the_same_id(
    mail_server, impatient, answer, app
):
    row = queue()
    mail_server.to_text = answer
    assert "nessuna risposta" in send().trouble
    assert fresh(row).state == "queued"
    mail_server.to_text = "250 OK"
    send(NOW + dt.timedelta(minutes=1))
    (message,) = mail_server.messages()
    assert message["Message-ID"] == f"<20261123T083000-{row.id}@localhost>"


# -- Senders at once, and senders that die -------------------------------------------------


def test_senders_at_once_send_each_mail_once(app, mail_server):
    for _ in range(40):
        queue()
    start, tallies = threading.Barrier(4), []

    def work():
        start.wait()
        with app.app_context():
            tallies.append(send())

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(tally.sent for tally in tallies) == 40
    ids = [message["Message-ID"] for message in mail_server.messages()]
    assert len(ids) == len(set(ids)) == 40


def test_a_mail_whose_sender_died_waits_for_its_lease_and_goes(mail_server):
    row = queue("recovery")
    outbox.claim(now=NOW)  # and the machine stops here
    assert send(NOW + outbox.LEASE - dt.timedelta(seconds=1)).sent == 0
    assert send(NOW + outbox.LEASE).sent == 1
    assert fresh(row).attempts == 2
    assert len(mail_server.messages()) == 1


def test_a_sender_that_wakes_too_late_does_not_undo_what_another_did(mail_server):
    row = queue()
    late = outbox.claim(now=NOW)
    send(NOW + outbox.LEASE)
    outbox.give_up(late, "550 too late")
    outbox.postpone(late, "451 too late", now=NOW)
    assert fresh(row).state == "sent"


def test_a_mail_that_left_is_noted_even_if_the_archive_is_busy_just_then(mail_server, monkeypatch):
    row, busy, original = queue(), iter([True, True, False]), outbox.mark_sent

    def mark_sent(*arguments, **options):
        if next(busy):
            raise pw.OperationalError("database is locked")
        original(*arguments, **options)

    monkeypatch.setattr(outbox, "mark_sent", mark_sent)
    monkeypatch.setattr(sender.time, "sleep", lambda _seconds: None)
    assert send().sent == 1
    assert fresh(row).state == "sent"
    assert len(mail_server.messages()) == 1


def test_two_thousand_mails_wait_without_harm(app):
    account = make_account()
    with writing():
        for _ in range(2000):
            mail.queue("password_changed", account.email, account=account, now=NOW)
    assert send().postponed == 1
    assert OutgoingMail.select().where(OutgoingMail.attempts > 0).count() == 1


# -- In the background ---------------------------------------------------------------------


def test_a_kick_sends_what_was_just_queued(mail_server, background):
    for _ in range(2):
        row = queue(now=utcnow())
        mail.kick()
        assert mail_server.taken.get(timeout=20)["To"] == row.recipient
        assert background.wait(20)
        background.clear()
        assert fresh(row).state == "sent"


def test_the_background_sender_survives_what_goes_wrong(mail_server, background, monkeypatch):
    with monkeypatch.context() as broken:
        broken.setattr(sender, "send_batch", lambda *_: 1 / 0)
        mail.kick()
        assert background.wait(20)
    background.clear()
    queue(now=utcnow())
    mail.kick()
    assert mail_server.taken.get(timeout=20)
    assert background.wait(20)


def test_a_kick_does_nothing_where_there_is_no_background_sender(app):
    mail.kick()
    assert app.extensions["background_sender"]._thread is None


# -- Who waits goes first, and no more than the rate ---------------------------------------


def queue_bulk(count, *, now=NOW):
    """As many notices for as many accounts."""
    accounts = [make_account() for _ in range(count)]
    notices = [mail.Notice("invoice_due", account.id, INVOICES) for account in accounts]
    assert mail.queue_notices(notices, now=now) == count
    return list(OutgoingMail.select().where(OutgoingMail.bulk).order_by(OutgoingMail.id))


INVOICES = {
    "due": "28/11/2026",
    "invoices": [{"number": "1", "due": "28/11/2026", "amount": "1,00 €", "credit": False}],
    "more": 0,
}


def sent_kinds():
    rows = OutgoingMail.select().where(OutgoingMail.state == "sent")
    return sorted(row.kind for row in rows)


def recipients(messages):
    return [message["To"] for message in messages]


def test_what_somebody_waits_for_goes_before_what_is_for_many(mail_server):
    many = queue_bulk(5)
    late = queue("recovery", now=NOW + dt.timedelta(seconds=30))
    assert send(NOW + dt.timedelta(minutes=1)).sent == 6
    assert recipients(mail_server.messages()) == [late.recipient, *(m.recipient for m in many)]


def test_it_goes_before_even_while_the_others_are_being_sent(mail_server, monkeypatch):
    queue_bulk(3)
    original, asked = outbox.claim, []

    def claim(**options):
        if len(asked) == 1:
            asked.append(queue("recovery"))
        found = original(**options)
        asked.append(found)
        return found

    monkeypatch.setattr(outbox, "claim", claim)
    assert send().sent == 4
    kinds = [row.kind for row in asked[:1] + asked[2:] if row]
    assert kinds == ["invoice_due", "recovery", "invoice_due", "invoice_due"]


def test_a_page_never_sends_what_is_for_many(mail_server, background):
    queue_bulk(3, now=utcnow())
    row = queue(now=utcnow())
    mail.kick()
    assert mail_server.taken.get(timeout=20)["To"] == row.recipient
    assert background.wait(20)
    assert sent_kinds() == ["password_changed"]
    assert mail_server.messages() == []


@pytest.fixture
def rate(app):
    app.config["MAIL_RATE"] = 20
    return 20


def test_a_minute_takes_only_so_many(mail_server, rate):
    queue_bulk(50)
    sent = [send(NOW + dt.timedelta(seconds=second)).sent for second in (0, 30, 59, 60, 119, 120)]
    assert sent == [18, 0, 0, 18, 0, 14]
    assert len(mail_server.messages()) == 50


def test_a_part_of_the_minute_is_kept_for_what_somebody_waits_for(mail_server, rate):
    queue_bulk(50)
    assert send().sent == 18
    rows = [queue("recovery") for _ in range(5)]
    assert send().sent == 2
    assert send(NOW + dt.timedelta(minutes=1)).sent == 18
    assert {fresh(row).state for row in rows} == {"sent"}


def test_without_a_reserve_a_small_rate_still_sends(app, mail_server):
    app.config["MAIL_RATE"] = 1
    queue_bulk(3)
    assert [send(NOW + dt.timedelta(minutes=n)).sent for n in range(4)] == [1, 1, 1, 0]


def test_what_fails_counts_too(mail_server, rate):
    rows = queue_bulk(50)
    mail_server.to_recipient = {row.recipient: "550 no such user" for row in rows}
    assert send().failed == 18


def test_the_clock_put_back_or_forward_does_not_stop_the_mail(mail_server, rate):
    queue_bulk(60)
    assert send(NOW + dt.timedelta(hours=1)).sent == 18
    assert send().sent == 18
    assert send(NOW + dt.timedelta(hours=1)).sent == 18


def test_senders_at_once_keep_to_the_rate_together_and_send_each_mail_once(mail_server, rate):
    queue_bulk(60)
    rows = [queue() for _ in range(2)]
    tallies = at_once(*[send] * 4)
    assert sum(tally.sent for tally in tallies) == 18
    arrived = recipients(mail_server.messages())
    assert len(set(arrived)) == len(arrived) == 18
    assert {row.recipient for row in rows} <= set(arrived)


def test_refusals_of_a_few_do_not_hold_up_the_many(mail_server):
    rows = queue_bulk(6)
    mail_server.to_recipient = {rows[1].recipient: "550 no", rows[3].recipient: "451 later"}
    tally = send()
    assert (tally.sent, tally.failed, tally.postponed) == (4, 1, 1)
    mail_server.to_recipient.clear()
    assert send(NOW + dt.timedelta(minutes=1)).sent == 1
    assert fresh(rows[1]).state == "failed"


def test_of_the_same_thing_an_account_is_told_once(app):
    account = make_account()
    notice = mail.Notice("invoice_due", account.id, INVOICES, "invoice_due 1")
    assert mail.queue_notices([notice, notice], now=NOW) == 1
    assert mail.queue_notices([notice], now=NOW) == 0
    other = mail.Notice("invoice_due", account.id, INVOICES)
    assert mail.queue_notices([other, other], now=NOW) == 2


@pytest.mark.parametrize("bulk", [False, True])
def test_the_next_mail_is_found_by_an_index_without_sorting(app, bulk):
    account = make_account()
    with writing():
        rows = [("invoice_due", "x@example.it", account, NOW, NOW, n % 9 > 0) for n in range(3000)]
        columns = (OutgoingMail.kind, OutgoingMail.recipient, OutgoingMail.account,
                   OutgoingMail.created_at, OutgoingMail.due_at, OutgoingMail.bulk)  # fmt: skip
        OutgoingMail.insert_many(rows, fields=columns).execute()
    db.execute_sql("ANALYZE")
    query = outbox._due(bulk, NOW)
    sql, values = query.sql()
    explain = "EXPLAIN QUERY PLAN" if is_sqlite() else "EXPLAIN"
    plan = str(db.execute_sql(f"{explain} {sql}", values).fetchall())
    assert "outgoing_mail_state_bulk_due_at_id" in plan
    assert "Sort" not in plan
    assert "TEMP B-TREE" not in plan


# -- What is given up is told to the operators ---------------------------------------------


def give_up(count=1, error="550 no such user"):
    for _ in range(count):
        row = queue()
        outbox.give_up(row, error)


def digests():
    rows = OutgoingMail.select().where(OutgoingMail.kind == "undelivered")
    return [
        (row.recipient, json.loads(row.params)["count"]) for row in rows.order_by(OutgoingMail.id)
    ]


def test_operators_are_told_in_one_mail_what_was_given_up(app):
    operators = [make_operator(email=f"op{n}@example.it") for n in range(2)]
    make_operator(disabled_at=NOW)
    give_up(3)
    give_up(1, "554 blocked")
    assert mail.report_undelivered(now=NOW) == 4
    assert digests() == [(operator.email, 4) for operator in operators]
    params = json.loads(OutgoingMail.get(OutgoingMail.kind == "undelivered").params)
    assert params["reasons"] == [
        {"error": "550 no such user", "mails": 3}, {"error": "554 blocked", "mails": 1},
    ]  # fmt: skip
    assert mail.report_undelivered(now=NOW + dt.timedelta(hours=2)) == 0


def test_they_are_told_once_an_hour_at_most(app):
    make_operator()
    give_up()
    assert mail.report_undelivered(now=NOW) == 1
    give_up(2)
    assert mail.report_undelivered(now=NOW + dt.timedelta(minutes=59)) == 0
    assert mail.report_undelivered(now=NOW + dt.timedelta(minutes=60)) == 2
    assert [count for _to, count in digests()] == [1, 2]


def test_that_such_a_mail_was_not_delivered_is_no_new_one(mail_server):
    operator = make_operator(email="op@example.it")
    mail_server.to_recipient[operator.email] = "550 no such user"
    give_up()
    mail.report_undelivered(now=NOW)
    assert send().failed == 1
    assert mail.report_undelivered(now=NOW + dt.timedelta(hours=2)) == 0


def test_two_jobs_at_once_tell_once(app):
    make_operator()
    give_up(5)
    counts = at_once(*[lambda: mail.report_undelivered(now=NOW)] * 4)
    assert sorted(counts) == [0, 0, 0, 5]
    assert len(digests()) == 1


def test_a_notice_goes_to_the_address_that_the_login_has_by_now(mail_server):
    [row] = queue_bulk(1)
    Account.update(email="nuova@example.it").execute()
    security = queue("password_changed", email="rosa@example.it")
    Account.update(email="altra@example.it").where(Account.id == security.account).execute()
    assert send().sent == 2
    assert recipients(mail_server.messages()) == ["rosa@example.it", "nuova@example.it"]
    assert fresh(row).recipient == "nuova@example.it"


@pytest.mark.parametrize("change", [{"disabled_at": NOW}, {"notices_invoices": False}])
def test_a_notice_that_nobody_wants_any_more_is_forgotten(mail_server, change):
    first, second = queue_bulk(2)
    Account.update(change).where(Account.id == first.account).execute()
    assert send().sent == 1
    assert recipients(mail_server.messages()) == [second.recipient]
    assert not OutgoingMail.select().where(OutgoingMail.id == first.id).exists()
