"""Create an operator of the desk, or let one begin again; by hand, nothing to schedule.

    python -m jobs.create_operator --username m.rossi --name "Maria Rossi" --email m.rossi@…
    python -m jobs.create_operator --reset m.rossi

The first operator is an administrator, who then creates the others at the desk. The first
password is printed once, and opens only the page where one's own is chosen. `--reset` gives a new
one, removes the second factor and ends the open sessions.
"""

from email_validator import EmailNotValidError, validate_email

from domain import operators, register
from domain.errors import Refused
from jobs import runner
from models import Operator, writing


def run(app, *, now, username, name, email, role, reset):
    log = {"key": register.key(app.secret_key), "now": now}
    with writing():
        if reset:
            whom = existing(reset)
            password = operators.reset(whom.id)
            register.record("operator_reset", register.COMMAND_LINE, whom=reset, **log)
        else:
            whom, password = create(username, name, email, role, now=now)
            told = {"whom": whom.username, "role": whom.role}
            register.record("operator_created", register.COMMAND_LINE, **told, **log)
    print(f"Utente: {whom.username}\nPassword di primo accesso: {password}")
    print(f"Sportello: {app.config['BASE_URL']}/staff", flush=True)
    if reset:
        return f"Accesso azzerato per l'operatore {whom.username}."
    return f"Operatore {whom.username} creato."


def existing(username):
    operator = Operator.get_or_none(Operator.username == username)
    if operator is None:
        raise Refused(f"Non c'è un operatore «{username}».")
    return operator


def create(username, name, email, role, *, now):
    if not (username and name and email):
        raise Refused("Servono --username, --name e --email (oppure --reset).")
    try:
        email = validate_email(email, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        raise Refused("L'indirizzo di posta elettronica non è scritto bene.") from None
    first = not Operator.select().exists()
    if first and role == "operator":
        raise Refused("Il primo operatore deve essere un amministratore.")
    role = role or ("administrator" if first else "operator")
    return operators.create(username, name.strip(), email.normalized, role, now=now)


def arguments(parser):
    parser.add_argument("--username", help="how the operator signs in: m.rossi")
    parser.add_argument("--name", help="as customers read it below answers")
    parser.add_argument("--email")
    parser.add_argument("--role", choices=operators.ROLES, help="the first: administrator")
    parser.add_argument("--reset", metavar="USERNAME", help="let this operator begin again")


if __name__ == "__main__":
    runner.main("create_operator", run, arguments, recorded=False)
