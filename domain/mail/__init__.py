"""Mail: queued in the database with what it is about, sent once the customer is answered.

- `queue(kind, recipient, …)` in the transaction of what the mail tells, or `queue_notice(kind,
  account, …)` for what the customer may prefer not to be told by mail, `queue_notices` for many;
- `kick()` after its commit: the background sender of this web process looks at once;
- `send_due()` for the job, which sends what was left over and what is for many;
- `report_undelivered()` tells the operators what will never be sent.

A mail is sent at least once, and nearly always exactly once: only a process killed, or a
connection cut, between handing over the text and noting the answer makes it go again,
under the same Message-ID.
"""

from domain.mail.outbox import (
    Notice,
    queue,
    queue_notice,
    queue_notices,
    report_undelivered,
    waits_for_next_minute,
)
from domain.mail.sender import init_app, kick, send_due, send_test

__all__ = [
    "Notice",
    "init_app",
    "kick",
    "queue",
    "queue_notice",
    "queue_notices",
    "report_undelivered",
    "send_due",
    "send_test",
    "waits_for_next_minute",
]
