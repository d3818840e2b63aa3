"""The rounds: every proxy in turn does every work, alone on its core, and what it used is read."""

import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from . import machine, tls
from .floor import Floor
from .peers import BACKEND_PORTS
from .processes import LOAD_CORE, PROXY_CORE, Failure, Load, Running, take_precedence
from .workloads import services_of

# A cache line's round trip between the cores under this is "near" (see Benchmarks/README.md).
NEAR_NANOSECONDS = 250


@dataclass
class Sample:
    workload: str
    peer: str
    round: int
    figures: dict
    near: bool


class Counter:
    """Instructions of a process by the processor's own counters, where they can be read."""

    def __init__(self, pids):
        self.process = subprocess.Popen(
            ["perf", "stat", "-x,", "-e", "instructions:u,instructions:k", "-p",
             ",".join(map(str, pids))], stderr=subprocess.PIPE, text=True,
        )
        # perf says nothing when it has attached; without this the first work would be missed.
        time.sleep(0.2)

    def read(self):
        self.process.send_signal(signal.SIGINT)
        _, text = self.process.communicate()
        values = {}
        for line in text.splitlines():
            words = line.split(",")
            if len(words) > 2 and words[2].startswith("instructions:"):
                values[words[2][-1]] = float(words[0])
        if set(values) != {"u", "k"}:
            raise Failure(f"perf stat answered: {text}")
        return values["u"], values["k"]


class Comparison:
    def __init__(self, bench, peers, folder, workloads):
        self.bench = bench
        self.peers = peers
        self.services = services_of(workloads)
        self.folder = folder
        self.has_counters = machine.counts_instructions()
        self.proxies = {}
        self.samples = []
        self.failures = []

    def __enter__(self):
        words = [self.bench, "backend"]
        for service, port in BACKEND_PORTS.items():
            words += [f"--{service}", str(port)]
        self.backend = Running(words, LOAD_CORE, self.folder, "backend.log")
        try:
            self.backend.await_listening(BACKEND_PORTS["echo"])
            for peer in self.peers:
                self.start(peer)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for proxy in self.proxies.values():
            proxy.stop()
        self.backend.stop()

    def start(self, peer):
        folder = Path(self.folder, peer.name)
        folder.mkdir(exist_ok=True)
        words = peer.command(folder, self.services)
        if words is None:
            return
        proxy = Running(words, PROXY_CORE, folder, "proxy.log", env=peer.environment())
        self.proxies[peer.name] = proxy
        proxy.await_listening(peer.ports["echo"])
        # Each proxy is alone while it is measured.
        proxy.signal(signal.SIGSTOP)

    def distance(self):
        done = subprocess.run([self.bench, "pingpong"], capture_output=True, text=True, check=True,
                              preexec_fn=take_precedence)
        return float(done.stdout)

    def run_rounds(self, workloads, rounds, quick=False):
        for number in range(rounds):
            for workload in workloads:
                before = self.distance()
                tries = [self.take(workload, peer, number, quick) for peer in self.peers]
                taken = [sample for sample in tries if sample]
                after = self.distance()
                for sample in taken:
                    sample.near = max(before, after) < NEAR_NANOSECONDS
                self.samples += taken
                machine.say(
                    f"round {number + 1}/{rounds} {workload.name}: "
                    f"cores {before:.0f}/{after:.0f} ns"
                )

    def take(self, workload, peer, number, quick):
        if not peer.does(workload):
            return None
        try:
            if isinstance(peer, Floor):
                figures = peer.figures(self.bench, workload, self.folder, quick)
            else:
                figures = self.measure(workload, peer, quick)
        except Failure as failure:
            self.failures.append(f"{peer.name}, {workload.name}: {failure}")
            machine.say(self.failures[-1])
            return None
        if figures["errors"]:
            self.failures.append(f"{peer.name}, {workload.name}: {figures['errors']} errors")
            machine.say(self.failures[-1])
        return Sample(workload.name, peer.name, number, figures, near=True)

    def measure(self, workload, peer, quick):
        proxy = self.proxies.get(peer.name)
        if proxy:
            proxy.check()
            proxy.signal(signal.SIGCONT)
        words = workload.arguments(peer.ports[workload.service], quick=quick)
        load = Load(self.bench, words, self.folder)
        try:
            counter = Counter(proxy.pids()) if proxy and self.has_counters else None
            before = proxy.cpu() if proxy else (0, 0, 0)
            result = load.run()
            after = proxy.cpu() if proxy else (0, 0, 0)
            counted = counter.read() if counter else None
            load.end()
        except BaseException:
            load.kill()
            raise
        finally:
            if proxy:
                proxy.signal(signal.SIGSTOP)
        operations = workload.operations(result)
        if operations == 0:
            raise Failure(f"nothing came back: {result}")
        figures = {
            "throughput": operations / (result["nanoseconds"] / 1e9),
            "errors": result["errors"],
            "lost": result["lost"],
        }
        if proxy:
            total, user, system = (b - a for a, b in zip(before, after))
            share = user / (user + system) if user + system > 0 else 0
            each = total / operations * 1e6
            figures |= {"cpu": each, "cpu-user": each * share}
        if counted:
            user, kernel = (value / operations for value in counted)
            figures |= {"user": user, "kernel": kernel, "instructions": user + kernel}
        if "latency" in result:
            figures |= {f"latency-{k}": v / 1000 for k, v in result["latency"].items()}
        return figures


