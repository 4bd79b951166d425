"""What PROVA S.P.A. asked in the last months, and what the utility answered."""

import datetime as dt
import io

from domain import attachments, italian, ticket_desk, tickets
from domain.clock import rome_instant
from jobs.demo_world import paper
from models import OutgoingMail, SupplyPoint

OFFICE = "Marta, servizio clienti"
CLOSED = "close"

# Days ago, hour, supply, category, subject, and the turns: days later, hour, who, text.
STORIES = (
    (
        212, "10:12", "PR002876", "data_change", "Nuovo numero di telefono dell'ufficio",
        "Buongiorno,\nil numero da chiamare per la lettura del contatore è cambiato: ora è lo "
        "0574 000012.\nGrazie.",
        (
            (1, "09:30", "utility", "Buongiorno,\nil numero è stato aggiornato. In «Dati "
             "Anagrafici» si può anche cambiare da sé.\nCordiali saluti."),
            (1, "11:02", "customer", "Perfetto, grazie."),
            (2, "08:45", CLOSED, ""),
        ),
    ),
    (
        96, "16:40", "PR002875", "billing", "Acconto già pagato non detratto",
        "Nella fattura di agosto non risulta detratto l'acconto pagato a luglio. In allegato la "
        "contabile del bonifico.",
        (
            (8, "10:05", "utility", "Buongiorno,\nl'acconto era stato registrato su un'altra "
             "fornitura. Emettiamo una nota di credito: compare nell'elenco delle fatture.\n"
             "Ci scusiamo per il disguido."),
            (12, "17:20", "customer", "Ricevuta la nota di credito, grazie."),
            (13, "09:00", CLOSED, ""),
        ),
    ),
    (
        24, "09:18", "PR002877", "information", "Potenza massima del nuovo bruciatore",
        "Vorremmo montare un bruciatore da 350 kW in officina. Il contatore attuale, un G25, "
        "basta?",
        (
            (2, "12:10", "utility", "Buongiorno,\nun G25 lascia passare al massimo 40 m³ all'ora, "
             "che bastano per circa 400 kW. Prima di montarlo serve però una verifica del "
             "distributore: può indicarci il modello e allegare la scheda tecnica?"),
        ),
    ),
    (
        9, "18:03", "PR002874", "complaint", "Sbalzi di tensione negli uffici",
        "Da due settimane, la mattina tra le 8 e le 9, le luci calano e i computer si riavviano. "
        "È successo il 3, il 5 e il 10 del mese.\n\nChiediamo una verifica e una risposta scritta.",
        (),
    ),
    (
        5, "11:30", "PR002878", "other", "Accesso al locale dei contatori",
        "Dal prossimo mese le chiavi del locale dei contatori sono in portineria.",
        (),
    ),
)  # fmt: skip
PAPERS = {
    "billing": ("contabile_bonifico.pdf", "Contabile di bonifico"),
    "complaint": ("registro_sbalzi.pdf", "Registro degli sbalzi di tensione"),
}


def live(account, documents, *, deadlines, today, now):
    """Let the stories happen, each turn at its time; their mail is long sent."""
    supplies = {row.code: row for row in SupplyPoint.select()}
    for ago, hour, supply, category, subject, text, turns in STORIES:
        day = today - dt.timedelta(days=ago)
        at = rome_instant(day, dt.time.fromisoformat(hour))
        with attachments.received(papers(category, day), documents, now=now) as arrived:
            ticket = tickets.open_ticket(
                supplies[supply].customer_id,
                supplies[supply],
                account.id,
                category=category,
                subject=subject,
                text=text,
                arrived=arrived,
                deadlines=deadlines,
                now=at,
            )
        for later, hour, who, words in turns:
            then = rome_instant(day + dt.timedelta(days=later), dt.time.fromisoformat(hour))
            take_turn(ticket, account, who, words, now=then)
    OutgoingMail.update(state="sent", sent_at=OutgoingMail.created_at).where(
        OutgoingMail.account == account
    ).execute()


def take_turn(ticket, account, who, words, *, now):
    if who == CLOSED:
        tickets.close(ticket.id, account.id, now=now)
    elif who == "utility":
        ticket_desk.answer(ticket.id, words, author=OFFICE, now=now)
    else:
        tickets.answer(ticket.id, account.id, words, now=now)


def papers(category, day):
    """The (name, stream) pairs of what goes with a ticket of that category."""
    if category not in PAPERS:
        return []
    name, title = PAPERS[category]
    page = paper.Page()
    page.text(paper.LEFT, 760, title, 16, bold=True)
    page.text(paper.LEFT, 740, italian.day(day), colour=paper.PALE)
    page.text(paper.LEFT, 700, "Foglio di prova: nulla di ciò che dice esiste.")
    return [(name, io.BytesIO(page.pdf(title)))]
