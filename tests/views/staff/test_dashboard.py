"""«Oggi»: what needs doing, how the jobs are, how many customers have registered."""

import datetime as dt
import html
import re

import pytest

from domain.clock import rome_day, rome_instant, utcnow
from models import ErasureRequest, ImportedFile, JobRun, OperatorSession, ReadingBatch
from tests.factories import (
    make_account,
    make_customer,
    make_gas,
    make_mail,
    make_operator,
    make_self_reading,
    make_ticket,
)
from tests.pages import PARTIAL
from views.staff.access import MENU

HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
REFRESH = {**PARTIAL, "X-Portale-Refresh": "1"}


@pytest.fixture
def desk(app, sign_in_operator):
    return sign_in_operator(make_operator())


def shown(desk):
    """The page as one line, as it is read."""
    return " ".join(html.unescape(desk.get("/staff").text).split())


def headings(page):
    """The tiles, from the first."""
    return re.findall(r"<h2>.*?</svg>(.*?)</h2>", page)


def ran(job, ago, code=0, summary="fatto"):
    began = utcnow() - ago
    return JobRun.create(
        job=job, started_at=began, finished_at=began + dt.timedelta(seconds=2.5), exit_code=code,
        summary=summary,
    )  # fmt: skip


def imported(state, ago=HOUR, name="fatture.csv", **values):
    at = utcnow() - ago
    return ImportedFile.create(
        name=name, state=state, at=at, settled_at=at, sha256=f"{name}{ago}", size=1, **values
    )


def test_of_a_new_portal_there_is_nothing_to_do_but_start_the_jobs(desk):
    page = shown(desk)
    assert "Nessun ticket aspetta una risposta." in page
    assert "Nessun file scartato negli ultimi giorni, nessuno da confermare." in page
    assert "Nessuna mail in attesa." in page
    assert "Mai eseguito" in page
    assert "Negli ultimi dodici mesi nessun cliente si è registrato." in page
    assert "In ritardo" not in page
    assert "Cancellazione dei dati" not in page


def test_each_job_tells_when_how_long_and_how_it_went(desk):
    ran("acquire_readings", HOUR / 2, summary="lotto 000007, autoletture acquisite: 3")
    ran("send_mail", HOUR, code=75, summary="server di posta non raggiungibile <x>")
    page = shown(desk)
    assert "2,5 s" in page
    assert "lotto 000007, autoletture acquisite: 3" in page
    assert "Rimandato" in page
    assert "non raggiungibile <x>" in page
    assert "<x>" not in desk.get("/staff").text
    assert "Acquisizione in ritardo" not in page
    assert "Posta in ritardo" in page
    assert "nessuna esecuzione recente è riuscita." in page


def test_after_65_minutes_the_acquisition_is_late(desk):
    ran("acquire_readings", 80 * HOUR / 60)
    page = shown(desk)
    assert "<strong>Acquisizione in ritardo</strong>: l'ultima esecuzione riuscita è di " in page
    assert "1 ora e 20 minuti fa" in page


def test_overdue_tickets_come_first_with_the_most_urgent_of_them(desk):
    today = rome_day(utcnow())
    customer = make_customer()
    make_ticket(customer, subject="Senza scadenza")
    make_ticket(customer, "T2026-100", subject="Scaduto", due_on=today - 2 * DAY)
    make_ticket(customer, subject="Vicino", due_on=today + 2 * DAY)
    make_ticket(customer, subject="Chiuso", due_on=today - 9 * DAY, state="closed")
    answered = {"due_on": today - 9 * DAY, "answered_at": utcnow()}
    make_ticket(customer, subject="Ha avuto risposta", **answered)
    page = shown(desk)
    assert headings(page)[0] == "Ticket"
    assert "ticket aperti, di cui scaduti: 1, in scadenza: 1." in page
    assert '<a href="/staff/ticket/T2026-100">Scaduto</a><br><small>scaduto da 2 giorni' in page
    assert page.index("Scaduto</a>") < page.index("Vicino</a>") < page.index("Senza scadenza</a>")
    assert "Chiuso" not in page


def test_files_that_were_rejected_are_listed_until_they_are_sent_again(desk):
    imported("rejected", name="vecchio.csv", ago=8 * DAY)
    imported("rejected", name="corretto.csv", ago=2 * HOUR)
    imported("applied", name="corretto.csv")
    row = imported("rejected", name="sbagliato.csv")
    page = shown(desk)
    assert headings(page)[0] == "Caricamenti"
    assert "Un file scartato negli ultimi giorni, e non ancora sostituito:" in page
    assert f'<a href="/staff/caricamenti/{row.id}">sbagliato.csv</a>' in page
    assert "corretto.csv" not in page
    assert "vecchio.csv" not in page


def test_a_file_that_waits_for_a_confirmation_is_told(desk):
    imported("held")
    imported("held", name="deciso.csv", confirmed_at=utcnow())
    imported("held", name="scartato.csv", discarded_at=utcnow())
    page = shown(desk)
    assert "Un file sospeso aspetta una conferma." in page
    assert headings(page)[0] == "Caricamenti"


