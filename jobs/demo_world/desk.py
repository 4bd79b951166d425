"""Who works at the desk of the demo, ready to sign in: /demo/telefono shows their codes."""

import secrets

from domain import passwords, register
from jobs.demo_world import people
from models import Operator, writing


def open_to_all(secret_key, *, now):
    """The operators, unless some are there already."""
    if Operator.select().exists():
        return
    ready = {
        "password_hash": passwords.hashed(people.DESK_PASSWORD),
        "must_change_password": False,
        "totp_since": now,
        "created_at": now,
    }
    log = {"key": register.key(secret_key), "now": now}
    with writing():
        for each in people.DESK:
            Operator.create(**each, **ready, totp_nonce=secrets.token_hex(16))
            told = {"whom": each["username"], "role": each["role"]}
            register.record("operator_created", register.COMMAND_LINE, **told, **log)
