"""What the processes of a run take: memory of the workers, and CPU of each part."""

import os
import time
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def children(pid):
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def resident(pids):
    """MB of each process."""
    found = []
    for pid in pids:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                found.append(int(line.split()[1]) / 1024)
    return found


def cpu(pids):
    """Seconds of CPU of those processes and of their children that have ended."""
    used = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        used += sum(map(int, fields[11:15]))
    return used / TICKS


def busy():
    """Seconds of CPU of the whole machine, not idle, since it started."""
    fields = [*map(int, Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9])]
    return (sum(fields) - fields[3] - fields[4]) / TICKS


class Memory:
    """Resident memory of the workers, whenever it is looked at."""

    def __init__(self, workers):
        self._workers = workers
        self._started = time.monotonic()
        self.seen = []  # (seconds, MB of each worker)

    def look(self):
        self.seen.append((time.monotonic() - self._started, resident(self._workers)))

    def growth(self, after):
        """Of the last look over the first one `after` so many seconds, as a fraction."""
        first = next(sum(mb) for seconds, mb in self.seen if seconds >= after)
        return sum(self.seen[-1][1]) / first - 1
