"""deploy/Containerfile, built and tried with buildah, which needs no daemon."""

import json
import shutil
import subprocess
import time
from functools import partial

from tests.install.machine import CLEAN, Failed, end, run

NAME = "localhost/portale-prova"
BASE = "localhost/debian-prova"  # in place of the one in a registry: the same Debian
SETTINGS = {
    "PORTALE_SECRET_KEY": "una-chiave-di-prova-lunga-abbastanza",
    "PORTALE_BASE_URL": "https://portale.example.it",
    "PORTALE_PROXY_HOPS": "1",
}
HEALTH = "import urllib.request as r; print(r.urlopen('http://127.0.0.1:8000/health').read())"


def can_build():
    return shutil.which("buildah") and (shutil.which("crun") or shutil.which("runc"))


def saved(root, path):
    """The machine as it is, as a file that becomes an image."""
    run(["tar", "--create", "--one-file-system", "--exclude=./proc/*", "-C", root, "-f", path, "."])
    return path


def build_and_try(bare, folder, checkout):
    buildah = Buildah(folder)
    begun = time.monotonic()
    base = buildah("from", "scratch").strip()
    buildah("add", "--quiet", base, bare, "/")
    buildah("config", "--env", "PIP_CERT=/etc/ssl/certs/ca-certificates.crt", base)
    buildah("commit", "--quiet", base, BASE)
    buildah("bud", "--isolation", "chroot", "--format", "docker", "--from", BASE, "--tag", NAME,
            "--file", checkout / "deploy" / "Containerfile", checkout)  # fmt: skip
    print(f"    ok    costruito in {time.monotonic() - begun:.0f} s", flush=True)
    told = json.loads(buildah("inspect", "--type", "image", NAME))["Docker"]["config"]
    wanted = {"User": "portale", "Volumes": {"/var/lib/portale": {}}}
    for key, value in wanted.items():
        if told.get(key) != value:
            raise Failed(f"Il contenitore ha {key} {told.get(key)}, non {value}.")
    if "/health" not in str(told.get("Healthcheck")):
        raise Failed("Il contenitore non ha la sua verifica.")
    print("    ok    utente portale, un volume, /health come verifica", flush=True)
    try_out(buildah, folder)


def try_out(buildah, folder):
    """Migrate, serve, ask its health and write a copy, as the image's user."""
    inside = buildah("from", NAME).strip()
    data = folder / "volume"
    data.mkdir()
    shutil.chown(data, 10001, 10001)
    options = [f"--env={key}={value}" for key, value in SETTINGS.items()]
    options += ["--isolation", "chroot", "--user", "portale", f"--volume={data}:/var/lib/portale"]
    say = partial(buildah, "run", *options, inside, "--")
    print(f"    ok    {say('python', '-m', 'jobs.migrate').strip()[21:]}", flush=True)
    served = json.loads(buildah("inspect", "--type", "image", NAME))["Docker"]["config"]["Cmd"]
    server = buildah.start("run", *options, inside, "--", *served)
    try:
        answered(say, server)
        print("    ok    il server del contenitore risponde a /health", flush=True)
        copied = say("python", "-m", "jobs.backup").strip()
        print(f"    ok    {copied[21:]}", flush=True)
    finally:
        end(server)


def answered(say, server):
    patience = time.monotonic() + 30
    while True:
        try:
            return say("python", "-c", HEALTH)
        except Failed:
            if server.poll() is not None or time.monotonic() > patience:
                raise


class Buildah:
    """Commands with a store of their own."""

    def __init__(self, folder):
        self.store = ["buildah", "--storage-driver", "vfs", "--root", str(folder / "store"),
                      "--runroot", str(folder / "runroot")]  # fmt: skip

    def __call__(self, *command):
        done = subprocess.run([*self.store, *map(str, command)], capture_output=True, text=True)
        if done.returncode:
            raise Failed(f"buildah {command[0]}:\n{(done.stdout + done.stderr)[-4000:]}")
        return done.stdout

    def start(self, *command):
        return subprocess.Popen(
            [*self.store, *map(str, command)], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
            env=CLEAN | {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
        )  # fmt: skip
