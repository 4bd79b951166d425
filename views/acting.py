"""For whom a login acts at an address, and which pages a mandate reaches: decided here alone.

The supply in the address says it: one's own, or one that a mandate is for. `settle` runs before
every view and refuses whatever is not named below, so that no view has to ask and a new one is
closed to delegates until it is put into one of these tables (tests/security/mandates.py wants a
row for each).
"""

from flask import abort, request
from flask_babel import gettext as _
from werkzeug.exceptions import Forbidden

from domain import mandates
from domain.clock import utcnow
from domain.mandates import EVERYTHING, INVOICES

OWN = "proprio"  # in an address: for oneself, not under a mandate
NO_SUPPLY = "-"  # stands in the address of who has no supply

# What concerns the login itself, for whomever it acts at that address; and the guide.
OF_LOGIN = {
    "auth.password_page",
    "auth.save_password",
    "auth.factor",
    "auth.add_factor",
    "auth.remove_factor",
    "auth.renew_recovery_codes",
    "auth.recovery_codes",
    "auth.recovery_codes_as_text",
    "auth.put_codes_away",
    "frame.choose",
    "guide.contents_within",
    "guide.chapter_within",
}
NONE = "none"  # the scope of who acts for nobody at the moment, and is no customer
REACHED = {
    NONE: set(),
    INVOICES: {
        "invoices.index",
        "invoices.pdf",
        "invoices.as_zip",
        "invoices.payment",
    },
}
REACHED[EVERYTHING] = REACHED[INVOICES] | {
    "home.index",
    "readings.index",
    "readings.reading_windows",
    "readings.new",
    "readings.submit",
    "readings.ask_to_cancel",
    "readings.cancel",
    "records.index",
    "consumption.index",
    "consumption.billed_periods",
    "consumption.as_csv",
    "consumption.as_xlsx",
    "tickets.index",
    "tickets.new",
    "tickets.submit",
    "tickets.ticket",
    "tickets.answer",
    "tickets.reopen",
    "tickets.close",
    "tickets.receipt",
    "tickets.attachment",
    "supplies.technical",
    "supplies.contracts",
    "measures.index",
    "measures.curve",
    "measure_files.download",
    *(
        f"documents.{page}_{view}"
        for page in ("modulistica", "normative", "comunicati", "informazioni")
        for view in ("index", "read", "pdf")
    ),
}
FIRST_PAGE = {INVOICES: "fatture", EVERYTHING: "home"}


class OutsideMandate(Forbidden):
    """A delegate asked for what the mandate does not reach."""

    @property
    def sentence(self):
        return _(
            "La delega ricevuta non comprende questa pagina: la può aprire solo il cliente. "
            "Non è stato registrato nulla."
        )


def reaches(scope, endpoint):
    """Whether a mandate of that scope opens a view, given by its endpoint."""
    return endpoint in OF_LOGIN or endpoint in REACHED[scope]


def settle(user):
    """Note in `user.mandate` under which mandate the request is made, if any, or refuse it.

    Returns where to go instead, or None.
    """
    code = supply_in_address()
    if code is None or (user.customer_id is not None and not user.holds_mandates):
        return None
    user.mandate = next((row for row in user.received if row.supply == code), None)
    if user.mandate:
        if not reaches(user.mandate.scope, request.endpoint):
            raise OutsideMandate
        mandates.note_use(user.mandate, now=utcnow())
    elif user.customer_id is None and (code != NO_SUPPLY or request.endpoint not in OF_LOGIN):
        if code != NO_SUPPLY:
            abort(404)
        return "/deleghe"
    return None


def supply_in_address():
    if request.endpoint == "frame.choose":
        return request.args.get("fornitura", "")
    return (request.view_args or {}).get("supply_code")


def first_address(row):
    """Where who chooses to act for a customer begins; `row` is of `mandates.in_force`."""
    return f"/forniture/{row.supply}/{FIRST_PAGE[row.scope]}"