def test_mail_that_waits_and_mail_that_failed_are_told(desk):
    make_mail(created_at=utcnow() - 3 * HOUR)
    assert "In attesa: 1, la più vecchia da 3 ore." in shown(desk)
    make_mail(last_error="450 busy")
    make_mail(state="failed", last_error="550 gone")
    make_mail(state="failed", given_up_at=utcnow())
    page = shown(desk)
    assert headings(page)[0] == "Posta"
    assert "Una mail non è stata recapitata." in page
    assert "In attesa: 2, la più vecchia da 3 ore." in page
    assert "Già provate senza successo: 1." in page


def test_readings_of_the_day_are_counted(desk):
    now = utcnow()
    today, supply = rome_day(now), make_gas()
    batch = ReadingBatch.create(number=1, created_at=now, content=b"")
    earlier = rome_instant(today, dt.time()) - HOUR
    before = ReadingBatch.create(number=2, created_at=earlier, content=b"")
    make_self_reading(supply, today, 1, state="acquired", batch=batch)
    make_self_reading(supply, today, 1, state="cancelled")
    make_self_reading(make_gas(), today, 1)
    make_self_reading(supply, today - DAY, 1, state="acquired", batch=batch)
    make_self_reading(supply, today - 2 * DAY, 1, state="rejected", batch=before)
    make_self_reading(supply, today - 40 * DAY, 1, state="rejected", batch=before)
    page = shown(desk)
    assert '<p class="figure">2</p> <p>inserite oggi, acquisite oggi: 2, da acquisire: 1.' in page
    assert "Respinte nell'ultimo mese: 1." in page


def test_open_requests_of_erasure_are_listed(desk):
    asked = make_customer("000777")
    ErasureRequest.create(customer=asked, made_at=utcnow() - 2 * DAY)
    gone = {"made_at": utcnow() - 3 * DAY, "withdrawn_at": utcnow()}
    ErasureRequest.create(customer=make_customer("000778"), **gone)
    page = shown(desk)
    assert headings(page)[0] == "Cancellazione dei dati"
    assert '<a class="code" href="/staff/clienti/000777/cancellazione">000777</a>' in page
    assert "000778" not in page
    assert "Da decidere" in page
    ErasureRequest.update(made_at=utcnow() - 31 * DAY).execute()
    assert "Oltre un mese" in shown(desk)


def test_registered_customers_are_drawn_and_written_month_by_month(desk):
    now = utcnow()
    this_month = rome_day(now).replace(day=1)
    last_month = (this_month - DAY).replace(day=1)
    for created in (now, rome_instant(this_month, dt.time()), rome_instant(last_month, dt.time())):
        make_account(created_at=created)
    make_account(created_at=now - 400 * DAY)
    page = shown(desk)
    rows = re.findall(r'data-label="Mese">(.*?)</th><td class="number".*?>(\d+)<', page)
    assert len(rows) == 13
    assert [count for _month, count in rows[:3]] == ["2", "1", "0"]
    assert rows[-1] == ("Totale", "3")
    assert page.count("<g><title>") == 2
    assert ",5</text>" not in page  # no half customers


def test_the_page_refreshes_itself_without_the_chart_and_without_counting_as_activity(app, desk):
    page = shown(desk)
    assert 'hx-get="/staff" hx-trigger="every 60s"' in page
    before = utcnow() - 5 * 60 * dt.timedelta(seconds=1)
    OperatorSession.update(seen_at=before).execute()
    part = desk.get("/staff", headers=REFRESH).text
    assert part.lstrip().startswith('<div id="today"')
    assert "Clienti registrati" not in part
    assert OperatorSession.get().seen_at == before
    desk.get("/staff")
    assert OperatorSession.get().seen_at > before


def test_queries_are_few_and_do_not_grow_with_the_rows(desk, count_queries):
    desk.get("/staff")
    with count_queries() as few:
        desk.get("/staff")
    for n in range(6):
        make_ticket(make_customer(), due_on=rome_day(utcnow()))
        imported("rejected", name=f"{n}.csv")
        make_mail(state="failed")
        ran("send_mail", HOUR)
        ErasureRequest.create(customer=make_customer(), made_at=utcnow())
    with count_queries() as many:
        desk.get("/staff")
    assert len(many) == len(few) <= 10


def test_its_links_lead_to_entries_of_the_menu(desk):
    known = {path for path, *_rest in MENU}
    page = shown(desk)
    main = page[page.index('<main id="content"') :]
    assert set(re.findall(r'href="/staff/([a-z]+)', main)) <= known


def test_administrators_read_what_is_wrong_with_the_look(app, sign_in_operator):
    told = "logo.svg: contiene <script>. Il file non è usato."
    app.config["BRANDING"] = app.config["BRANDING"]._replace(warnings=[told])
    administrator = sign_in_operator(make_operator(role="administrator"))
    assert told in shown(administrator)
    assert "<script>." not in administrator.get("/staff").text
    assert told not in shown(sign_in_operator(make_operator()))
