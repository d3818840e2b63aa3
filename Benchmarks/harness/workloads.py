"""What is asked of the proxies: one entry a line of work, with its targets."""

from dataclasses import dataclass, field

from . import tls

SERVICES = ["echo", "sink", "source", "reply", "datagrams"]


@dataclass(frozen=True)
class Target:
    """`figure` of apus at most `ratio` times that of `peer` (None: `ratio` is the figure itself)."""

    figure: str
    peer: str | None
    ratio: float


@dataclass(frozen=True)
class Workload:
    name: str
    title: str
    mode: str
    service: str
    options: dict
    unit: str
    # How many operations one `unit` is, from the load's result.
    count: str = "operations"
    scale: float = 1
    # Fewer operations where every instruction is emulated; None: CPU time is the figure.
    emulated_count: int | None = None
    targets: tuple = ()
    is_datagram: bool = False
    tags: tuple = field(default=())
    # What `apus-bench floor` is asked for; empty: there is no floor.
    floor: tuple = ()

    def arguments(self, port, quick=False, emulated=False):
        options = dict(self.options)
        for name in ("count", "bytes"):
            if quick and options.get(name, 0) > 10_000:
                options[name] = options[name] // 10
        if emulated:
            options["count"] = self.emulated_count
        words = ["load", self.mode, "--port", str(port), "--seconds", "60", "--stepped", "1"]
        for name, value in options.items():
            words += [f"--{name}", str(value)]
        return words

    def operations(self, result):
        return result[self.count] / self.scale


def instructions(nginx, haproxy=None, envoy=None):
    targets = [Target("instructions", "nginx", nginx)]
    if haproxy:
        targets.append(Target("instructions", "haproxy", haproxy))
    if envoy:
        targets.append(Target("instructions", "envoy", envoy))
    return tuple(targets)


BULK = (
    Target("cpu", "nginx", 0.40),
    Target("cpu", "envoy", 0.40),
    Target("cpu", "haproxy-splice", 0.75),
    Target("cpu", "haproxy-splice-1m", 1.03),
)


def round_trips(connections):
    return Workload(
        f"roundtrips-{connections}",
        f"64 B round trips, {connections} connection" + ("s" if connections > 1 else ""),
        "roundtrips",
        "echo",
        {"connections": connections, "count": 30_000 if connections > 1 else 10_000},
        "request",
        emulated_count=4_000 if connections > 1 else 1_000,
        targets=instructions(0.95, 0.80, 0.55) + (Target("user", None, 600),)
        if connections > 1
        else (),
    )


def bulk(course, connections):
    return Workload(
        f"bulk-{course}-{connections}",
        f"bulk {course}, {connections} connection" + ("s" if connections > 1 else ""),
        f"bulk-{course}",
        "sink" if course == "up" else "source",
        {"connections": connections, "bytes": 1_500_000_000},
        "GB",
        count="bytes",
        scale=1e9,
        targets=BULK,
    )


def datagrams(name, title, size, burst=1, gso=False, ratio=0.88):
    return Workload(
        name,
        title,
        "datagrams",
        "datagrams",
        # Not more at a time than a receive buffer of the usual size holds.
        {"connections": 8 if burst > 1 else 16, "count": 120_000 if gso else 30_000,
         "bytes": size, "burst": burst, "gso": int(gso)},
        "datagram",
        emulated_count=8_000 if burst > 1 else 3_000,
        targets=instructions(ratio),
        is_datagram=True,
    )


def handshakes(name, title, ratio, tickets):
    return Workload(
        f"tls-{name}", title, f"tls-{name}", f"tls-{name}", {"connections": 16, "count": 1_500},
        "connection", emulated_count=100,
        targets=(Target("cpu", "nginx", ratio), Target("cpu", "haproxy", ratio)), tags=("tls",),
        floor=(name, "--tickets", str(tickets), "--count", "1500"),
    )


def tls_bulk(course, connections):
    """AES-128-GCM on the client's side, plain on the backend's; the issue names a target for what
    comes in."""
    into = "in" if course == "up" else "out"
    return Workload(
        f"tls-{course}-{connections}",
        f"TLS bulk {course} (AES-128-GCM {into}), {connections} connection"
        + ("s" if connections > 1 else ""),
        f"tls-{course}",
        f"tls-{course}",
        {"connections": connections, "bytes": 1_000_000_000},
        "GB",
        count="bytes",
        scale=1e9,
        targets=(Target("cpu", "nginx", 0.85), Target("cpu", "haproxy", 0.85))
        if course == "up"
        else (),
        tags=("tls",),
        floor=(course, "--bytes", "1000000000"),
    )


def services_of(workloads):
    """What a proxy has to listen for: TLS only where it is asked for, so that a program without it
    can be measured, too."""
    wanted = {w.service for w in workloads}
    return SERVICES + [s for s in tls.SERVICES if s in wanted]


WORKLOADS = [
    round_trips(1),
    round_trips(64),
    round_trips(256),
    Workload(
        "openloop-64", "64 B round trips at 15,000 a second, 64 connections", "roundtrips", "echo",
        {"connections": 64, "count": 15_000, "rate": 15_000}, "request", tags=("latency",),
    ),
    bulk("up", 1),
    bulk("up", 16),
    bulk("up", 64),
    bulk("down", 1),
    bulk("down", 16),
    bulk("down", 64),
    Workload(
        "churn", "connect, request, close", "churn", "reply", {"connections": 16, "count": 3_000},
        "connection", emulated_count=500, targets=instructions(0.95, 0.80, 0.50),
    ),
    datagrams("udp-64", "UDP round trips, 64 B, 16 flows", 64),
    datagrams("udp-1400", "UDP round trips, 1400 B, 16 flows", 1400),
    datagrams("udp-burst", "bursts of 8 datagrams of 1400 B", 1400, burst=8, ratio=0.50),
    datagrams(
        "udp-burst-gso", "bursts of 8, sent with GSO by the peers", 1400, burst=8, gso=True,
        ratio=0.17,
    ),
    Workload(
        "udp-flood", "64 B datagrams at 30,000 a second, 16 flows", "flood", "datagrams",
        {"connections": 16, "count": 30_000, "bytes": 64, "burst": 4, "rate": 30_000}, "datagram",
        is_datagram=True, tags=("loss",),
    ),
    Workload(
        "udp-65507", "datagrams of 65,507 B, 4 flows", "datagrams", "datagrams",
        {"connections": 4, "count": 2_000, "bytes": 65_507}, "datagram", is_datagram=True,
        tags=("loss",),
    ),
    handshakes("full", "full TLS 1.3 handshake, request, close", 0.90, tickets=1),
    handshakes("resumed", "resumed TLS 1.3 handshake, request, close", 0.85, tickets=1),
    tls_bulk("up", 1),
    tls_bulk("up", 16),
    tls_bulk("down", 1),
    tls_bulk("down", 16),
]
