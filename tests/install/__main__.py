"""Do what docs/installazione.md says, in a bare Debian 12 made in a folder, and look at it.

    python -m tests.install            (or: make test-install, as root)

The commands are read from the page. What systemd would start is started as its units say. At the
end: how long each part took, and what could not be proven here.
"""

import argparse
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests import smtp
from tests.install import container
from tests.install.desk import Desk
from tests.install.machine import UNITS, Failed, bare_debian, end, run
from tests.install.page import blocks

ROOT = Path(__file__).parent.parent.parent
PAGE = ROOT / "docs" / "installazione.md"
NEEDED = ("debootstrap", "chroot", "unshare", "setpriv", "git")
PORTS = (80, 443, 8000)
NOT_HERE = {  # what the blocks marked so would need, by their mark
    "su-internet": "un certificato vero: serve un nome pubblico che porti a questa macchina",
    "contenitore": "podman che avvia e riavvia il contenitore (l'immagine è costruita a parte)",
}
NEVER_HERE = (
    "systemd acceso: i servizi sono avviati con i comandi, l'utente, la cartella e la sola lettura "
    "delle loro unità, ma i timer non scattano e il filtro delle chiamate di sistema non è attivo",
    "una posta vera: il server SMTP della prova è su questa macchina, senza TLS né password",
    "la rotazione dei registri nel tempo: logrotate ha letto la configurazione, senza ruotare",
)
WORST_EXPOSURE = 20  # tenths, as `systemd-analyze security` counts


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.install", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="leave the folder for a look")
    keep = parser.parse_args().keep
    lacking = [name for name in NEEDED if shutil.which(name) is None]
    if lacking:
        sys.exit(f"Mancano {', '.join(lacking)}: apt-get install debootstrap util-linux git.")
    for port in PORTS:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as problem:
                sys.exit(f"La prova vuole la porta {port}: {problem.strerror}.")
    folder = Path(tempfile.mkdtemp(prefix="portale-install-"))
    try:
        install(folder)
    except Failed as failure:
        sys.exit(f"\nNON RIUSCITO: {failure}")
    finally:
        if not keep:
            shutil.rmtree(folder)


def install(folder):
    root = folder / "debian"
    told("Un Debian 12 vuoto (non conta)")
    with bare_debian(root) as machine, smtp.serving() as mail_server:
        bare = container.saved(root, folder / "bare.tar") if container.can_build() else None
        project = as_repository(root / "srv/portale")
        with Walk(machine, mail_server, folder) as walk:
            begun = time.monotonic()
            for block in blocks(PAGE.read_text()):
                walk.do(block)
            minutes = (time.monotonic() - begun) / 60
            told("Il portale installato")
            look_at_it(walk)
            told("Le unità, i registri; cron al posto dei timer")
            for block in walk.instead:
                walk.do(block)
            look_at_what_stands_there(machine)
        told("Il contenitore")
        unproven = list(walk.left_out) + list(NEVER_HERE)
        if bare:
            container.build_and_try(bare, folder, project)
        else:
            unproven.append("deploy/Containerfile: mancano buildah e crun (o runc)")
    print(f"\nRIUSCITO. I comandi della pagina sono durati {minutes:.1f} minuti, da soli.")
    print("\nNon provato qui:")
    for each in unproven:
        print(f"- {each}")
    if minutes > 15:
        sys.exit("Più di un quarto d'ora.")


