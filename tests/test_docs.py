"""What the documents and deploy/ say is what the code does."""

import datetime as dt
import re
from pathlib import Path

import pytest
from babel.dates import get_month_names

from app import SETTINGS
from domain import (
    accounts,
    attachments,
    bands,
    consumption,
    credentials,
    erasing,
    history,
    italian,
    measure_files,
    operator_sessions,
    passwords,
    plausibility,
    retention,
    second_factor,
    sessions,
    throttle,
    ticket_steps,
    tickets,
)
from domain.formats import uploads
from domain.imports import consumption as consumption_file
from domain.retention import Times
from views.history import LABELS
from views.staff.access import MENU

ROOT = Path(__file__).parent.parent
MENTIONED = re.compile(r"PORTALE_([A-Z_0-9]+[A-Z0-9])")


def text_of(path):
    return (ROOT / path).read_text()


def test_the_document_of_the_desk_leads_to_each_entry_of_its_menu():
    rows = re.findall(
        r"^\| ([^|]+) \| [^|]+ \| \[.*\]\(.+\) \|$", text_of("docs/sportello.md"), re.M
    )
    assert rows == [str(label) for _path, label, _icon, _restricted in MENU]


def test_every_setting_is_documented_and_no_other():
    documented = re.findall(r"^\| `PORTALE_([A-Z_0-9]+)` \|", text_of("docs/impostazioni.md"), re.M)
    assert documented == [setting.name for setting in SETTINGS]


@pytest.mark.parametrize(
    "name",
    [
        "DATA_DIR",
        "DATABASE_CONNECTIONS",
        "UTILITY_NAME",
        "COLOR",
        "MAIL_SERVER",
        "MAIL_PORT",
        "BACKUP_DAYS",
    ],
)
def test_the_documented_default_is_the_real_one(name):
    default = next(setting.default for setting in SETTINGS if setting.name == name)
    assert f"| `PORTALE_{name}` | `{default}` |" in text_of("docs/impostazioni.md")


def test_the_limits_of_tries_are_those_told():
    told = re.findall(
        r"^\| `([a-z-]+)` \|.*\| (\d+) \| (\d+) \|$", text_of("docs/accesso.md"), re.M
    )
    limits = [value for value in vars(throttle).values() if isinstance(value, throttle.Limit)]
    assert told == [
        (limit.name, str(limit.most), str(int(limit.period / throttle.MINUTE))) for limit in limits
    ]


def test_the_lifetimes_of_passwords_and_sessions_are_those_told():
    hour = throttle.HOUR
    text = text_of("docs/accesso.md")
    assert f"| {credentials.FIRST_ACCESS // hour} ore, una volta sola" in text
    assert f"| {credentials.RECOVERY // hour} ore, una volta sola" in text
    assert f"da {passwords.SHORTEST} a {passwords.LONGEST} caratteri" in text
    assert f"al massimo {accounts.MOST_RECOVERY_MAILS} in sei ore" in text
    hours = [sessions.IDLE / hour, sessions.ABSOLUTE / hour]
    assert hours == [0.5, 12]
    assert "Trenta minuti senza fare nulla, dodici ore in tutto" in text


def test_the_rules_of_getting_into_the_desk_are_those_told():
    text = " ".join(text_of("docs/sportello.md").split())
    minute = throttle.MINUTE
    minutes = operator_sessions.IDLE / minute, operator_sessions.ABSOLUTE / minute
    assert minutes == (15, 480)
    assert "dopo quindici minuti senza fare nulla e dopo otto ore in tutto" in text
    known = second_factor.STEP, second_factor.TOLERATED, second_factor.RECOVERY_CODES
    assert known == (30, 1, 10)
    assert "Il codice cambia ogni 30 secondi; vale anche quello subito prima e" in text
    assert "dieci **codici di recupero**" in text
    assert f"da {passwords.SHORTEST} a {passwords.LONGEST} caratteri" in text
    assert f"dopo {throttle.OPERATOR_NAME.most} password sbagliate" in text


