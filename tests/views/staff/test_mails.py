"""«Posta»: what became of the mail, tried again or given up."""

import datetime as dt

import pytest

from domain.backups import restoring
from domain.clock import utcnow
from domain.mail import outbox, overview, send_due
from models import OutgoingMail, RegisterEntry
from tests.factories import make_account, make_mail, make_operator
from tests.pages import PARTIAL
from views.staff import mails

HOUR = dt.timedelta(hours=1)
GONE = "550 5.1.1 no such user"


@pytest.fixture
def desk(app, sign_in_operator):
    return sign_in_operator(make_operator())


def failed(**values):
    return make_mail(make_account(), state="failed", last_error=GONE, attempts=1, **values)


def postponed(**values):
    due = utcnow() + HOUR
    return make_mail(make_account(), last_error="450 busy", attempts=3, due_at=due, **values)


def sent(**values):
    now = utcnow()
    return make_mail(make_account(), state="sent", sent_at=now, attempts=1, **values)


def states():
    return [row.state for row in OutgoingMail.select().order_by(OutgoingMail.id)]


def test_every_kind_of_mail_has_a_name():
    assert mails.KINDS.keys() == set(outbox.KINDS)


def test_the_page_tells_what_waits_what_fails_and_what_was_sent(desk):
    make_mail(make_account(email="attende@example.it"))
    postponed()
    failed(kind="reading_rejected")
    sent(kind="invoice_published")
    page = desk.get("/staff/posta").text
    assert "In attesa: 2, la più vecchia dal " in page
    assert "Già provate senza successo: 1." in page
    assert "Non recapitate: 1." in page
    assert "Autolettura respinta" in page
    assert "Fattura pubblicata" in page
    assert "L'indirizzo non esiste o non accetta posta. «550 5.1.1 no such user»" in page
    assert "Il server di posta chiede di riprovare più tardi. «450 busy»" in page
    assert "Prossimo tentativo: " in page
    assert "finora 3." in page


def test_what_a_server_answered_is_only_text(desk):
    make_mail(last_error="<script>550</script>", state="failed")
    page = desk.get("/staff/posta").text
    assert "&lt;script&gt;550&lt;/script&gt;" in page


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("552 5.2.2 mailbox full", "La casella di posta è piena."),
        ("550-5.7.1 blocked", "considera indesiderato"),
        ("421 4.3.2 bye", "chiede di riprovare più tardi"),
        ("535 5.7.8 no", "utente o la password del portale"),
        ("server di posta non raggiungibile: [Errno 111]", "Il server di posta non risponde."),
        ("indirizzo non valido: x", "non è scritto correttamente"),
        ("521 no mail", "Il server di posta rifiuta il messaggio."),
        (overview.RESTORED, overview.RESTORED),
    ],
)
def test_why_it_was_not_taken_is_told_in_plain_words(desk, error, words):
    make_mail(last_error=error, state="failed")
    assert words in desk.get("/staff/posta").text


def test_what_a_restored_backup_left_unsent_is_not_sent_with_all_the_others(desk):
    assert overview.RESTORED in restoring.VOIDED["outgoing_mail"]
    make_mail(last_error=overview.RESTORED, state="failed")
    desk.post("/staff/posta/riprova")
    assert states() == ["failed"]


def test_without_any_mail_the_page_says_so(desk):
    page = desk.get("/staff/posta").text
    assert "Nessuna mail in attesa." in page
    assert "Negli ultimi 7 giorni il portale non ha spedito posta" in page
    assert "Riprova ora" not in page


def test_what_was_sent_long_ago_is_left_out_what_failed_long_ago_is_not(desk):
    before = utcnow() - dt.timedelta(days=8)
    sent(recipient="vecchia@example.it", due_at=before)
    failed(recipient="fallita@example.it", created_at=before, due_at=before)
    page = desk.get("/staff/posta").text
    assert "vecchia@example.it" not in page
    assert "fallita@example.it" in page


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("stato=non-recapitata", "b@"),
        ("stato=riprova", "a@"),
        ("stato=inviata", "c@"),
        ("stato=attesa", None),
        ("destinatario=B%40ESEMPIO", "b@"),
        ("destinatario=%25", None),
        ("stato=riprova&destinatario=c%40", None),
    ],
)
def test_mail_is_filtered_by_state_and_recipient(desk, query, shown):
    postponed(recipient="a@esempio.it")
    failed(recipient="b@esempio.it")
    sent(recipient="c@esempio.it")
    part = desk.get(f"/staff/posta?{query}", headers=PARTIAL).text
    assert [each for each in ("a@", "b@", "c@") if f"<small>{each}esempio.it</small>" in part] == (
        [shown] if shown else []
    )
    assert ("Nessuna mail corrisponde alla scelta." in part) == (shown is None)


