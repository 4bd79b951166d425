"""A Debian of our own in a folder, and what systemd would do in it if it ran."""

import os
import re
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path

MIRROR = "http://deb.debian.org/debian"
CLEAN = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LANG": "C.UTF-8",
    "DEBIAN_FRONTEND": "noninteractive",
    "SYSTEMD_OFFLINE": "1",  # systemctl enables, and leaves starting to us
}
# What any Debian 12 has that debootstrap's least one lacks.
USUAL = "systemd,systemd-sysv,ca-certificates,logrotate"
UNITS = "etc/systemd/system"
OWN_AUTHORITIES = Path("/usr/local/share/ca-certificates")  # of the network that this is in


class Failed(Exception):
    """The installation does not do what the page says; the text says where."""


@contextmanager
def bare_debian(folder):
    """A Machine that has nothing of the portal yet."""
    run(["debootstrap", "--variant=minbase", f"--include={USUAL}", "bookworm", folder, MIRROR])
    machine = Machine(folder)
    machine.trust_this_network()
    shutil.copy("/etc/resolv.conf", folder / "etc/resolv.conf")
    run(["mount", "-t", "proc", "proc", folder / "proc"])
    try:
        yield machine
    finally:
        run(["umount", "--lazy", folder / "proc"])


def run(command, **options):
    done = subprocess.run(
        [str(each) for each in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, errors="replace", stdin=subprocess.DEVNULL, **options,
    )  # fmt: skip
    if done.returncode:
        raise Failed(f"{' '.join(map(str, command))[:300]}\n{done.stdout[-4000:]}")
    return done.stdout


class Machine:
    def __init__(self, root):
        self.root = root
        self.variables = {}

    def trust_this_network(self):
        for found in OWN_AUTHORITIES.glob("*.crt"):
            shutil.copy(found, self.root / OWN_AUTHORITIES.relative_to("/"))
            self.variables["PIP_CERT"] = "/etc/ssl/certs/ca-certificates.crt"
        self.run("update-ca-certificates")

    def run(self, *command):
        """Run a command as root in there; what it says."""
        return run(["chroot", self.root, *command], env=CLEAN | self.variables)

    def shell(self, text):
        """Run lines as in a window that stays open: variables and folder are kept."""
        kept = "/root/.finestra"
        script = (
            f"set -e; [ ! -e {kept} ] || . {kept}\n{text}\n"
            f'{{ declare -p SITO COPIA 2>/dev/null || true; printf "cd %q\\n" "$PWD"; }} > {kept}\n'
        )
        return self.run("/bin/bash", "-c", script)

    # -- What systemd does -----------------------------------------------------------------

    def unit(self, name):
        """(key, value) pairs of a unit, in order; `a@b.service` is that of `a@.service`."""
        template = re.sub(r"@.+\.", "@.", name)
        instance = (re.search(r"@(.+)\.", name) or ["", ""])[1]
        text = (self.root / UNITS / template).read_text().replace("\\\n", " ")
        return [
            (key.strip(), value.strip().replace("%i", instance))
            for key, equals, value in (line.partition("=") for line in text.splitlines())
            if equals and not key.startswith("#")
        ]

    def as_the_unit(self, name, command):
        """`command` as systemd runs one of that unit, as far as a namespace of mounts goes.

        The same user, folder and mask, no privilege, all read only but ReadWritePaths, a /tmp of
        its own, of /proc only processes.
        """
        told = dict(self.unit(name))
        root, open_to_it = self.root, told["ReadWritePaths"].split()
        script = [
            f"mount --bind {root} {root}",
            *(f"mount --bind {root}{path} {root}{path}" for path in open_to_it),
            f"mount -o remount,bind,ro {root}",
            f"mount -t tmpfs tmpfs {root}/tmp",
            f"mount -t proc -o hidepid=invisible,subset=pid proc {root}/proc",
            f"exec chroot {root} setpriv --reuid={told['User']} --regid={told['Group']} "
            "--clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all "
            f"/bin/sh -c 'umask {told['UMask']}; cd {told['WorkingDirectory']}; exec {command}'",
        ]
        return ["unshare", "--mount", "--propagation", "private", "sh", "-ec", "\n".join(script)]

    def start(self, name, log):
        """Start a service and give its process."""
        told = self.unit(name)
        for key, command in told:
            if key == "ExecStartPre":
                self.once(name, command)
        command = dict(told)["ExecStart"]
        return self.spawn(self.as_the_unit(name, command), log)

    def spawn(self, command, log):
        with open(log, "wb") as stream:
            return subprocess.Popen(
                [str(each) for each in command], env=CLEAN, stdout=stream,
                stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip

    def once(self, name, command=None):
        """Run a service of the type oneshot to its end; what it says."""
        told = dict(self.unit(name))
        done = subprocess.run(
            self.as_the_unit(name, command or told["ExecStart"]), env=CLEAN, capture_output=True,
            text=True, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        if str(done.returncode) not in {"0", *told.get("SuccessExitStatus", "").split()}:
            raise Failed(f"{name}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def enabled(self, kind):
        """Units of a kind (`timer`) that would start with the machine."""
        return sorted(path.name for path in (self.root / UNITS).glob(f"*.wants/portale*.{kind}"))


def end(process):
    """End what `spawn` started, and its children."""
    if process.poll() is None:
        os.killpg(process.pid, 15)
    process.wait(30)
