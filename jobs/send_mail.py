"""Send the mail that waits: what the portal could not send at once, and what comes from jobs.

Cron, every minute:

    * * * * *  python -m jobs.send_mail

A mail refused for now is tried again after 1, 2, 5, 15, 30 minutes and then every hour,
for two days; what cannot be delivered the operators are told by mail, once an hour at most.
While the server takes no mail at all, the exit code is 75.
"""

from domain import mail
from domain.clock import utcnow
from domain.errors import Refused
from domain.mail.transport import Deferred, ServerTrouble, Undeliverable
from jobs import runner


def arguments(parser):
    parser.add_argument(
        "--test", metavar="ADDRESS", help="send one test mail now and say what the server answered"
    )


def run(app, *, now, test=None):
    if test:
        return send_test(app, test, now)
    tally = mail.send_due()
    mail.report_undelivered(now=utcnow())
    summary = f"Inviate {tally.sent}, rinviate {tally.postponed}, non recapitabili {tally.failed}."
    if mail.waits_for_next_minute(app.config["MAIL_RATE"], now=utcnow()):
        summary += f" Limite di {app.config['MAIL_RATE']} al minuto: le altre aspettano."
    if tally.trouble:
        raise runner.TryLater(f"{summary} {tally.trouble}")
    return summary


def send_test(app, address, now):
    try:
        answer = mail.send_test(address, now=now)
    except (Deferred, ServerTrouble, Undeliverable) as error:
        server = f"{app.config['MAIL_SERVER']}:{app.config['MAIL_PORT']}"
        raise Refused(f"Mail di prova non inviata con {server}: {error}") from error
    return f"Mail di prova inviata a {address}. Risposta del server: {answer}"


if __name__ == "__main__":
    runner.main("send_mail", run, arguments)
