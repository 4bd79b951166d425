"""Attack the demo with other people's tools, on this computer only.

    python -m tests.attack --seconds 600            (or: make attack)

Starts a demo of its own in a temporary folder and a free port of 127.0.0.1, signs in as a
customer and as an operator, and lets loose wapiti and sqlmap as anybody, as each of them; then
bandit on the code and csp_evaluator on the policy. A finding is new unless docs/security.md
explains it. It ends with 1 if something is new, if the server has answered with a 5xx, if a
session did not last, or if the jobs cannot go on with what the attack has left.
"""

import argparse
import datetime as dt
import re
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from jobs.demo import ROOT
from tests import smtp
from tests.attack import portal as demo
from tests.attack.tools import Finding, Target, Tools

FOLDER = ROOT / "attack-data"
# What would end the session of who attacks, or take the login away.
ENDS_THE_SESSION = (
    "/logout*", "/sessioni*", "/forniture/*/password*", "/password", "/staff/logout*",
    "/staff/password*", "/staff/operatori/capo*", "/staff/clienti/000002*",
)  # fmt: skip


def targets(visitor):
    """What sqlmap tries as `visitor`: every search, filter, order, page and key reaches SQL."""
    if visitor.name == "chiunque":
        login, codes = ("/login", "username=000002&password=x"), "code=000002&tax_id=00000020974"
        return [
            Target("registrazione", "/registrazione", "code,tax_id", ("/registrazione", codes)),
            Target("recupero", "/password-dimenticata", "code",
                   ("/password-dimenticata", "code=000002")),
            Target("sportello", "/staff/login", "username",
                   ("/staff/login", "username=capo&password=x")),
            Target("login", "/login", "username,password", login),  # the slowest: Argon2
        ]  # fmt: skip
    table = "pag=1&righe=10"
    if visitor.name == "cliente":
        own = re.search(r"/forniture/[^/]+", visitor.home)[0]
        return [
            Target("fatture", f"{own}/fatture?anno=2025&stato=da-pagare&ordine=-data&{table}",
                   "anno,stato,ordine,pag,righe"),
            Target("storico", f"{own}/storico?tipo=accessi&dal=01/01/2026&al=31/12/2026&{table}",
                   "tipo,dal,al,pag"),
            Target("comunicati", f"{own}/comunicati?cerca=acqua&ordine=titolo&{table}",
                   "cerca,ordine"),
            Target("chiave", f"{own}/fatture/1*/pagamento", "#1*"),
            Target("fornitura", f"/forniture/{own.split('/')[-1]}*/fatture", "#1*"),
        ]  # fmt: skip
    return [
        Target("clienti", "/staff/clienti?cerca=prova", "cerca"),
        Target("autoletture", f"/staff/autoletture?stato=pending&fornitura=PR1&lotto=1&{table}",
               "stato,fornitura,lotto"),
        Target("registro", f"/staff/registro?operatore=capo&tipo=signed_in&cliente=000002&{table}",
               "operatore,cliente,tipo"),
        Target("documenti", f"/staff/documenti?cliente=000002&cerca=a&ordine=titolo&{table}",
               "cliente,cerca,ordine"),
        Target("ticket", f"/staff/ticket?cliente=000002&cerca=a&assegnato=1&{table}",
               "cliente,cerca,assegnato"),
        Target("posta", f"/staff/posta?destinatario=a&stato=failed&{table}", "destinatario"),
        Target("scheda", "/staff/clienti/000003*", "#1*"),
    ]  # fmt: skip


