"""What each route of the operators' desk names, for tests that walk all of them."""

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
ADMINISTRATORS = set()
# Routes that name nothing.
NAMELESS = {
    "staff_entrance.recovery_codes",
    "staff_entrance.recovery_codes_as_text",
    "staff_entrance.put_codes_away",
    "staff_entrance.renew_codes",
    "staff_entrance.close_all_sessions",
    "staff_dashboard.index",
}
# What an address names, in its path or its parameters, by route: how to make it. `owner` is a
# customer who has one of each thing (tests/security/owners.py).
OBJECTS = {}


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