def test_the_rules_of_readings_are_those_told():
    text = text_of("docs/autoletture.md")
    told = re.findall(r"^\| (G\d+) \| (\d+) \| ([\d.]+) \|$", text, re.M)
    assert told == [
        (name, str(flow), italian.whole(flow * 24)) for name, flow in plausibility.QMAX.items()
    ]
    assert f"oltre {plausibility.ORDER_OF_MAGNITUDE} volte quello che la classe" in text
    assert f"più di {plausibility.FAR_ABOVE} volte il solito" in text
    assert f"più di {plausibility.FLOOR_SMC} Smc" in text
    assert f"({plausibility.UNKNOWN_DIGITS}, se l'archivio non dice quante)" in text
    assert (plausibility.ROLL_OVER_OF_RANGE, plausibility.ROLL_OVER_OF_CEILING) == (2, 4)
    assert "la metà di quanto il contatore può segnare e un quarto" in text


def test_the_rules_of_billed_consumption_are_those_told():
    text = text_of("docs/formati.md")
    assert f"oltre a {consumption_file.ROUNDING // 1000} unità di arrotondamento" in text
    assert consumption_file.LONGEST == 10 * 366
    assert "al massimo dieci anni dopo" in text
    days = consumption.months_of(dt.date(2025, 12, 17), dt.date(2026, 1, 14))
    shares = consumption.shared(58_000, [number for _month, number in days])
    assert [*shares] == [30_000, 28_000]
    told = " ".join(text_of("docs/prelievi.md").split())
    assert "58 Smc dal 17/12/2025 al 14/01/2026 (29 giorni) conta per 30 Smc nel 2025" in told
    kinds = re.findall(r"^\| (\w+) \| (?:da|calcolato) ", text_of("docs/prelievi.md"), re.M)
    assert kinds == list(consumption_file.KINDS)


def test_what_storico_remembers_is_told():
    text = text_of("docs/storico.md")
    assert re.findall(r"^\| ([A-Z][a-z ]+) \|", text, re.M) == [
        str(each) for each in LABELS.values()
    ]
    assert f"più di {history.PATIENCE} millesimi di secondo" in text


def test_the_times_that_things_are_kept_are_those_told():
    text = text_of("docs/privacy.md")
    for name in Times._fields:
        default = next(each.default for each in SETTINGS if each.name == f"KEEP_{name.upper()}")
        shown = f"{default} {UNITS[name.rpartition('_')[2]]}" if default else "per sempre"
        assert f"`PORTALE_KEEP_{name.upper()}`, {shown}" in text
    assert f"parti di {retention.PART} righe" in text
    assert erasing.YEARS_KEPT == 10
    assert "dieci anni interi dopo l'anno della fattura" in text
    assert (retention.A_DAY.days, retention.COUNTED.days) == (1, 2)


UNITS = {"days": "giorni", "months": "mesi", "years": "anni"}


def test_the_rules_of_tickets_are_those_told():
    text = " ".join(text_of("docs/ticket.md").split())
    defaults = {setting.name: setting.default for setting in SETTINGS}
    assert f"| Reclamo | {defaults['COMPLAINT_DAYS']} | `PORTALE_COMPLAINT_DAYS` |" in text
    days = defaults["BILLING_CORRECTION_DAYS"]
    told = f"| Rettifica di fatturazione | {days} | `PORTALE_BILLING_CORRECTION_DAYS` |"
    assert told in text
    assert f"riaprire entro {tickets.REOPENED_WITHIN.days} giorni" in text
    assert dt.timedelta(minutes=1) == ticket_steps.SENT_TWICE_WITHIN
    megabytes = attachments.LARGEST // attachments.MB, attachments.QUOTA // attachments.MB
    assert f"Fino a {attachments.MOST} file per messaggio" in text
    assert "ciascuno di {} MB al massimo, {} MB in tutto".format(*megabytes) in text
    assert f"nomi di oltre {attachments.LONGEST_NAME} caratteri" in text
    assert f"oltre {uploads.MOST_PIXELS // 1_000_000} milioni di punti" in text
    assert f"`documents/{attachments.ARRIVING}/`" in text