def as_repository(place):
    """The project as it stands in its folder here, changes and all, in a repository of its own."""
    listed = run(
        ["git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    )
    for name in listed.split("\0"):
        if name and (ROOT / name).is_file():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, place / name)
    author = ["-c", "user.name=prova", "-c", "user.email=prova@example.it"]
    for command in (
        ["init", "--quiet"],
        ["add", "."],
        [*author, "commit", "--quiet", "-m", "Prova"],
    ):
        run(["git", "-C", place, *command])
    return place


def told(title):
    print(f"\n== {title}", flush=True)


class Walk:
    """From block to block of the page; what systemd would start meanwhile is started."""

    def __init__(self, machine, mail_server, folder):
        self.machine = machine
        self.mail_server = mail_server
        self.folder = folder
        self.running = []
        self.left_out = []
        self.instead = []  # blocks that undo others, for those who prefer that
        self.password = None

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        for process in reversed(self.running):
            end(process)

    def do(self, block):
        if block.where in NOT_HERE:
            self.left_out.append(f"righe {block.line} e seguenti della pagina: "
                                 f"{NOT_HERE[block.where]}")  # fmt: skip
            return
        if block.where == "altrimenti":
            self.instead.append(block._replace(where=""))
            return
        begun = time.monotonic()
        said = self.machine.shell(self.as_here(block.text))
        first = block.text.strip().splitlines()[0]
        print(f"{time.monotonic() - begun:6.1f} s  {block.line:3}  {first[:80]}", flush=True)
        if found := re.search(r"Password di primo accesso: (\S+)", said):
            self.password = found[1]
        if "enable --now portale.service" in block.text:
            self.start("portale.service")
        if "systemctl reload nginx" in block.text:
            self.start_nginx()

    def as_here(self, text):
        """The page's lines with what each reader puts there: whence, and whose mail server.

        Enabled is by systemctl, started by us.
        """
        text = re.sub(r"(systemctl (?:en|dis)able) --now", r"\1", text)
        text = text.replace("INDIRIZZO-DEL-PROGETTO", "file:///srv/portale")
        for name, value in {
            "SERVER": "127.0.0.1",
            "PORT": self.mail_server.port,
            "SECURITY": "none",
            "USERNAME": "",
        }.items():
            text = re.sub(rf"^PORTALE_MAIL_{name}=.*$", f"PORTALE_MAIL_{name}={value}", text,
                          flags=re.M)  # fmt: skip
        return text

    def start(self, name):
        log = self.folder / f"{name}.log"
        process = self.machine.start(name, log)
        self.running.append(process)
        self.wait_for(8000, process, log)

    def start_nginx(self):
        log = self.folder / "nginx.log"
        command = ["chroot", self.machine.root, "nginx", "-g", "daemon off;"]
        process = self.machine.spawn(command, log)
        self.running.append(process)
        self.wait_for(443, process, log)

    def wait_for(self, port, process, log):
        patience = time.monotonic() + 30
        while True:
            if process.poll() is not None or time.monotonic() > patience:
                raise Failed(f"Sulla porta {port} non risponde nessuno:\n{log.read_text()[-3000:]}")
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
            except OSError:
                time.sleep(0.1)
            else:
                return


def ok(what):
    print(f"    ok    {what}", flush=True)


def expect(condition, sentence):
    if not condition:
        raise Failed(sentence)


def look_at_it(walk):
    """As an operator, over HTTPS; then what the timers would start."""
    machine = walk.machine
    expect(len(walk.mail_server.messages()) == 1, "La mail di prova non è arrivata.")
    desk = Desk("portale.example.it", machine.root / "etc/ssl/portale/fullchain.pem")
    desk.begin("m.rossi", walk.password)
    ok("per HTTPS, con il certificato della pagina: primo accesso allo sportello")
    data = machine.root / "var/lib/portale"
    for name in ("clienti", "forniture"):
        shutil.copy(ROOT / "docs" / "esempi" / f"{name}_esempio.csv", data / "inbox")
        shutil.chown(data / "inbox" / f"{name}_esempio.csv", *owner(data))
    timers = machine.enabled("timer")
    expect(len(timers) > 6, f"Sono abilitati soltanto {timers}.")
    jobs = (dict(machine.unit(timer))["Unit"] for timer in timers)
    for name in sorted(jobs, key=lambda name: "check" in name):
        ok(f"{name}: {machine.once(name).strip().splitlines()[-1][21:]}")
    expect("ROSSI MARIA" in desk.page("/staff/clienti?cerca=rossi"), "Il cliente non c'è.")
    ok("i clienti dei file d'esempio si trovano allo sportello")
    command = machine.as_the_unit("portale.service", "touch /opt/portale/x")
    refused = subprocess.run(command, capture_output=True)
    expect(
        refused.returncode and b"Read-only" in refused.stderr, "Il portale scrive nel programma."
    )
    ok("il portale non scrive fuori dalla cartella dei dati")
    expect((machine.root / "opt/portale/.env").stat().st_mode & 0o777 == 0o640, ".env è aperto.")
    expect(data.stat().st_mode & 0o007 == 0, "/var/lib/portale è aperta a tutti.")
    ok(".env e /var/lib/portale sono chiusi agli altri")


def owner(folder):
    return folder.stat().st_uid, folder.stat().st_gid


def look_at_what_stands_there(machine):
    units = sorted(path.name for path in (machine.root / UNITS).glob("portale*"))
    timers = [name for name in units if name.endswith(".timer")]
    services = ["portale.service", "portale-job@backup.service"]
    said = machine.run("systemd-analyze", "verify", *services, *timers)
    expect("portale" not in said, said)
    ok(f"systemd-analyze verify: {len(units)} unità")
    ok(f"systemd-analyze security: {', '.join(exposures(machine))}")
    for name in timers:
        machine.run("systemd-analyze", "calendar", dict(machine.unit(name))["OnCalendar"])
    ok("systemd-analyze calendar: le ore dei timer")
    said = machine.run("logrotate", "-d", "/etc/logrotate.d/nginx")
    expect("considering log /var/log/nginx/portale.log" in said, said)
    ok("logrotate -d: ruota /var/log/nginx/portale.log")
    lines = (machine.root / "etc/cron.d/portale").read_text().splitlines()
    without_user = [re.sub(r"^((?:\S+ +){5})portale +", r"\1", line) for line in lines]
    (machine.root / "root/crontab").write_text("\n".join(without_user) + "\n")
    machine.run("crontab", "-n", "/root/crontab")
    ok("crontab -n: le righe di /etc/cron.d/portale")


def exposures(machine):
    """How exposed systemd finds each service, below the worst that is borne."""
    for name in ("portale.service", "portale-job@.service"):
        said = machine.run(
            "systemd-analyze", "security", "--offline=true", f"--threshold={WORST_EXPOSURE}", name
        )
        yield f"{name} {re.search(r'level for .*: ([0-9.]+)', said)[1]}"


if __name__ == "__main__":
    main()
