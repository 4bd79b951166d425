"""The demo: a fictional utility on this computer, for whoever wants to see the portal.

    python -m jobs.demo --port 8000            (or: make demo)

Prepares the archive in demo-data/, starts the server on 127.0.0.1 and runs, once a minute,
the jobs that cron would run. It ends with Ctrl-C and keeps its data for the next start.
It never looks at the settings of a real portal.
"""

import argparse
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from dotenv import dotenv_values

from jobs.demo_world import people

ROOT = Path(__file__).parent.parent
HOST = "127.0.0.1"
EVERY = 60  # seconds between two rounds of the jobs
JOBS = ("import_inbox", "acquire_readings", "send_reminders", "send_mail")
READY_WITHIN = 30  # seconds
STOPS_WITHIN = 10


class CannotStart(Exception):
    """Why the demo does not start; the text says what to do."""


def main():
    parser = argparse.ArgumentParser(
        prog="python -m jobs.demo",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--port", type=port_number, default=8000, help="8000 unless told otherwise")
    parser.add_argument("--data", type=Path, default=ROOT / "demo-data", help="data folder")
    arguments = parser.parse_args()
    data = arguments.data.resolve()
    for asked_to_end in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(asked_to_end, signal.default_int_handler)
    try:
        run(arguments.port, data)
    except CannotStart as problem:
        sys.exit(f"La dimostrazione non parte: {problem}")
    except KeyboardInterrupt:
        print(f"\nLa dimostrazione è chiusa; i dati restano in {data}.", flush=True)


def port_number(text):
    number = int(text)
    if not 1024 <= number <= 65535:
        raise argparse.ArgumentTypeError("serve una porta da 1024 a 65535")
    return number


def run(port, data):
    refuse_busy_port(port)
    environment = settings(port, data)
    print("Preparazione dei dati di prova …", flush=True)
    for name in ("migrate", "seed_demo"):
        if job(name, environment):
            raise CannotStart(f"{name} non è riuscito. Si può ricominciare con «make demo-reset».")
    server = start_server(port, environment)
    try:
        wait_until_ready(port, server)
        print(welcome(port), flush=True)
        while server.poll() is None:
            for name in JOBS:
                job(name, environment)
            wait(server, EVERY)
        raise CannotStart("il server si è fermato.")
    finally:
        stop(server)


def refuse_busy_port(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            raise CannotStart(
                f"la porta {port} è occupata. Si può sceglierne un'altra: "
                f"make demo PORT={port + 10 if port < 65000 else 8010}"
            ) from None


def settings(port, data):
    """The environment of the demo's processes, clean of any real portal's settings."""
    others = (*dotenv_values(ROOT / ".env"), *os.environ)
    emptied = {name: "" for name in others if name.startswith("PORTALE_")}
    return {
        **os.environ,
        **emptied,
        "PORTALE_ENV": "development",
        "PORTALE_DEMO": "1",
        "PORTALE_DATA_DIR": str(data),
        "PORTALE_SECRET_KEY": secret_key(data),
        "PORTALE_BASE_URL": f"http://{HOST}:{port}",
        "PORTALE_UTILITY_NAME": people.UTILITY_NAME,
        "PORTALE_UTILITY_VAT": people.UTILITY_VAT,
        "PORTALE_UTILITY_CONTACTS": people.UTILITY_CONTACTS,
        "PORTALE_OVERRIDES_DIR": str(ROOT / "jobs/demo_world/personalizza"),
        "PORTALE_MAIL_SENDER": "portale@energia-di-prova.example",
    }


def secret_key(data):
    """Kept in the data folder, so that a second start does not sign everybody out."""
    data.mkdir(parents=True, exist_ok=True)
    path = data / "secret_key"
    if not path.exists() or not path.stat().st_size:
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(48))
    return path.read_text()


def job(name, environment):
    """Run a job as cron would; return whether it failed, after telling why."""
    command = [sys.executable, "-m", f"jobs.{name}"]
    done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    failed = done.returncode not in (0, os.EX_TEMPFAIL)
    if failed:
        print(done.stdout.strip(), file=sys.stderr, flush=True)
    return failed


def start_server(port, environment):
    # A thread waits for each form that comes slowly and each document that goes slowly.
    return subprocess.Popen(
        [
            sys.executable, "-m", "granian", "--interface", "wsgi", "--factory", "app:create_app",
            "--host", HOST, "--port", str(port), "--workers", "2", "--blocking-threads", "64",
            "--no-ws", "--log-level", "error", "--workers-kill-timeout", "5",
        ],
        cwd=ROOT,
        env=environment,
        start_new_session=True,  # Ctrl-C reaches it once, from here
    )  # fmt: skip


def wait_until_ready(port, server):
    address = f"http://{HOST}:{port}/login"
    until = time.monotonic() + READY_WITHIN
    while time.monotonic() < until and server.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except urllib.error.HTTPError as answer:
            raise CannotStart(f"il server risponde {answer.code}.") from None
        except OSError:
            time.sleep(0.1)
    raise CannotStart("il server non risponde.")


def wait(server, seconds):
    try:
        server.wait(seconds)
    except subprocess.TimeoutExpired:
        return


def stop(server):
    server.terminate()
    try:
        server.wait(STOPS_WITHIN)
    except subprocess.TimeoutExpired:
        os.killpg(server.pid, signal.SIGKILL)  # its workers too, which would keep the port
        server.wait()


def welcome(port):
    newcomer = people.NEWCOMER
    administrator, operator = (each["username"] for each in people.DESK)
    return f"""
  {people.UTILITY_NAME}: il portale di prova è pronto

      http://{HOST}:{port}

  Per entrare            User {people.READY["code"]}    Password {people.READY_PASSWORD}
                         ({people.READY["name"]}, energia elettrica e gas)
  Per registrarsi        Codice cliente {newcomer["code"]}    Partita IVA {newcomer["vat_number"]}
                         ({newcomer["name"]})
  La posta del portale   http://{HOST}:{port}/demo/posta
                         (nessuna mail lascia questo computer)

  Sportello operatori    http://{HOST}:{port}/staff
                         Utente {administrator} (amministratore) oppure {operator} (operatore)
                         Password {people.DESK_PASSWORD}
  Codici di 6 cifre      http://{HOST}:{port}/demo/telefono
                         (al posto dell'app sul telefono)

  Le letture inserite vengono acquisite ogni minuto. Per chiudere: Ctrl-C.
"""


if __name__ == "__main__":
    main()
