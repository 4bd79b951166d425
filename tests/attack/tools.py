"""The tools of other people: how each is installed, let loose, and what it found.

A finding is (key, where): the key is what docs/security.md explains it by.
"""

import json
import re
import shutil
import subprocess
import sys
import venv
from pathlib import Path
from typing import NamedTuple

from jobs.demo import ROOT

HERE = Path(__file__).parent
CODE = ("app.py", "models.py", "forms.py", "views", "domain", "jobs")
# Wapiti's own; the others ask a server of its authors whether the portal has called it.
MODULES = (
    "cookieflags", "csp", "http_headers", "csrf", "methods", "htaccess", "redirect", "crlf",
    "xss", "permanentxss", "sql", "file", "exec", "upload", "ldap", "shellshock",
)  # fmt: skip


class Finding(NamedTuple):
    """`key` is how docs/security.md names it, `where` which line or address it is about."""

    key: str
    where: str


class Tools:
    """The installed tools; `folder` is theirs alone."""

    def __init__(self, folder):
        self.folder = folder
        self._bin = folder / "venv" / "bin"

    def install(self):
        """Once, and again whenever the lists have changed."""
        lists = [HERE / "tools.txt", HERE / "package.json"]
        wanted = "\n".join(path.read_text() for path in lists)
        mark = self.folder / "installed"
        if mark.exists() and mark.read_text() == wanted:
            return
        print("Installazione degli strumenti …", flush=True)
        venv.create(self.folder / "venv", with_pip=True, clear=True)
        done([self._bin / "pip", "install", "--quiet", "-r", lists[0]])
        shutil.copy(lists[1], self.folder)
        done(["npm", "install", "--silent", "--no-audit", "--no-fund"], cwd=self.folder)
        mark.write_text(wanted)

    # -- One method per tool ---------------------------------------------------------------

    def bandit(self):
        """What bandit holds against the code."""
        told = subprocess.run(
            [self._bin / "bandit", "--recursive", "--quiet", "--format", "json", *CODE],
            cwd=ROOT, capture_output=True, text=True,
        )  # fmt: skip
        for each in json.loads(told.stdout)["results"]:
            path = each["filename"].removeprefix("./")
            yield Finding(f"{each['test_id']} {path}", f"{path}:{each['line_number']}")

    def csp_evaluator(self, policy):
        """What csp_evaluator holds against a Content-Security-Policy."""
        told = done(["node", HERE / "evaluate.mjs", self.folder, policy])
        for each in json.loads(told):
            value = f" {each['value']}" if each.get("value") else ""
            yield Finding(f"{each['directive']}{value}", each["description"])

    def wapiti(self, visitor, report, *, seconds, without):
        """What wapiti finds as `visitor`, in about `seconds`: a third for finding its way."""
        start, log = f"{visitor.portal.address}/", report.with_suffix(".log")
        cookies = report.with_suffix(".cookies")
        cookies.write_text(json.dumps(visitor.cookie_file()))
        command = [
            self._bin / "wapiti", "--url", start, "--start", visitor.home,
            "--cookie", cookies, "--scope", "folder",
            "--module", ",".join(MODULES), "--tasks", "4", "--timeout", "30",
            "--depth", "6", "--max-links-per-page", "60", "--max-files-per-dir", "40",
            "--max-scan-time", str(seconds / 3), "--max-attack-time", str(seconds / 12),
            "--flush-session", "--store-session", report.parent, "--store-config", report.parent,
            "--no-bugreport", "--verbose", "1", "--format", "json", "--output", report,
        ]  # fmt: skip
        for path in without:
            command += ["--exclude", f"{visitor.portal.address}{path}"]
        with log.open("wb") as output:
            subprocess.run(command, stdout=output, stderr=subprocess.STDOUT, check=True)
        told = json.loads(report.read_text())
        for kind in ("vulnerabilities", "anomalies"):
            for name, listed in told[kind].items():
                for each in listed:
                    yield Finding(name, f"{each['method']} {each['path']} {each['info']}")

    def sqlmap(self, visitor, target, folder, *, seconds):
        """The parameters of `target` into which sqlmap could inject, or that it had no time for."""
        data = ["--data", target.data(visitor)] if target.form else []
        log = folder / f"{target.name}.log"
        with log.open("wb") as output:
            subprocess.run(
                [
                    self._bin / "sqlmap", "--url", f"{visitor.portal.address}{target.path}", *data,
                    "--cookie", visitor.cookies, "--drop-set-cookie", "--batch", "--level", "1",
                    "--risk", "1", "--dbms", "SQLite", "-p", target.parameters,
                    "--flush-session", "--timeout", "30", "--retries", "1", "--threads", "4",
                    "--disable-coloring", "--ignore-code", "*", "--time-limit", str(seconds),
                    "--output-dir", folder,
                ],
                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            )  # fmt: skip
        told = log.read_text(errors="replace")
        for parameter in re.findall(r"^Parameter: (.*)$", told, re.M):
            yield Finding("SQL injection", f"{target.path} {parameter}")
        if "all tested parameters do not appear to be injectable" not in told:
            yield Finding("non concluso", f"{target.path}: {told.strip().splitlines()[-1]}")


class Target(NamedTuple):
    """What sqlmap tries: `parameters` of the address, or of the form that is posted there."""

    name: str
    path: str
    parameters: str
    form: tuple = ()  # (page of the form, its fields)

    def data(self, visitor):
        page, fields = self.form
        return f"csrf_token={visitor.token(page)}&{fields}"


def done(command, **options):
    """What a command prints; ends the run if it fails."""
    told = subprocess.run(command, capture_output=True, text=True, **options)
    if told.returncode:
        sys.exit(f"{command[0]}: {told.stderr.strip() or told.stdout.strip()}")
    return told.stdout
