"""What the portal keeps of a login and its customers, as «Scarica i miei dati» gives it away.

Each function answers with what one file of JSON holds, or, as `customers`, `tickets` and
`supply_points`, with the rows to go through. Names and words are those of docs/formati.md: the
caller speaks Italian, whatever language the screen has. On a `shelf`, see domain/export.py, lie
the documents that a file names.
"""

import datetime as dt
import json
from decimal import Decimal

from domain import attachments, consumption, history_sentences, mandate_list, preferences, supplies
from domain.clock import ROME, rome_day
from domain.language import LANGUAGES, of_login
from domain.mandate_list import EVERY
from models import (
    Account,
    Attachment,
    CalendarLink,
    ContactChange,
    Contract,
    Customer,
    Document,
    ErasureRequest,
    Event,
    Grant,
    Instalment,
    Invoice,
    InvoiceSupply,
    MeterReading,
    Nickname,
    OutgoingMail,
    RegisterReading,
    SelfReading,
    Session,
    StoredFile,
    SupplyPoint,
    Ticket,
    TicketMessage,
)

# -- The login -----------------------------------------------------------------------------


def account(account_id, now):
    account = Account.get_by_id(account_id)
    own = (Session.account == account_id,)
    return {
        **_shown(account, ("user username", "email", "registrato_il created_at",
                           "ultimo_accesso last_access_at",
                           "secondo_fattore_dal totp_since")),
        "lingua": LANGUAGES[of_login(account)],
        "avvisi_per_posta": account.notices,
        "avvisi_scelti": [
            str(about)
            for group, about in preferences.NOTICES.items()
            if getattr(account, f"notices_{group}")
        ],
        "accessi_aperti": [
            _shown(row, ("dal created_at", "usato_il seen_at"))
            for row in Session.select(Session.created_at, Session.seen_at).where(*own)
        ],
        "calendari": [
            {"fornitura": row.supply.code, "creato_il": _plain(row.created_at)}
            for row in CalendarLink.select(CalendarLink, SupplyPoint)
            .join(SupplyPoint)
            .where(CalendarLink.account == account_id)
        ],
        "deleghe_ricevute": [
            {"da": row.other, **_mandate(row)}
            for row in mandate_list.received(account_id, ended=EVERY, now=now)
        ],
        "messaggi_inviati": [
            _shown(row, ("tipo kind", "indirizzo recipient", "chiesto_il created_at",
                         "inviato_il sent_at"))
            for row in OutgoingMail.select()
            .where(OutgoingMail.account == account_id)
            .order_by(OutgoingMail.id)
        ],
    }  # fmt: skip


def _own_customers(account_id):
    return Grant.select(Grant.customer).where(Grant.account == account_id)


def events(account_id):
    events = (
        Event.select(Event, SupplyPoint.code.alias("supply_code"))
        .left_outer_join(SupplyPoint, on=Event.supply == SupplyPoint.id)
        .where((Event.account == account_id) | Event.customer.in_(_own_customers(account_id)))
        .order_by(Event.at, Event.id)
        .namedtuples()
    )
    return [
        {**_shown(row, ("quando at", "evento kind", "fornitura supply_code")),
         "descrizione": history_sentences.sentence(row.kind, row.details),
         "dettagli": json.loads(row.details)}
        for row in events
    ]  # fmt: skip


# -- The customer --------------------------------------------------------------------------


def customers(account_id):
    return list(Customer.select().where(Customer.id.in_(_own_customers(account_id))))


def customer(customer, now):
    changes = ContactChange.select().where(ContactChange.customer == customer)
    requests = ErasureRequest.select().where(ErasureRequest.customer == customer)
    return {
        **_shown(customer, (
            "codice_cliente code", "denominazione name", "codice_fiscale tax_code",
            "partita_iva vat_number", "via street", "civico street_number", "cap postcode",
            "comune city", "provincia province", "telefono phone", "fax", "email",
            "attivo active")),
        "contatti_cambiati": [
            {"contatto": {"phone": "telefono"}.get(row.field, row.field),
             **_shown(row, ("quando made_at", "da previous", "a value",
                            "confermato_il settled_at"))}
            for row in changes.order_by(ContactChange.id)
        ],
        "deleghe_date": [
            {"a": row.other, "email": row.email, **_mandate(row)}
            for row in mandate_list.given(customer.id, ended=EVERY, now=now)
        ],
        "richieste_di_cancellazione": [
            _shown(row, ("fatta_il made_at", "ritirata_il withdrawn_at", "evasa_il settled_at",
                         "non_accolta_perche refusal"))
            for row in requests.order_by(ErasureRequest.id)
        ],
    }  # fmt: skip


SCOPES = {"invoices": "solo_fatture", "everything": "tutto_tranne_modifica_dati"}


