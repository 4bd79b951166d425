"""Mail: queued in the database with what it is about, sent once the customer is answered.

- `queue(kind, recipient, …)` in the transaction of what the mail tells, or `queue_notice(kind,
  account, …)` for what the customer may prefer not to be told by mail;
- `kick()` after its commit: the background sender of this web process looks at once;
- `send_due()` for the job, which sends what was left over.

A mail is sent at least once, and nearly always exactly once: only a process killed, or a
connection cut, between handing over the text and noting the answer makes it go again,
under the same Message-ID.
"""

from domain.mail.outbox import queue, queue_notice, queue_notices
from domain.mail.sender import init_app, kick, send_due, send_test

__all__ = ["init_app", "kick", "queue", "queue_notice", "queue_notices", "send_due", "send_test"]
