"""Starting proxies, load and backend, and reading from /proc what they used."""

import json
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

PROXY_CORE = 0
LOAD_CORE = 1


class Failure(Exception):
    """A sentence for whoever runs the benchmark."""


def family(pid):
    """The process and its children, theirs too."""
    pids, todo = [], [pid]
    while todo:
        one = todo.pop()
        pids.append(one)
        for task in Path(f"/proc/{one}/task").glob("*/children"):
            try:
                todo += [int(word) for word in task.read_text().split()]
            except OSError:
                continue
    return pids


def take_precedence():
    """Other work on the machine does not take turns with what is measured; needs root. Where the
    kernel groups processes by session, a session's own nice value counts (`sched(7)`)."""
    os.setsid()
    os.setpriority(os.PRIO_PROCESS, 0, -20)
    try:
        Path("/proc/self/autogroup").write_text("-20")
    except OSError:
        # No autogroups in this kernel: the process's own value is enough.
        return


class Running:
    """A process that the benchmark started, on one core."""

    def __init__(self, words, core, folder, log, **extra):
        cores = core if isinstance(core, str) else str(core)
        self.log = open(Path(folder, log), "wb")
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            ["taskset", "-c", cores, *words], stderr=self.log,
            stdout=extra.pop("stdout", self.log), preexec_fn=take_precedence, **extra,
        )
        self.name = words[0]

    def check(self):
        if self.process.poll() is not None:
            text = Path(self.log.name).read_text(errors="replace")[-2000:]
            raise Failure(f"{self.name} ended by itself ({self.process.returncode}):\n{text}")

    def pids(self):
        return family(self.process.pid)

    def signal(self, number):
        for pid in self.pids():
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                continue

    def await_listening(self, port, seconds=20):
        """Milliseconds from its start until a connection is accepted."""
        while time.monotonic() - self.started < seconds:
            with socket.socket() as probe:
                probe.settimeout(1)
                try:
                    probe.connect(("127.0.0.1", port))
                    return (time.monotonic() - self.started) * 1000
                except OSError:
                    self.check()
            time.sleep(0.0005)
        raise Failure(f"{self.name} does not listen on port {port}")

    def cpu(self):
        """Seconds of all threads: (total, user, system); total is exact, the others are sampled."""
        total = user = system = 0
        tick = os.sysconf("SC_CLK_TCK")
        for pid in self.pids():
            for task in Path(f"/proc/{pid}/task").iterdir():
                total += int((task / "schedstat").read_text().split()[0]) / 1e9
            words = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            user += int(words[11]) / tick
            system += int(words[12]) / tick
        return total, user, system

    def resident_bytes(self):
        """Proportional set size: pages that processes share count once."""
        return self.memory("Pss")

    def own_bytes(self):
        """The same without files: what is mapped of a program counts less while another process
        runs it too, and its pages come in when they are first used."""
        return self.memory("Pss_Anon") + self.memory("Pss_Shmem")

    def memory(self, name):
        total = 0
        for pid in self.pids():
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith(name + ":"):
                    total += int(line.split()[1]) * 1024
        return total

    def stop(self):
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGTERM)
        try:
            self.process.wait(3)
        except subprocess.TimeoutExpired:
            self.signal(signal.SIGKILL)
            self.process.wait()
        self.log.close()


class Load:
    """One run of `apus-bench load`, step by step (its `--stepped`)."""

    def __init__(self, bench, words, folder, core=LOAD_CORE):
        self.running = Running(
            [bench, *words], core, folder, "load.log", stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.words = words
        self.await_line()

    def await_line(self):
        line = self.running.process.stdout.readline().decode().strip()
        if not line:
            self.running.process.wait()
            text = Path(self.running.log.name).read_text(errors="replace")
            raise Failure(f"{' '.join(self.words)}: {text}")
        return line

    def step(self):
        self.running.process.stdin.write(b"\n")
        self.running.process.stdin.flush()

    def run(self):
        self.step()
        return json.loads(self.await_line())

    def end(self):
        self.step()
        self.running.process.wait(10)
        self.running.process.stdin.close()
        self.running.process.stdout.close()
        self.running.log.close()

    def kill(self):
        self.running.process.kill()
        self.running.process.wait()
        self.running.log.close()
