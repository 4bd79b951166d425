"""A throw-away PostgreSQL server of our own, from Debian's packages."""

import glob
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from contextlib import contextmanager


def programs():
    """The folder with initdb and pg_ctl, or None."""
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"))
    if found:
        return os.path.dirname(found[-1])
    path = shutil.which("initdb")
    return os.path.dirname(os.path.realpath(path)) if path else None


def as_server_user(command):
    """PostgreSQL refuses to run as root: there it runs as `postgres`."""
    if os.geteuid() == 0:
        return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", *command]
    return command


@contextmanager
def server(_tmp_path_factory=None):
    """Start a server on a free loopback port; yield the address of an empty database."""
    folder = programs()
    if folder is None:
        yield None
        return
    root = tempfile.mkdtemp(prefix="portale-pg-", dir="/tmp")
    if os.geteuid() == 0:
        owner = pwd.getpwnam("postgres")
        os.chown(root, owner.pw_uid, owner.pw_gid)
    data = os.path.join(root, "data")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    run = {"check": True, "stdout": subprocess.DEVNULL, "cwd": root}
    subprocess.run(
        as_server_user([f"{folder}/initdb", "-D", data, "-A", "trust", "-U", "postgres",
                        "-E", "UTF8", "--locale=C", "--no-sync"]), **run)  # fmt: skip
    options = f"-p {port} -h 127.0.0.1 -k {root} -F -c max_connections=200 -c jit=off"
    subprocess.run(
        as_server_user([f"{folder}/pg_ctl", "-D", data, "-w", "-o", options,
                        "-l", f"{root}/log", "start"]), **run)  # fmt: skip
    try:
        yield f"postgresql://postgres@127.0.0.1:{port}/postgres"
    finally:
        subprocess.run(
            as_server_user([f"{folder}/pg_ctl", "-D", data, "-m", "immediate", "stop"]), **run
        )
        shutil.rmtree(root, ignore_errors=True)
