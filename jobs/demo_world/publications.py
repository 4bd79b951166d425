"""Documents and notices of the demo: forms, rules, news, and papers of single customers."""

import datetime as dt
from typing import NamedTuple

from jobs.demo_world import paper, people


class Publication(NamedTuple):
    """A row of `documenti`; `age` in days before the day of the demo, `body` on its paper."""

    category: str
    title: str
    age: int
    text: str | None = None
    body: str | None = None
    customer: str | None = None
    shown: tuple = (None, None)  # first and last day, in days from the day of the demo

    @property
    def file(self):
        words = "".join(each if each.isalnum() else " " for each in self.title.lower()).split()
        name = "_".join([self.customer or self.category, *words])
        return f"{name}.pdf" if self.body else None


FILL_IN = (
    "Compilare in stampatello, firmare e consegnare allo sportello, oppure spedire con una copia "
    "del documento d'identità.\n\nCodice cliente ______________________\n\nDenominazione "
    "____________________________________________\n\nPunto di fornitura (POD o PDR) "
    "__________________________\n\nTelefono ______________________   E-mail "
    "______________________\n\n"
)


def form(title, age, what):
    return Publication(
        "modulistica", title, age, body=f"{what}\n\n{FILL_IN}Data e firma ___________"
    )


def rule(title, age, what):
    return Publication("normative", title, age, body=what)


def personal(title, age, what, customer=people.READY["code"]):
    return Publication("personale", title, age, body=what, customer=customer)


