"""What is not kept any longer goes, and nothing else."""

import datetime as dt
import json
import os

import pytest

from domain import retention, sessions
from domain.clock import rome_day, utcnow
from domain.retention import Times
from jobs import purge
from models import (
    ContactBatch,
    ContactChange,
    EmailChange,
    Event,
    ImportedFile,
    MailedSecret,
    MeasuredDay,
    OperatorSession,
    OutgoingMail,
    ReadingBatch,
    RegisterEntry,
    SelfReading,
    Session,
    Throttle,
)
from tests.factories import (
    make_account,
    make_customer,
    make_electricity,
    make_event,
    make_gas,
    make_import,
    make_mail,
    make_measured_day,
    make_operator,
    make_self_reading,
)
from tests.security.routes import archive

NOW = utcnow()
DAY, HOUR = dt.timedelta(days=1), dt.timedelta(hours=1)
TODAY = rome_day(NOW)


@pytest.fixture(autouse=True)
def nobody_waits(monkeypatch):
    monkeypatch.setattr(retention, "TURN", 0)


def run(app, now=NOW, **options):
    return purge.run(app, now=now, **options)


def left(model, field):
    return {getattr(row, field) for row in model.select()}


def test_months_are_those_of_the_calendar():
    now = dt.datetime(2026, 3, 31, 10, tzinfo=dt.UTC)
    assert retention.months_ago(1, now=now).isoformat() == "2026-02-27T23:00:00+00:00"
    assert retention.months_ago(24, now=now).isoformat() == "2024-03-27T23:00:00+00:00"


def test_secrets_and_sessions_that_open_nothing_any_more(app):
    account, operator = make_account(), make_operator()

    def secret(name, **values):
        times = {"created_at": NOW - 9 * DAY, "expires_at": NOW + HOUR, **values}
        MailedSecret.create(account=account, digest=name, **times)

    secret("alive")
    secret("just used", used_at=NOW - HOUR)
    secret("used", used_at=NOW - 2 * DAY)
    secret("expired", expires_at=NOW - 2 * DAY)
    for model, whose in (
        (Session, {"account": account}),
        (OperatorSession, {"operator": operator}),
    ):
        for name, began, seen in (
            ("open", HOUR, HOUR / 60),
            ("idle", 3 * DAY, 2 * DAY),
            ("old", 2 * DAY, HOUR / 60),
        ):
            times = {"created_at": NOW - began, "seen_at": NOW - seen}
            model.create(**whose, digest=name, **times)
    EmailChange.create(
        account=account, customer=make_customer(), address="x", asked_at=NOW - 3 * DAY
    )
    Throttle.create(key="login-code:000777", started_at=NOW - 3 * DAY, hits=3)
    Throttle.create(key="login-code:000778", started_at=NOW - DAY, hits=3)
    token = sessions.open_session(account, now=NOW)
    run(app)
    assert left(MailedSecret, "digest") == {"alive", "just used"}
    assert left(Session, "digest") == {"open", sessions.digest(token)}
    assert left(OperatorSession, "digest") == {"open"}
    assert EmailChange.select().count() == 0
    assert left(Throttle, "key") == {"login-code:000778"}


def test_mail_goes_after_its_days_and_undelivered_mail_after_twice_as_many(app):
    def mail(name, state, days, kind="password_changed"):
        at = NOW - days * DAY
        make_mail(None, kind, recipient=name, state=state, created_at=at, sent_at=at)

    mail("sent", "sent", 89)
    mail("sent long ago", "sent", 91)
    mail("failed", "failed", 179)
    mail("failed long ago", "failed", 181)
    mail("waits", "queued", 400)
    mail("erased", "sent", 0, "erasure_done")
    mail("still to be told", "queued", 0, "erasure_done")
    run(app)
    assert left(OutgoingMail, "recipient") == {"sent", "failed", "waits", "still to be told"}


