"""What each route of the operators' desk names, for tests that walk all of them."""

from tests.factories import (
    make_draft,
    make_import,
    make_mail,
    make_operator,
    make_standard_answer,
    make_upload,
    make_window,
)
from tests.security.routes import with_method

# The door: no operator needs to be signed in.
DOOR = {"staff_entrance.login", "staff_entrance.sign_in", "staff_entrance.logout"}
# Between the password and the second factor, or before a password of one's own.
ENTRANCE = {
    "staff_entrance.code",
    "staff_entrance.give_code",
    "staff_entrance.enrolment",
    "staff_entrance.enrol",
    "staff_entrance.password",
    "staff_entrance.change_password",
}
# Only for administrators.
OPERATORS = ("operator", "set_role", "disable", "enable", "close_sessions", "reset")
ADMINISTRATORS = {
    "staff_operators.index",
    "staff_operators.new",
    "staff_operators.create",
    *(f"staff_operators.{name}" for name in OPERATORS),
}
# Routes that name nothing.
NAMELESS = {
    "staff_operators.index",
    "staff_operators.new",
    "staff_operators.create",
    "staff_register.index",
    "staff_register.as_csv",
    "staff_entrance.recovery_codes",
    "staff_entrance.recovery_codes_as_text",
    "staff_entrance.put_codes_away",
    "staff_entrance.renew_codes",
    "staff_entrance.close_all_sessions",
    "staff_dashboard.index",
    "staff_customers.index",
    "staff_customers.leave",
    "staff_readings.index",
    "staff_readings.as_csv",
    "staff_windows.index",
    "staff_windows.new",
    "staff_windows.create",
    "staff_documents.index",
    "staff_publishing.new",
    "staff_publishing.prepare",
    "staff_uploads.index",
    "staff_uploads.upload",
    "staff_tickets.index",
    "staff_tickets.register",
    "staff_tickets.new",
    "staff_tickets.submit",
    "staff_standard_answers.index",
    "staff_standard_answers.new",
    "staff_standard_answers.add",
    "staff_mails.index",
    "staff_mails.retry_all",
    "staff_guide.contents",
    "staff_guide.whole",
}
# What an address names, in its path or its parameters, by route: how to make it. `owner` is a
# customer who has one of each thing (tests/security/owners.py).
OBJECTS = {
    "staff_customers.sheet": lambda own: {"code": own.customer.code},
    **{
        f"staff_customers.{name}": lambda own: {"code": own.customer.code, "key": own.account.id}
        for name in (
            "resend",
            "disable",
            "enable",
            "close_sessions",
            "remove_factor",
            "email",
            "correct_email",
            "look",
        )
    },
    **{
        f"staff_erasure.{name}": lambda own: {"code": own.customer.code}
        for name in ("index", "erase", "decline")
    },
    "staff_readings.new": lambda own: {"fornitura": own.gas.code},
    "staff_readings.submit": lambda own: {"fornitura": own.gas.code},
    "staff_readings.ask_to_cancel": lambda own: {"key": own.reading().id},
    "staff_readings.cancel": lambda own: {"key": own.reading().id},
    "staff_windows.edit": lambda own: {"key": make_window().id},
    "staff_windows.change": lambda own: {"key": make_window().id},
    "staff_windows.ask_to_delete": lambda own: {"key": make_window().id},
    "staff_windows.delete": lambda own: {"key": make_window().id},
    **{
        f"staff_uploads.{name}": lambda own: {"key": make_upload(own.app).id}
        for name in ("waiting", "waiting_errors", "try_again", "choose_kind", "load", "discard")
    },
    **{
        f"staff_uploads.{name}": lambda own: {"key": make_import().id}
        for name in ("report", "errors", "confirm", "discard_held")
    },
    "staff_tickets.ticket": lambda own: {"code": own.ticket().code},
    "staff_tickets.answer": lambda own: {"code": own.ticket().code},
    "staff_tickets.use_standard_answer": lambda own: {"code": own.ticket().code},
    "staff_tickets.note": lambda own: {"code": own.ticket().code},
    "staff_tickets.close": lambda own: {"code": own.ticket().code},
    "staff_tickets.reopen": lambda own: {"code": own.ticket().code},
    "staff_tickets.assign": lambda own: {"code": own.ticket().code},
    "staff_tickets.attachment": lambda own: own.attachment(),
    "staff_tickets.receipt": lambda own: {"code": own.ticket().code},
    **{
        f"staff_documents.{name}": lambda own: {"key": own.document("personal").id}
        for name in ("read", "pdf", "withdraw", "delete")
    },
    **{
        f"staff_publishing.{name}": lambda own: {"key": own.document("personal").id}
        for name in ("edit", "prepare_change")
    },
    **{
        f"staff_publishing.{name}": lambda own: {"key": make_draft(own.app).id, "place": 0}
        for name in (
            "preview",
            "draft_pdf",
            "edit_draft",
            "change_draft",
            "retitle",
            "publish",
            "drop",
        )
    },
    "staff_standard_answers.answer": lambda own: {"key": make_standard_answer().id},
    "staff_standard_answers.change": lambda own: {"key": make_standard_answer().id},
    "staff_standard_answers.remove": lambda own: {"key": make_standard_answer().id},
    "staff_guide.chapter": lambda own: {"name": "clienti"},
    "staff_mails.retry": lambda own: {"key": make_mail(own.account, state="failed").id},
    "staff_mails.give_up": lambda own: {"key": make_mail(own.account).id},
    **{
        f"staff_operators.{name}": lambda own: {"username": make_operator().username}
        for name in OPERATORS
    },
}


def routes(app, *methods):
    """(rule, method) of all that needs an operator."""
    for rule, method in with_method(app, *methods):
        if rule.endpoint.startswith("staff_") and rule.endpoint not in DOOR | ENTRANCE:
            yield rule, method


def values_of(rule, owner):
    """The values of a rule's address; a route not told of here fails."""
    assert rule.endpoint in NAMELESS | OBJECTS.keys(), (
        f"{rule.endpoint} ({rule.rule}) is new: tell tests/security/desk.py how to make what its "
        "address names (OBJECTS), or that it names nothing (NAMELESS)"
    )
    return OBJECTS[rule.endpoint](owner) if rule.endpoint in OBJECTS else {}