@pytest.mark.parametrize(
    "query",
    ["stato=x", "pag=99999999999999999999", "pag=-1", "destinatario=%00", "destinatario=%ff",
     "ordine=tutto", "stato=riprova&stato=x"],
)  # fmt: skip
def test_hostile_parameters_harm_nothing(desk, query):
    failed()
    assert desk.get(f"/staff/posta?{query}", follow_redirects=True).status_code == 200


def test_queries_do_not_grow_with_the_mails(desk, count_queries):
    failed()
    desk.get("/staff/posta")
    with count_queries() as few:
        desk.get("/staff/posta")
    for _each in range(15):
        failed()
        postponed()
    with count_queries() as many:
        desk.get("/staff/posta?righe=50")
    assert len(many) == len(few)


def test_a_mail_that_failed_is_tried_again(app, desk, mail_server):
    mail = failed()
    answer = desk.post(f"/staff/posta/{mail.id}/riprova?stato=non-recapitata")
    assert (answer.status_code, answer.location) == (303, "/staff/posta?stato=non-recapitata")
    assert "La mail parte tra poco." in desk.get(answer.location).text
    assert states() == ["queued"]
    entry = RegisterEntry.get()
    assert (entry.kind, entry.customer_code) == ("mail_retried", mail.account.username)
    assert mail.recipient not in entry.details
    send_due()
    assert len(mail_server.messages()) == 1
    assert states() == ["sent"]


def test_a_mail_is_not_tried_again_twice_nor_while_it_is_being_sent(desk):
    being_sent = make_mail(make_account(), due_at=utcnow() + outbox.LEASE, attempts=1)
    mail = failed()
    desk.post(f"/staff/posta/{mail.id}/riprova")
    for key in (mail.id, being_sent.id, sent().id):
        answer = desk.post(f"/staff/posta/{key}/riprova", follow_redirects=True)
        assert "Questa mail è già partita, o sta per partire." in answer.text
    assert RegisterEntry.select().count() == 1
    assert being_sent.due_at == OutgoingMail.get_by_id(being_sent.id).due_at


def test_all_that_failed_or_waits_for_long_is_tried_again(desk):
    failed()
    postponed()
    failed(given_up_at=utcnow())
    sent()
    make_mail(make_account())
    page = desk.post("/staff/posta/riprova", follow_redirects=True).text
    assert "Mail rimesse in coda: 2." in page
    assert states() == ["queued", "queued", "failed", "sent", "queued"]
    assert '"mails": 2' in RegisterEntry.get().details
    page = desk.post("/staff/posta/riprova", follow_redirects=True).text
    assert "Mail rimesse in coda: 0." in page


def test_an_operator_gives_up(desk):
    mail = postponed()
    page = desk.post(f"/staff/posta/{mail.id}/rinuncia", follow_redirects=True).text
    assert "La mail non sarà più spedita." in page
    assert "Nessuna mail in attesa." in page
    assert states() == ["failed"]
    assert RegisterEntry.get().kind == "mail_given_up"
    page = desk.post(f"/staff/posta/{mail.id}/rinuncia", follow_redirects=True).text
    assert "A questa mail si è già rinunciato, o è già partita." in page
    assert RegisterEntry.select().count() == 1


def test_what_was_given_up_can_still_be_tried_again(desk):
    mail = failed(given_up_at=utcnow())
    desk.post(f"/staff/posta/{mail.id}/riprova")
    row = OutgoingMail.get_by_id(mail.id)
    assert (row.state, row.given_up_at) == ("queued", None)


@pytest.mark.parametrize("key", ["0", "-1", "99999999999999999999", "x", "%00"])
@pytest.mark.parametrize("verb", ["riprova", "rinuncia"])
def test_a_mail_that_is_not_there_is_not_changed(desk, key, verb):
    failed()
    assert desk.post(f"/staff/posta/{key}/{verb}").status_code in {303, 404}
    assert states() == ["failed"]