def main():
    parser = argparse.ArgumentParser(
        prog="python -m tests.attack",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seconds", type=float, default=600, help="about how long, in all")
    arguments = parser.parse_args()
    tools = Tools(FOLDER / "tools")
    tools.install()
    now = dt.datetime.now().astimezone()
    report = FOLDER / now.strftime("%Y-%m-%d-%H%M%S")
    report.mkdir(parents=True)
    with tempfile.TemporaryDirectory(prefix="attack-") as data:
        summary = attack(tools, Path(data), report, seconds=arguments.seconds)
    text = f"Attacco del {now:%d/%m/%Y, ore %H:%M}\n\n{summary}\n"
    (report / "riepilogo.txt").write_text(text)
    print(f"\n{text}\n{report}/riepilogo.txt")
    sys.exit(summary.troubles > 0)


class Summary:
    """What each tool has found, against what is explained."""

    def __init__(self):
        self._explained = explained()
        self.lines, self.troubles = [], 0

    def add(self, title, findings):
        """Each finding once, with one place where it stands and how many there are."""
        places = {}
        for each in findings:
            places.setdefault(each.key, []).append(each.where)
        self.lines.append(f"{title}: {len(places) or 'niente'}")
        for key, where in sorted(places.items()):
            new = (title.split()[0], key) not in self._explained
            self.troubles += new
            state = "NUOVO" if new else "spiegato"
            more = f" (e altri {len(where) - 1})" if len(where) > 1 else ""
            self.lines.append(f"  {state}  {key}: {where[0]}{more}")
        print("\n".join(self.lines[-len(places) - 1 :]), flush=True)

    def __str__(self):
        outcome = f"{self.troubles} da guardare" if self.troubles else "niente di nuovo"
        return "\n".join([*self.lines, "", f"Esito: {outcome}"])


def explained():
    """(tool, key) of the findings that docs/security.md explains."""
    text = (ROOT / "docs" / "security.md").read_text()
    rows = re.findall(r"^\| ([a-z_]+) \| ((?:`[^`]+`(?:, )?)+) \|", text, re.M)
    return {(tool, key) for tool, keys in rows for key in re.findall(r"`([^`]+)`", keys)}


def attack(tools, data, report, *, seconds):
    """Let everything loose for about `seconds`; a Summary."""
    summary = Summary()
    summary.add("bandit", tools.bandit())
    with demo.running(data, report / "server.log", smtp.free_port()) as portal:
        with urllib.request.urlopen(f"{portal.address}/login") as answer:
            policy = answer.headers["Content-Security-Policy"]
        summary.add("csp_evaluator", tools.csp_evaluator(policy))
        for signed_in in (demo.nobody, demo.customer, demo.operator):
            let_loose(tools, signed_in(portal), report, summary, seconds / 3)
        summary.add("lavori", [Finding("non riuscito", job) for job in portal.failed_jobs()])
    return summary


def let_loose(tools, visitor, report, summary, seconds):
    """Wapiti and sqlmap as `visitor`; then what the server said, and whether one is still in."""
    portal = visitor.portal
    portal.new_lines()
    began = time.monotonic()
    found = tools.wapiti(
        visitor, report / f"wapiti-{visitor.name}.json", seconds=seconds * 0.3,
        without=("/demo*", *(ENDS_THE_SESSION if visitor.name != "chiunque" else ())),
    )  # fmt: skip
    summary.add(f"wapiti come {visitor.name}", found)
    tried, folder = targets(visitor), report / f"sqlmap-{visitor.name}"
    folder.mkdir()
    found = []
    for number, target in enumerate(tried):
        left = max(seconds - (time.monotonic() - began), seconds * 0.5)
        found += tools.sqlmap(visitor, target, folder, seconds=left / (len(tried) - number))
    summary.add(f"sqlmap come {visitor.name}", found)
    counted, broken = demo.answers(portal.new_lines())
    told = ", ".join(f"{count} {status}" for status, count in sorted(counted.items()))
    summary.lines.append(f"Risposte come {visitor.name}: {told}")
    if not counted["200"]:
        broken.append("nessuna pagina è stata aperta")
    if not visitor.is_still_in():
        broken.append("la sessione è finita durante l'attacco")
    summary.add(f"server come {visitor.name}", [Finding("errore", line) for line in broken])


if __name__ == "__main__":
    main()
