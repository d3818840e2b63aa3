"""Which program or library a proxy's CPU time goes to, by samples of the software clock (`perf`),
which needs no performance counters."""

import os
import select
import signal
import subprocess
from pathlib import Path

from . import machine
from .processes import Failure, Load

KINDS = ["libcrypto", "libssl", "kernel", "libc", "its own"]
SAMPLES_PER_SECOND = 4_000
ANSWER_SECONDS_MAX = 10


def kind(image, own):
    """Of the file, or name in brackets, that a sample fell in; `own`: how the proxy's begin."""
    if image.startswith("[") and "vdso" not in image:
        return "kernel"
    for library in ("libcrypto", "libssl"):
        if image.startswith(library):
            return library
    if image.startswith(("libc.", "ld-linux", "[vdso")):
        return "libc"
    return "its own" if image.startswith(own) else "other"


class Recording:
    """`perf record` of a process, which counts from when it says that it has attached."""

    def __init__(self, pids, samples):
        orders, answers = (f"{samples}.{name}" for name in ("orders", "answers"))
        os.mkfifo(orders)
        os.mkfifo(answers)
        self.process = subprocess.Popen(
            ["perf", "record", "-q", "-e", "cpu-clock", "-F", str(SAMPLES_PER_SECOND), "-o", samples,
             "-D", "-1", f"--control=fifo:{orders},{answers}", "-p", ",".join(map(str, pids))],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        # Both ways, so that opening waits for nobody.
        self.orders, self.answers = (os.open(path, os.O_RDWR) for path in (orders, answers))
        os.write(self.orders, b"enable\n")
        if not select.select([self.answers], [], [], ANSWER_SECONDS_MAX)[0]:
            self.end()
            raise Failure("perf does not attach")

    def end(self):
        self.process.send_signal(signal.SIGINT)
        self.process.wait(ANSWER_SECONDS_MAX)
        os.close(self.orders)
        os.close(self.answers)


def measure(run, workload, peer, quick):
    """{kind: share of one}, of one run apart from those that are compared."""
    proxy = run.proxies[peer.name]
    samples = Path(run.folder, f"{peer.name}-{workload.name}.perf")
    proxy.signal(signal.SIGCONT)
    load = Load(run.bench, workload.arguments(peer.ports[workload.service], quick=quick), run.folder)
    try:
        recording = Recording(proxy.pids(), samples)
        try:
            load.run()
        finally:
            recording.end()
        load.end()
    except BaseException:
        load.kill()
        raise
    finally:
        proxy.signal(signal.SIGSTOP)
    return read(samples, peer.images)


def read(samples, own):
    done = subprocess.run(
        ["perf", "report", "-i", samples, "--stdio", "-q", "--sort", "dso", "-F", "overhead,dso"],
        capture_output=True, text=True)
    found = {}
    for line in done.stdout.splitlines():
        words = line.split()
        if len(words) >= 2 and words[0].endswith("%"):
            name = kind(words[1], own)
            found[name] = found.get(name, 0) + float(words[0][:-1]) / 100
    if not found:
        raise Failure(f"perf report answered: {done.stdout} {done.stderr}")
    return found


def measure_all(run, workloads, quick):
    """{workload: {peer: shares}}"""
    found = {}
    for workload in workloads:
        for peer in run.peers:
            if peer.name not in run.proxies or not peer.does(workload):
                continue
            try:
                found.setdefault(workload.name, {})[peer.name] = measure(run, workload, peer, quick)
            except Failure as failure:
                machine.say(f"{peer.name}, {workload.name}, shares: {failure}")
    return found
