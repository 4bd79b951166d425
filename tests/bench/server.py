"""Granian around an app, and wrk against it, all on loopback."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def granian(target, **environment):
    """One worker of granian with the factory `target`; yields its address."""
    port = free_port()
    command = [
        sys.executable, "-m", "granian", "--interface", "wsgi", "--factory", target,
        "--host", "127.0.0.1", "--port", str(port), "--workers", "1",
        "--blocking-threads", "1", "--no-log",
    ]  # fmt: skip
    process = subprocess.Popen(command, env={**os.environ, **environment})
    address = f"http://127.0.0.1:{port}"
    try:
        for _try in range(200):
            try:
                urllib.request.urlopen(address + "/health", timeout=2)
                break
            except urllib.error.HTTPError:
                break
            except OSError:
                time.sleep(0.05)
        yield address
    finally:
        process.terminate()
        process.wait(20)


def fetch(address, headers):
    request = urllib.request.Request(address, headers=headers)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.status, answer.read()


def requests_per_second(address, headers, *, seconds):
    """What one connection after the other gets from `address`, by wrk; no error allowed."""
    wrk = shutil.which("wrk")
    if wrk is None:
        sys.exit("make bench misura con wrk: apt-get install wrk")
    command = [wrk, "-t1", "-c2", f"-d{seconds}s", address]
    for name, value in headers.items():
        command += ["-H", f"{name}: {value}"]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    if "Non-2xx" in output or "Socket errors" in output:
        sys.exit(f"{address}: {output}")
    return float(re.search(r"Requests/sec:\s*([\d.]+)", output)[1])