def footprint(bench, peers, folder, rounds=5, idle_count=4000):
    """Start to listening, memory of one worker with one listener, memory per idle connection."""
    words = [bench, "backend", "--echo", str(BACKEND_PORTS["echo"])]
    backend = Running(words, LOAD_CORE, folder, "backend.log")
    found = {}
    try:
        backend.await_listening(BACKEND_PORTS["echo"])
        for number in range(rounds):
            for peer in peers:
                one = found.setdefault(peer.name, {"start": [], "resident": [], "idle": []})
                try:
                    measure_footprint(bench, peer, folder, one, idle_count, number == 0)
                except Failure as failure:
                    machine.say(f"{peer.name}, footprint: {failure}")
    finally:
        backend.stop()
    return found


def measure_footprint(bench, peer, folder, found, idle_count, with_idle):
    own = Path(folder, peer.name)
    own.mkdir(exist_ok=True)
    words = peer.command(own, ["echo"])
    if words is None:
        return
    proxy = Running(words, PROXY_CORE, own, "footprint.log")
    try:
        found["start"].append(proxy.await_listening(peer.ports["echo"]))
        found["resident"].append(proxy.resident_bytes())
        if not with_idle:
            return
        found["idle"].append(idle_bytes(bench, peer, proxy, folder, "echo", idle_count))
    finally:
        proxy.stop()


def idle_bytes(bench, peer, proxy, folder, service, idle_count):
    """What the proxy's own memory grows by with an idle connection."""
    held = []
    sizes = []
    mode = "tls-idle" if service in tls.SERVICES else "idle"
    try:
        # The first thousand make the proxy touch what it touches once, as each buffer of a ring.
        for count in (idle_count // 4, idle_count):
            arguments = ["load", mode, "--port", str(peer.ports[service]), "--connections",
                         str(count), "--stepped", "1"]
            held.append(Load(bench, arguments, folder))
            sizes.append(proxy.own_bytes())
    except BaseException:
        for load in held:
            load.kill()
        raise
    for load in held:
        load.end()
    return (sizes[1] - sizes[0]) / idle_count


def tls_idle(bench, peers, folder, rounds, idle_count=4000):
    """{peer: [bytes of its own memory an idle TLS connection]}, each value of a fresh process."""
    words = [bench, "backend", "--echo", str(BACKEND_PORTS["echo"])]
    backend = Running(words, LOAD_CORE, folder, "backend.log")
    found = {}
    try:
        backend.await_listening(BACKEND_PORTS["echo"])
        for peer in peers * rounds:
            own = Path(folder, peer.name)
            own.mkdir(exist_ok=True)
            proxy = Running(peer.command(own, ["echo", "tls-idle"]), PROXY_CORE, own, "idle.log")
            try:
                proxy.await_listening(peer.ports["echo"])
                size = idle_bytes(bench, peer, proxy, folder, "tls-idle", idle_count)
                found.setdefault(peer.name, []).append(size)
                machine.say(f"{peer.name}: {size:,.0f} B an idle TLS connection")
            except Failure as failure:
                machine.say(f"{peer.name}, idle over TLS: {failure}")
            finally:
                proxy.stop()
    finally:
        backend.stop()
    return found


def two_workers(bench, apus_of, folder, workload, rounds):
    """Throughput and CPU a request of one and of two workers, load and backend on both cores."""
    found = {1: [], 2: []}
    both = f"{PROXY_CORE},{LOAD_CORE}"
    words = [bench, "backend", "--echo", str(BACKEND_PORTS["echo"])]
    backends = Running(words, both, folder, "backend.log")
    try:
        backends.await_listening(BACKEND_PORTS["echo"])
        for _ in range(rounds):
            for workers in (1, 2):
                peer = apus_of(workers)
                own = Path(folder, peer.name)
                own.mkdir(exist_ok=True)
                proxy = Running(peer.command(own, ["echo"]), both, own, "proxy.log")
                try:
                    proxy.await_listening(peer.ports["echo"])
                    load = Load(bench, workload.arguments(peer.ports["echo"]), folder, core=both)
                    before = proxy.cpu()[0]
                    result = load.run()
                    used = proxy.cpu()[0] - before
                    load.end()
                    found[workers].append(
                        (result["operations"] / result["nanoseconds"] * 1e9,
                         used / result["operations"] * 1e6)
                    )
                finally:
                    proxy.stop()
    finally:
        backends.stop()
    return found