def prose():
    places = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("deploy/*")]
    return sorted(path.relative_to(ROOT).as_posix() for path in places)


@pytest.mark.parametrize("path", prose())
def test_settings_and_jobs_that_are_named_exist(path):
    text = text_of(path)
    known = {setting.name for setting in SETTINGS}
    assert set(MENTIONED.findall(text)) <= known
    for job in re.findall(r"jobs\.([a-z_]+)", text):
        assert (ROOT / "jobs" / f"{job}.py").exists(), job


@pytest.mark.parametrize("path", [path for path in prose() if path.endswith(".md")])
def test_links_between_documents_lead_somewhere(path):
    for target in re.findall(r"\]\(([^)#]+)\)|src=\"([^\"]+)\"", text_of(path)):
        target = "".join(target)
        if not target.startswith("http"):
            assert ((ROOT / path).parent / target).exists(), target


@pytest.mark.parametrize("path", [path for path in prose() if path.endswith(".md")])
def test_make_targets_and_files_that_are_named_exist(path):
    targets = set(re.findall(r"^([a-z-]+):", text_of("Makefile"), re.M))
    assert set(re.findall(r"`make ([a-z-]+)", text_of(path))) <= targets
    for name in re.findall(r"`(deploy/[\w.@*-]+)`", text_of(path)):
        assert list(ROOT.glob(name)), name


def test_timers_and_cron_run_the_same_jobs():
    timers = {path.stem.removeprefix("portale-") for path in ROOT.glob("deploy/*.timer")}
    assert timers == set(re.findall(r"-m jobs\.([a-z_]+)", text_of("deploy/portale.cron")))
    for name in timers:
        assert f"Unit=portale-job@{name}.service" in text_of(f"deploy/portale-{name}.timer")


def test_the_container_holds_every_room():
    copied = set(re.findall(r"[\w./]+", " ".join(re.findall(r"^COPY (.*) \S+$",
                 text_of("deploy/Containerfile"), re.M))))  # fmt: skip
    rooms = {"app.py", "models.py", "forms.py", "views", "domain", "jobs", "templates", "static"}
    assert copied == rooms | {"requirements.txt", "translations"}
    assert rooms <= {path.name for path in ROOT.iterdir()}


def test_every_library_is_pinned():
    for path in ("requirements.txt", "requirements-dev.txt"):
        for line in text_of(path).splitlines():
            if line and not line.startswith(("#", "-r")):
                assert re.match(r"[\w.\[\]-]+==\S+", line), line


def test_the_holidays_of_the_bands_are_those_told():
    listed = re.search(r"Sono festivi: (.*?)\.", text_of("docs/misure.md"), re.S)[1]
    days = [" ".join(each.split()) for each in listed.split(",")]
    assert days.pop(2) == "lunedì di Pasqua"
    months = {name: number for number, name in get_month_names(locale="it").items()}
    told = [(months[month], int(day)) for day, month in map(str.split, days)]
    assert told == sorted(bands.HOLIDAYS)


def test_the_columns_of_the_measures_for_programs_are_those_told():
    section = text_of("docs/misure.md").partition("«Scarica CSV»**")[2]
    assert tuple(re.findall(r"^\| (\w+) \|", section, re.M)[1:]) == measure_files.COLUMNS


def test_the_readme_leads_to_every_document():
    linked = set(re.findall(r"\]\((docs/[\w-]+\.md)\)", text_of("README.md")))
    assert linked == {path for path in prose() if path.startswith("docs/")}