def _mandate(row):
    return {
        **_shown(row, ("data_il given_at", "accettata_il accepted_at", "ultimo_giorno ends_on",
                       "finita_il ended_at", "usata_il used_on")),
        "permesso": SCOPES[row.scope],
        "forniture": list(row.supplies),
    }  # fmt: skip


def invoices(customer, shelf, _now):
    invoices = (
        Invoice.select(Invoice, StoredFile)
        .left_outer_join(StoredFile)
        .where(Invoice.customer == customer)
        .order_by(Invoice.date, Invoice.id)
    )
    named = _by_invoice(
        InvoiceSupply.select(InvoiceSupply.invoice, SupplyPoint.code)
        .join(SupplyPoint)
        .where(InvoiceSupply.invoice.in_(invoices.select(Invoice.id)))
    )
    due = _by_invoice(
        Instalment.select(Instalment.invoice, Instalment.due_on, Instalment.amount_cents)
        .where(Instalment.invoice.in_(invoices.select(Invoice.id)))
        .order_by(Instalment.due_on, Instalment.id)
    )
    return [
        {
            **_shown(row, ("numero number", "data date", "scadenza due_on", "iban")),
            "tipo": "nota_credito" if row.kind == "credit_note" else "fattura",
            "importo": _euros(row.amount_cents),
            "stato": "pagata" if row.paid else "da_pagare",
            "forniture": [code for (code,) in named.get(row.id, [])],
            "rate": [
                {"scadenza": _plain(day), "importo": _euros(cents)}
                for day, cents in due.get(row.id, [])
            ],
            "documento": row.document and shelf.put(row.document),
        }
        for row in invoices
    ]


def _by_invoice(query):
    """The rest of each row by the id of its invoice, which comes first."""
    rows = {}
    for invoice, *rest in query.tuples():
        rows.setdefault(invoice, []).append(rest)
    return rows


def documents(customer, shelf, now):
    """The personal ones that were published so far."""
    begun = Document.visible_from.is_null() | (Document.visible_from <= rome_day(now))
    return [
        {**_shown(row, ("titolo title", "data date", "testo text")),
         "documento": row.file and shelf.put(row.file)}
        for row in Document.select(Document, StoredFile)
        .left_outer_join(StoredFile)
        .where(Document.customer == customer, begun, Document.withdrawn_at.is_null())
        .order_by(Document.date, Document.id)
    ]  # fmt: skip


CATEGORIES = {
    "information": "informazioni",
    "complaint": "reclamo",
    "billing": "rettifica_fatturazione",
    "data_change": "modifica_dati",
    "other": "altro",
}
STATES = {"open": "aperto", "answered": "risposto", "closed": "chiuso"}
TURNS = {"text": "messaggio", "closed": "chiusura", "reopened": "riapertura"}


def tickets(customer):
    return list(
        Ticket.select(Ticket, SupplyPoint.code.alias("supply_code"))
        .left_outer_join(SupplyPoint, on=Ticket.supply == SupplyPoint.id)
        .where(Ticket.customer == customer)
        .order_by(Ticket.id)
        .objects()
    )


def ticket(ticket, shelf):
    attached = {}
    # Notes among operators stay with the utility: see docs/privacy.md.
    shown = TicketMessage.ticket == ticket.id, ~TicketMessage.internal
    messages = TicketMessage.select().where(*shown)
    for each in Attachment.select().join(TicketMessage).where(*shown).order_by(Attachment.id):
        attachments.settle(each, shelf.documents)  # as when it is asked for alone
        attached.setdefault(each.message_id, []).append(each)
    return {
        **_shown(ticket, ("codice code", "fornitura supply_code", "oggetto subject",
                          "aperto_il opened_at", "chiuso_il closed_at",
                          "risposta_entro due_on")),
        "categoria": CATEGORIES[ticket.category],
        "stato": STATES[ticket.state],
        "messaggi": [
            {
                **_shown(row, ("quando at", "testo text", "firma author", "delegato delegate")),
                "tipo": TURNS[row.kind],
                "di": "cliente" if row.by_customer else "fornitore",
                "allegati": [
                    {"nome": each.name, "documento": shelf.put(each)}
                    for each in attached.get(row.id, [])
                ],
            }
            for row in messages.order_by(TicketMessage.at, TicketMessage.id)
        ],
    }  # fmt: skip


# -- The supplies --------------------------------------------------------------------------


def supply_points(customer):
    return list(
        SupplyPoint.select().where(SupplyPoint.customer == customer).order_by(SupplyPoint.code)
    )


