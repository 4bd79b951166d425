"""Mail: queued in the database with what it is about, sent after the customer is answered.

- `queue(kind, recipient, …)` inside the transaction of what the mail tells;
- `kick()` after its commit: the background sender of this web process looks at once;
- `send_due()` for the job, which sends what was left.
"""

from domain.mail.outbox import queue
from domain.mail.sender import init_app, kick

__all__ = ["init_app", "kick", "queue"]
