"""The gate: an Apus that is warm allocates nothing for an event, a connection or a flow.

All other threads are the control side: about once a second the main thread looks at the counters and
may log, and the resolver's at its files, which allocates, but not for any event. Their allocations
are shown and not judged.
"""

import mmap
import os
import struct
import subprocess
import time
from pathlib import Path

from . import machine
from .peers import BACKEND_PORTS, Apus
from .processes import LOAD_CORE, PROXY_CORE, Failure, Running
from .workloads import SERVICES

# name, service, arguments of `apus-bench load`
STEPS = [
    ("10,000 round trips", "echo", "roundtrips --connections 64 --count 10000"),
    ("1,000 connections", "reply", "churn --connections 16 --count 1000"),
    ("256 MB up", "sink", "bulk-up --connections 4 --bytes 256000000"),
    ("256 MB down", "source", "bulk-down --connections 4 --bytes 256000000"),
    ("1,000 UDP flows", "datagrams", "datagrams --connections 1000 --count 4000"),
    ("8,000 datagrams sent with GSO", "datagrams",
     "datagrams --connections 16 --count 8000 --bytes 1400 --burst 8 --gso 1"),
]


class Counts:
    """The numbers that the preloaded library keeps in a file: allocations of the workers and of
    all other threads, releases likewise."""

    def __init__(self, path):
        with open(path, "rb") as file:
            self.memory = mmap.mmap(file.fileno(), 32, prot=mmap.PROT_READ)

    def read(self):
        return struct.unpack("4Q", self.memory[:32])


def gate(folder, program):
    bench = machine.build_bench()
    path = Path(folder, "counts")
    apus = Apus(1, program)
    words = [bench, "backend"]
    for service in SERVICES:
        words += [f"--{service}", str(BACKEND_PORTS[service])]
    backend = Running(words, LOAD_CORE, folder, "backend.log")
    environment = dict(os.environ, LD_PRELOAD=machine.build_allocation_counter(),
                       ALLOCATION_COUNTS=str(path))
    words = apus.command(folder, SERVICES)
    proxy = Running(words, PROXY_CORE, folder, "proxy.log", env=environment)
    try:
        backend.await_listening(BACKEND_PORTS["echo"])
        proxy.await_listening(apus.ports["echo"])
        counts = Counts(path)
        # Either side allocates when it starts; sockets listen before workers do anything.
        for _ in range(100):
            if 0 not in counts.read()[:2]:
                break
            time.sleep(0.05)
        else:
            raise Failure("the allocation counter counts nothing: was it preloaded?")
        return run_steps(bench, apus, counts, folder)
    finally:
        proxy.stop()
        backend.stop()


def run_steps(bench, apus, counts, folder):
    failed = False
    for name, service, arguments in STEPS:
        words = [bench, "load", *arguments.split(), "--port", str(apus.ports[service])]
        # The first run warms up: tables grow, the dynamic linker resolves.
        for is_measured in (False, True):
            before = counts.read()
            done = subprocess.run(["taskset", "-c", str(LOAD_CORE), *words], capture_output=True,
                                  text=True, timeout=60)
            if done.returncode != 0 or '"errors":0' not in done.stdout:
                raise Failure(f"{name}: {done.stdout} {done.stderr}")
            made, main, released, _ = (b - a for a, b in zip(before, counts.read()))
            if is_measured:
                print(f"{name}: {made} allocations, {released} releases by the workers "
                      f"({main} allocations by the control thread)")
                failed = failed or made != 0
    return 1 if failed else 0