def supplies_of(customer, account_id):
    names = dict(
        Nickname.select(Nickname.supply, Nickname.text)
        .where(Nickname.account == account_id)
        .tuples()
    )
    columns = (
        "codice_fornitura code", "servizio service", "pod", "pdr", "via street",
        "civico street_number", "cap postcode", "comune city", "provincia province",
        "attiva_dal active_from", "cessata_il ended_on", "matricola meter_serial",
        "cifre digits", "distributore distributor", "consumo_annuo annual_use",
        "potenza_impegnata_kw committed_power_kw", "potenza_disponibile_kw available_power_kw",
        "tensione_v voltage_v", "fasi phases", "tipo_misuratore meter_type",
        "classe_misuratore meter_class", "coefficiente_c coefficient_c",
        "correttore has_corrector", "matricola_correttore corrector_serial", "remi",
        "categoria_uso use_category",
    )  # fmt: skip
    return [{**_shown(row, columns), "nome": names.get(row.id)} for row in supply_points(customer)]


def contracts(supply):
    columns = (
        "codice_contratto code", "offerta offer", "mercato market", "uso use",
        "decorrenza starts_on", "scadenza ends_on", "tipo_prezzo price_type",
        "periodicita billing_period", "modalita_pagamento payment_method", "iban masked_iban",
    )  # fmt: skip
    lasted = Contract.ends_on.is_null() | (Contract.ends_on >= supplies.first_day(supply))
    return [
        {**_shown(row, columns), "deposito": _euros(row.deposit_cents)}
        for row in Contract.select()
        .where(Contract.supply == supply, lasted, Contract.starts_on <= supplies.last_day(supply))
        .order_by(Contract.starts_on)
    ]


READING_STATES = {
    "pending": "da_acquisire",
    "cancelled": "cancellata",
    "acquired": "acquisita",
    "validated": "validata",
    "rejected": "respinta",
}


def readings(supply):
    own = SelfReading.select().where(
        SelfReading.supply == supply, SelfReading.entered_for(supply.customer_id)
    )
    others = MeterReading.select().where(
        MeterReading.supply == supply,
        MeterReading.day.between(supplies.first_day(supply), supplies.last_day(supply)),
    )
    both = ("data day", "contatore counter", "correttore corrector", "matricola meter_serial")
    return {
        "autoletture": [
            {**_shown(row, (*both, "inserita_il entered_at", "confermata confirmed",
                            "motivo reason")),
             "stato": READING_STATES[row.state],
             "comunicata_per_telefono": row.taken_for_id is not None,
             "inserita_dal_delegato": row.delegate}
            for row in own.order_by(SelfReading.day, SelfReading.id)
        ],
        "letture": [
            _shown(row, (*both, "fonte source"))
            for row in others.order_by(MeterReading.day, MeterReading.id)
        ],
        "registri": _registers(supply),
    }  # fmt: skip


def _registers(supply):
    """What distributors sent of the registers of an electricity meter, in kWh, kvarh and kW."""
    row = RegisterReading
    query = row.select().where(
        row.supply == supply,
        row.day.between(supplies.first_day(supply), supplies.last_day(supply)),
    )
    return [
        {
            **_shown(each, ("data day", "registro register", "stimata estimated")),
            "valore": _thousandths(each.value),
            "tipo": {"reading": "lettura", "consumption": "consumo"}[each.kind],
        }
        for each in query.order_by(row.day, row.register, row.kind)
    ]


CONSUMPTION_KINDS = {"actual": "effettivo", "self_read": "autolettura", "estimated": "stimato"}


def billed_consumption(supply):
    amounts = ("f1", "f2", "f3", "totale total", "potenza_kw power_w",
               "reattiva_kvarh reactive_varh")  # fmt: skip
    return [
        {
            **_shown(row, ("dal starts_on", "al ends_on")),
            **{name: _thousandths(v) for name, v in _shown(row, amounts).items()},
            "unita": "Smc" if supply.is_gas else "kWh",
            "tipo": CONSUMPTION_KINDS[row.kind],
            "fattura": row.invoice_number,
        }
        for row in consumption.periods(supply)
    ]


# -- How it is told ------------------------------------------------------------------------


def _plain(value):
    """As JSON keeps it: days and instants ISO 8601, these with the offset of Rome."""
    if isinstance(value, dt.datetime):
        return value.astimezone(ROME).isoformat(timespec="seconds")
    if isinstance(value, dt.date):
        return value.isoformat()
    return float(value) if isinstance(value, Decimal) else value


def _shown(row, columns):
    """What `row` has, under the names of `columns`: "name" or "name attribute" each."""
    pairs = (column.partition(" ") for column in columns)
    return {name: _plain(getattr(row, attribute or name)) for name, _blank, attribute in pairs}


def _euros(cents):
    return None if cents is None else cents / 100


def _thousandths(number):
    return None if number is None else number / 1000