def test_storico_keeps_longer_what_concerns_bills(app):
    account = make_account()
    customer = account.grants.get().customer
    for years in (1, 3, 11):
        at = NOW - years * 366 * DAY
        for kind in ("access", "invoice_downloaded", "reading_entered", "erasure_asked"):
            make_event(kind, at=at, account=account, customer=customer)
    run(app)
    assert sorted((row.kind, (NOW - row.at).days // 366) for row in Event.select()) == [
        ("access", 1),
        ("erasure_asked", 1),
        ("erasure_asked", 3),
        ("invoice_downloaded", 1),
        ("reading_entered", 1),
        ("reading_entered", 3),
    ]


def test_what_billing_still_needs_is_not_touched(app):
    old = NOW - 4 * 366 * DAY
    gas, account = make_gas(), make_account()
    customer = account.grants.get().customer
    day = rome_day(old)
    make_self_reading(gas, day, 1, entered_at=old)
    make_self_reading(gas, day, 2, state="cancelled", cancelled_at=old)
    make_self_reading(gas, day, 3, state="cancelled", cancelled_at=NOW)
    for number, placed_at in ((1, old), (2, None)):
        batch = {"number": number, "created_at": old, "placed_at": placed_at}
        ReadingBatch.create(**batch, content=b"letture")
        ContactBatch.create(**batch, content=b"contatti")
    for value, settled_at in (("a", old), ("b", None), ("c", NOW)):
        ContactChange.create(
            customer=customer, field="phone", value=value, made_at=old, settled_at=settled_at
        )
    run(app)
    assert left(SelfReading, "counter") == {1, 3}
    assert left(ContactChange, "value") == {"b", "c"}
    content = {row.number: bytes(row.content) for row in ContactBatch.select()}
    assert content == {1: b"", 2: b"contatti"}
    assert {bytes(row.content) for row in ReadingBatch.select()} == {b"letture"}


def test_measures_stay_unless_a_setting_says_otherwise(app):
    power = make_electricity()
    for days in (1, 900):
        make_measured_day(power, TODAY - days * DAY)
    run(app)
    assert MeasuredDay.select().count() == 2
    app.config["KEEP_MEASURES_YEARS"] = 2
    run(app)
    assert left(MeasuredDay, "day") == {TODAY - DAY}


def test_reports_of_old_imports_keep_their_counts_but_no_cell(app, sign_in_operator):
    cell = [7, "telefono", "0574 123456", "Non è un numero."]
    told = {"errors": [cell], "error_count": 1, "warnings": [cell], "warning_count": 1, "rows": 9}
    old = make_import(state="rejected", report=told, at=NOW - 181 * DAY)
    make_import("nuovo.csv", report=told, at=NOW - 179 * DAY)
    waits = make_import("sospeso.csv", state="held", report=told, at=NOW - 181 * DAY)
    assert "rapporti 1" in run(app)
    assert "0574" not in ImportedFile.get_by_id(old.id).report
    assert json.loads(ImportedFile.get_by_id(old.id).report)["rows"] == 9
    assert str(ImportedFile.select().dicts()[:]).count("0574") == 4
    assert "0574" in ImportedFile.get_by_id(waits.id).report
    page = sign_in_operator(make_operator()).get(f"/staff/caricamenti/{old.id}").text
    assert "errori 1, avvisi 1" in page
    assert "Le righe del rapporto sono state cancellate" in page
    assert run(app) == "Cancellati: niente."


def test_exchanged_files_go_after_their_days_and_nothing_else(app):
    data = app.config["DATA_DIR"]
    old = (
        "inbox/archivio/2026/01/clienti.csv", "inbox/scartati/clienti.csv",
        "inbox/scartati/clienti.csv.errori.csv", "inbox/rapporti/2026/01/x.txt",
        "outbox/presi/autoletture_000001.csv",
    )  # fmt: skip
    kept = (
        "inbox/clienti.csv", "inbox/sospesi/clienti.csv", "inbox/allegati/f.pdf",
        "outbox/autoletture_000002.csv", "documents/f.pdf",
    )  # fmt: skip
    for name in (*old, *kept):
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        (data / name).write_text("x")
    (data / "inbox" / "archivio" / "link").symlink_to(data / "inbox" / "clienti.csv")

    def present(names):
        return [name for name in names if (data / name).exists()]

    run(app, NOW + 179 * DAY)
    assert present(old) == list(old)
    assert f"file {len(old)}" in run(app, utcnow() + 181 * DAY)
    assert present(old) == []
    assert present(kept) == list(kept)


def test_a_file_that_nobody_may_remove_is_told_and_keeps_no_other(app, monkeypatch):
    folder = app.config["DATA_DIR"] / "inbox" / "scartati"
    folder.mkdir()
    for name in ("a.csv", "b.csv"):
        (folder / name).write_text("x")
    unlink = os.unlink

    def refuse(path, *args, **more):
        if str(path).endswith("b.csv"):
            raise PermissionError(13, "Permission denied")
        unlink(path, *args, **more)

    monkeypatch.setattr("pathlib.os.unlink", refuse)
    with pytest.raises(purge.Refused, match="1 file scaduti: controllare i permessi"):
        run(app, utcnow() + 181 * DAY)
    monkeypatch.undo()
    assert [path.name for path in folder.iterdir()] == ["b.csv"]


def test_a_dry_run_counts_and_changes_nothing(app):
    make_mail(state="sent", sent_at=NOW - 91 * DAY)
    make_event("access", at=NOW - 1000 * DAY)
    before = archive()
    assert run(app, dry_run=True) == "Da cancellare: mail 1, accessi e modifiche 1."
    assert archive() == before
    assert run(app) == "Cancellati: mail 1, accessi e modifiche 1."
    assert run(app) == "Cancellati: niente."


def test_it_goes_a_part_at_a_time_and_on_where_it_was_killed(app, monkeypatch):
    monkeypatch.setattr(retention, "PART", 3)
    for _ in range(8):
        make_event("access", at=NOW - 1000 * DAY)
    kept = make_event("access")
    parts, writing = [], retention.writing

    def counted():
        parts.append(Event.select().count())
        if len(parts) == 3:
            raise KeyboardInterrupt
        return writing()

    monkeypatch.setattr(retention, "writing", counted)
    with pytest.raises(KeyboardInterrupt):
        run(app)
    assert parts == [9, 6, 3]
    run(app)
    assert [row.id for row in Event.select()] == [kept.id]


def test_the_register_is_never_cut(app, sign_in_operator):
    sign_in_operator(make_operator()).get("/staff/registro/csv")
    before = list(RegisterEntry.select().dicts())
    run(app, NOW.replace(year=NOW.year + 40))
    assert list(RegisterEntry.select().dicts()) == before


def test_each_time_is_a_setting(app):
    assert Times.of(app.config) == (90, 180, 24, 10, 0)