PUBLICATIONS = (
    form("Reclamo scritto", 400, "Per dire che cosa non va: la risposta arriva per iscritto."),
    form("Rettifica di fatturazione", 400, "Per chiedere di correggere una fattura già emessa."),
    form("Voltura della fornitura", 380, "Per intestare a sé una fornitura attiva di un altro."),
    form("Subentro e riattivazione", 380, "Per riattivare una fornitura che era cessata."),
    form("Disdetta della fornitura", 380, "Per chiudere il contatore e il contratto."),
    form("Addebito diretto SEPA sul conto corrente", 360, "Per pagare le fatture senza pensarci."),
    form("Delega a un familiare o a un incaricato", 350, "Per farsi rappresentare allo sportello."),
    form("Dati catastali dell'immobile", 340, "Da dichiarare per ogni fornitura."),
    form("Richiesta di rateizzazione", 300, "Per pagare una fattura un po' alla volta."),
    form("Aumento o riduzione della potenza", 280, "Per cambiare la potenza impegnata."),
    form("Verifica del contatore", 250, "Per chiedere al distributore di controllarlo."),
    form("Spostamento del contatore", 250, "Per chiedere al distributore un preventivo."),
    form("Agevolazioni fiscali per le imprese", 2, "Per l'IVA ridotta e le accise agevolate."),
    rule("Condizioni generali di fornitura", 330, "I patti validi per tutti i contratti."),
    rule("Carta dei servizi", 330, "Che cosa promettiamo, in quanto tempo, e a chi rivolgersi."),
    rule("Codice di condotta commerciale", 420, "Le regole di chi vende energia e gas ai clienti."),
    rule("Qualità dei servizi di vendita e indennizzi automatici", 210,
         "I tempi di risposta ai reclami e che cosa spetta al cliente se non sono rispettati."),
    rule("Informativa sul trattamento dei dati personali", 500, "Quali dati teniamo e perché."),
    rule("Come si compone l'energia che vendiamo", 150, "Le fonti dell'energia degli ultimi anni."),
    Publication(
        "comunicati", "Nuovi orari dello sportello", 1,
        "Dal prossimo mese lo sportello di VIA DI PROVA 1 apre anche il sabato mattina.\n\n"
        "Lunedì - venerdì: 8:30 - 13:00 e 14:30 - 17:00\nSabato: 9:00 - 12:00\n\n"
        "Per evitare attese è possibile prenotare per telefono allo 0574 000000.",
    ),
    Publication(
        "comunicati", "Attenzione alle telefonate e alle visite di falsi incaricati", 35,
        "Alcuni clienti segnalano telefonate e visite di persone che si presentano a nostro nome "
        "e chiedono di vedere una bolletta o di confermare il codice POD o PDR.\n\n"
        "I nostri incaricati hanno sempre un tesserino con la fotografia, non chiedono mai denaro "
        "e non fanno firmare contratti sulla porta. Nel dubbio non dare nessun dato e telefonare "
        "allo sportello: 0574 000000.",
    ),
    Publication(
        "comunicati", "Con il freddo controllare il contatore del gas", 62,
        "Se il contatore è all'esterno, con il gelo lo schermo può restare spento per qualche ora. "
        "Non occorre chiamare: la misura continua e la lettura si può comunicare il giorno dopo.",
    ),
    Publication(
        "comunicati", "Aggiornamento delle condizioni economiche", 20,
        "Le condizioni delle offerte che scadono nei prossimi mesi sono nel documento allegato. "
        "Chi ha ricevuto una lettera personale la trova anche in «I miei documenti».",
        body="Offerte LUCE SERENA e GAS SERENO: prezzi dei dodici mesi che seguono la scadenza.",
    ),
    Publication(
        "comunicati", "Lavori alla rete in VIA DELL'INDUSTRIA DI PROVA", 95,
        "Il distributore interromperà l'energia dalle 8:30 alle 11:30.", shown=(-95, -88),
    ),
    Publication(
        "comunicati", "Chiusura degli uffici per la festa del patrono", 0,
        "Lo sportello resta chiuso un giorno; il pronto intervento risponde sempre.",
        shown=(12, 20),
    ),
    Publication(
        "informazioni", "Come leggere la bolletta", 300,
        "La prima pagina dice quanto si paga, entro quando e per quale periodo. Poi vengono i "
        "consumi, con la parola «effettivo» se il contatore è stato letto e «stimato» se non lo "
        "è stato, e infine il dettaglio dei prezzi.\n\nL'opuscolo spiega ogni voce con un esempio.",
        body="Ogni voce della bolletta, spiegata con un esempio.",
    ),
    Publication(
        "informazioni", "Bonus sociale per luce e gas", 240,
        "Lo sconto spetta alle famiglie con un ISEE sotto la soglia e arriva da solo in bolletta: "
        "basta presentare ogni anno la dichiarazione per l'ISEE.\n\n"
        "Le regole aggiornate sono su https://www.arera.it/consumatori.",
    ),
    Publication(
        "informazioni", "Pronto intervento e numeri utili", 200,
        "Odore di gas: aprire le finestre, non accendere luci, uscire e chiamare il pronto "
        "intervento del distributore, scritto anche in bolletta: 800 000 000, sempre.\n\n"
        "Guasti dell'energia elettrica: 800 000 001, sempre.\nSportello clienti: 0574 000000.",
    ),
    Publication(
        "informazioni", "Consigli per consumare meno", 120,
        "Un grado in meno in casa vale circa il sette per cento della spesa per il riscaldamento.",
        body="Dodici consigli per la cucina, il bagno, le luci e il riscaldamento.",
    ),
    Publication(
        "informazioni", "Quando e come comunicare l'autolettura", 80,
        "I periodi sono in «Autolettura Contatore». Si scrivono solo le cifre prima della virgola; "
        "se il numero sembra insolito il portale chiede una conferma.",
    ),
    personal("Contratto PR002874 LUCE SERENA", 900, "Copia del contratto firmato."),
    personal("Contratto PR002876 GAS SERENO", 900, "Copia del contratto firmato."),
    personal("Riepilogo dei pagamenti dell'anno scorso", 230, "Fatture emesse e pagate nell'anno."),
    personal("Piano di rateizzazione", 140, "Tre rate mensili, senza interessi."),
    personal("Nuove condizioni dell'offerta LUCE SERENA", 2, "Valide dalla prossima scadenza."),
    personal("Contratto PR003001 LUCE SERENA", 500, "Copia del contratto firmato.",
             people.NEWCOMER["code"]),
)  # fmt: skip


def rows(today):
    """The rows of the file."""
    for each in PUBLICATIONS:
        first, last = (
            None if days is None else today + dt.timedelta(days=days) for days in each.shown
        )
        yield {
            "categoria": each.category,
            "titolo": each.title,
            "data": today - dt.timedelta(days=each.age),
            "file": each.file,
            "testo": each.text,
            "codice_cliente": each.customer,
            "visibile_dal": first,
            "visibile_al": last,
        }


def documents(today):
    """(name, bytes) of the PDFs that the rows name."""
    for each in PUBLICATIONS:
        if each.file:
            day = today - dt.timedelta(days=each.age)
            yield each.file, paper.letter(each.title, day, each.body)
