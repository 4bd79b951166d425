"""Tell whether the portal is well: jobs, queues, disk, backups, register, tables, documents.

For monitoring, every quarter of an hour; it waits for nobody and nobody waits for it:

*/15 * * * *  python -m jobs.check

A line for each check; the exit code is 1 when one of them asks for something to be done. With
--json the same as JSON on standard output, and the log line on standard error. What the fields
mean is in docs/monitoraggio.md.
"""

import json as text_of

from domain import checkup, register
from domain.errors import Refused
from jobs import runner

LAYOUT = 1  # of the JSON; another number where a field changes its meaning or goes


def arguments(parser):
    parser.add_argument("--json", action="store_true", help="for programs")


def run(app, *, now, json=False):
    findings = list(checkup.examine(app.config, key=register.key(app.secret_key), now=now))
    bad = [finding for finding in findings if not finding.ok]
    if json:
        print(as_json(findings, now), flush=True)
    else:
        for finding in findings:
            print(line(finding))
    if bad:
        raise Refused(f"Da fare: {', '.join(finding.name for finding in bad)}.")
    return f"{len(findings)} controlli, tutto a posto."


def line(finding):
    word = "ok     " if finding.ok else "DA FARE"
    todo = "" if finding.ok else f" -> {finding.todo}"
    return f"{word} {finding.name}: {finding.says}{todo}"


def as_json(findings, now):
    told = {
        "layout": LAYOUT,
        "at": now.isoformat(timespec="seconds"),
        "ok": all(finding.ok for finding in findings),
        "checks": [
            {"name": each.name, "ok": each.ok, "message": each.says, "todo": each.todo,
             "data": each.data}
            for each in findings
        ],
    }  # fmt: skip
    return text_of.dumps(told, ensure_ascii=False, indent=1)


if __name__ == "__main__":
    runner.main("check", run, arguments, migrated=False, recorded=False, alone=False)
