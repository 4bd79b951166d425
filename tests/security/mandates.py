"""Which scope of a mandate opens each of a customer's routes: a new one must be told of here."""

from tests.security.owners import Owner
from views.documents import PAGES

LOGIN = "the login's own"  # whoever it acts for
INVOICES, EVERYTHING = "invoices", "everything"
OWNER = "the customer alone"
NO_SUPPLY = "no supply in its address"

LEAST = {
    **dict.fromkeys(
        (
            "auth.password_page", "auth.save_password", "auth.factor", "auth.add_factor",
            "auth.remove_factor", "auth.renew_recovery_codes", "auth.recovery_codes",
            "auth.recovery_codes_as_text", "auth.put_codes_away", "frame.choose",
            "guide.contents_within", "guide.chapter_within",
        ),
        LOGIN,
    ),
    **dict.fromkeys(
        ("invoices.index", "invoices.pdf", "invoices.as_zip", "invoices.payment"), INVOICES
    ),
    **dict.fromkeys(
        (
            "home.index", "records.index", "supplies.technical", "supplies.contracts",
            "readings.index", "readings.reading_windows", "readings.new", "readings.submit",
            "readings.ask_to_cancel", "readings.cancel",
            "consumption.index", "consumption.billed_periods", "consumption.as_csv",
            "consumption.as_xlsx", "measures.index", "measures.curve", "measure_files.download",
            "tickets.index", "tickets.new", "tickets.submit", "tickets.ticket", "tickets.answer",
            "tickets.reopen", "tickets.close", "tickets.receipt", "tickets.attachment",
            *(f"documents.{page}_{view}" for page in PAGES.keys() - {"documenti"}
              for view in ("index", "read", "pdf")),
        ),
        EVERYTHING,
    ),
    **dict.fromkeys(
        (
            "documents.documenti_index", "documents.documenti_read", "documents.documenti_pdf",
            "history.index", "mandates.index", "mandates.give", "mandates.revoke",
            "preferences.index", "preferences.save", "preferences.name_supply",
            "preferences.download", "preferences.ask_for_erasure", "preferences.erase",
            "preferences.withdraw", "preferences.make_calendar", "preferences.replace_calendar",
            "preferences.revoke_calendar", "records.save_contacts", "records.ask_for_email",
            "records.withdraw_email",
        ),
        OWNER,
    ),
    **dict.fromkeys(
        (
            "frame.home_of_default", "auth.change_password", "auth.close_all_sessions",
            "auth.code", "auth.give_code", "mandates.received", "mandates.act",
            "mandates.give_back",
        ),
        NO_SUPPLY,
    ),
}  # fmt: skip


def least(rule):
    """The least scope that opens a route."""
    assert rule.endpoint in LEAST, (
        f"{rule.endpoint} ({rule.rule}) is new: tell tests/security/mandates.py which scope of a "
        "mandate opens it, and where it is one of them views/acting.py"
    )
    return LEAST[rule.endpoint]


def is_open(rule, scope):
    return least(rule) in {LOGIN, scope} or (least(rule) == INVOICES and scope == EVERYTHING)


class Giver(Owner):
    """A customer whose tickets are about the gas supply, and whose mandates may be for it."""

    def ticket(self, **values):
        return super().ticket(supply=self.gas, **values)
