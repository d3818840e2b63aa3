"""Medians and ratios of the samples, as markdown and charts."""

from dataclasses import dataclass, field
from datetime import datetime, timezone
from statistics import median

from . import chart, machine, reload, requests, tls_report

OURS = "apus"


@dataclass
class Found:
    """Everything that was measured."""

    samples: list
    # {peer: {workload: figures}}
    emulated: dict
    # {peer: {start, resident, idle: [values]}}
    footprint: dict
    # {workers: [(throughput, cpu)]}
    workers: dict
    # {(peer, listeners): changes}; see reload.py
    reloads: dict
    failures: list
    # {peer: [bytes]}
    tls_idle: dict = field(default_factory=dict)
    # {workload: {peer: {kind: share}}}; see shares.py
    shares: dict = field(default_factory=dict)
    # {work: {proxy: [µs]}}; see requests.py
    requests: dict = field(default_factory=dict)


class Report:
    def __init__(self, found, workloads, peers, command, rounds):
        self.found = found
        self.workloads = workloads
        self.plain = [w for w in workloads if "tls" not in w.tags]
        self.peers = peers
        self.command = command
        self.rounds = rounds
        self.has_counters = any("instructions" in s.figures for s in found.samples)
        self.verdicts = []

    # Figures

    def values(self, workload, peer, figure):
        """{round: value}, of the rounds with near cores if there are any."""
        samples = [
            s for s in self.found.samples
            if s.workload == workload.name and s.peer == peer and figure in s.figures
        ]
        if figure.startswith("cpu") and sum(s.near for s in samples) >= 2:
            samples = [s for s in samples if s.near]
        return {s.round: s.figures[figure] for s in samples}

    def figure(self, workload, peer, figure):
        if figure in ("instructions", "user", "kernel") and not self.has_counters:
            return self.found.emulated.get(peer, {}).get(workload.name, {}).get(figure)
        values = self.values(workload, peer, figure)
        return median(values.values()) if values else None

    def ratio(self, workload, peer, figure):
        """Apus to the peer: the median of the ratios of each round."""
        if figure in ("instructions", "user", "kernel") and not self.has_counters:
            ours, theirs = (self.figure(workload, p, figure) for p in (OURS, peer))
            return ours / theirs if ours and theirs else None
        ours = self.values(workload, OURS, figure)
        theirs = self.values(workload, peer, figure)
        ratios = [ours[r] / theirs[r] for r in ours if theirs.get(r)]
        if ratios:
            return median(ratios)
        ours, theirs = (self.figure(workload, p, figure) for p in (OURS, peer))
        return ours / theirs if ours and theirs else None

    # Tables

    def markdown(self, charts):
        versions = "\n".join(f"- {p.name}: {p.describe()}" for p in self.peers)
        how = (
            "the processor's counters (`perf stat`)" if self.has_counters
            else "counted in an emulated machine (QEMU, one processor, Debian's kernel 6.12): this "
            "machine has no performance counters"
        )
        date = datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
        near = sum(s.near for s in self.found.samples)
        lines = [
            "# Results", "",
            f"Written by `{self.command}` on {date}; {machine.describe()}; {self.rounds} rounds, "
            f"{near} of {len(self.found.samples)} samples with near cores; instructions: {how}. "
            "`README.md` beside this file tells the method.", "", versions, "",
        ]
        body = self.instruction_table() + self.cpu_table() + self.latency_table()
        body += self.loss_table() + self.footprint_table() + self.worker_table()
        body += requests.table(self.found.requests)
        body += self.reload_table() + tls_report.tables(self)
        lines += self.target_table() + [f"![{name}](results/{name}.svg)" for name in charts] + [""]
        lines += body
        if self.found.failures:
            failures = dict.fromkeys(self.found.failures)
            lines += ["## What did not run", ""] + [f"- {f.strip()}" for f in failures] + [""]
        return "\n".join(lines)

    def table(self, title, note, figure, workloads, form):
        names = [p.name for p in self.peers
                 if any(self.figure(w, p.name, figure) is not None for w in workloads)]
        rows = []
        for workload in workloads:
            cells = [self.figure(workload, name, figure) for name in names]
            if not any(cells):
                continue
            ratios = [
                f"{r:.2f} × {name}" for name in names
                if name != OURS and (r := self.ratio(workload, name, figure))
            ]
            shown = " | ".join(form(c) if c is not None else "" for c in cells)
            rows.append(f"| {workload.title} | {workload.unit} | {shown} | {', '.join(ratios)} |")
        if not rows:
            return []
        head = f"| work | per | {' | '.join(names)} | apus is |"
        return [f"## {title}", "", note, "", head, "|---" * (len(names) + 3) + "|", *rows, ""]

    def instruction_table(self):
        return self.table(
            "Instructions of the proxy", "User and kernel together.", "instructions",
            self.workloads, chart.number,
        ) + self.table(
            "Instructions of the proxy, user side", "Its own code and its libraries.", "user",
            self.workloads, chart.number,
        )

    def cpu_table(self):
        small = [w for w in self.plain if w.unit != "GB"]
        return self.table(
            "CPU time of the proxy for bulk data, ms",
            "Medians; ratios are medians of the rounds'.",
            "cpu", [w for w in self.plain if w.unit == "GB"], lambda us: f"{us / 1000:.0f}",
        ) + self.table(
            "CPU time of the proxy for small messages, µs",
            "Depends on how far the cores are from each other more than on the proxy.", "cpu",
            small,
            lambda us: f"{us:.2f}",
        ) + self.table(
            "Throughput, per second", "Load and backend share one core, and are often the limit.",
            "throughput", self.workloads, chart.number,
        )

    def latency_table(self):
        chosen = [w for w in self.workloads if "latency" in w.tags]
        return self.table(
            "Latency, µs, median", "Counted from when a request was due (open loop).",
            "latency-p50", chosen, lambda us: f"{us:.0f}",
        ) + self.table(
            "Latency, µs, 99th percentile", "The same runs.", "latency-p99", chosen,
            lambda us: f"{us:.0f}",
        )

    def loss_table(self):
        names = [p.name for p in self.peers]
        rows = []
        for workload in self.workloads:
            if not workload.is_datagram:
                continue
            cells = []
            for name in names:
                lost = self.values(workload, name, "lost")
                cells.append(str(sum(lost.values())) if lost else "")
            if any(cells):
                rows.append(f"| {workload.title} | {' | '.join(cells)} |")
        if not rows:
            return []
        return ["## Datagrams lost, all rounds together", "", f"| work | {' | '.join(names)} |",
                "|---" * (len(names) + 1) + "|", *rows, ""]

    def footprint_table(self):
        if not self.found.footprint:
            return []
        rows = []
        for name, one in self.found.footprint.items():
            if not one["start"]:
                continue
            idle = f"{median(one['idle']):,.0f}" if one["idle"] else ""
            rows.append(f"| {name} | {median(one['start']):.1f} | "
                        f"{median(one['resident']) / 1e6:.1f} | {idle} |")
        return ["## Start and memory", "", "One worker, one listener.", "",
                "| | start to listening, ms | resident, MB | user memory an idle connection, B |",
                "|---|---|---|---|", *rows, ""]

    def worker_table(self):
        if len(self.found.workers) < 2:
            return []
        rows = []
        for workers, values in self.found.workers.items():
            rows.append(f"| {workers} | {median(v[0] for v in values):,.0f} | "
                        f"{median(v[1] for v in values):.2f} |")
        return ["## One worker and two", "",
                "64 B round trips over 64 connections; proxy, load and backend share both cores, so "
                "that the throughput cannot double here: what a second worker adds is told by the "
                "CPU time a request, which is all that workers could take from each other.", "",
                "| workers | requests a second | CPU µs a request |", "|---|---|---|", *rows, ""]

    def reload_table(self):
        if not self.found.reloads:
            return []
        rows = [
            f"| {name} | {count:,} | {median(one['milliseconds']):.1f} | {median(one['cpu']):.1f} | "
            f"{one['unanswered']} | {one['resident'] / 1e6:.0f} | "
            f"{one['read'] if 'read' in one else ''} |"
            for (name, count), one in self.found.reloads.items()
        ]
        return ["## A change of one backend", "",
                "From the closing of the file (nginx, HAProxy: and a signal) to the first new "
                "connection that is answered by the other backend; CPU time and memory of all "
                "processes that live then. Apus waits 50 ms for the files to be quiet.", "",
                "| | listeners, each with a backend | in force after, ms | CPU, ms | connections "
                "that nobody answered | resident, MB | read at the start in, ms |",
                "|---|---|---|---|---|---|---|", *rows, ""]

    # Targets

    def target_table(self):
        rows = []
        for workload in self.workloads:
            for target in workload.targets:
                if target.peer:
                    got = self.ratio(workload, target.peer, target.figure)
                    wanted = f"≤ {target.ratio:.2f} × {target.peer}"
                    shown = f"{got:.2f} ×" if got else "not measured"
                else:
                    got = self.figure(workload, OURS, target.figure)
                    wanted = f"≤ {target.ratio:.0f}"
                    shown = f"{got:.0f}" if got else "not measured"
                rows.append(self.verdict(f"{workload.title}: {target.figure}", wanted, shown,
                                         got is not None and got <= target.ratio))
        rows += self.footprint_targets() + self.worker_target() + self.reload_targets()
        if self.found.requests:
            rows += requests.targets(self, self.found.requests)
        rows += tls_report.idle_target(self)
        if not any(p.name == OURS for p in self.peers):
            return []
        head = ["| figure | target | measured | |", "|---|---|---|---|"]
        return ["## Targets", "", *head, *rows, ""]

    def verdict(self, title, wanted, shown, is_reached):
        if shown == "not measured":
            return f"| {title} | {wanted} | {shown} | |"
        self.verdicts.append((title, is_reached))
        return f"| {title} | {wanted} | {shown} | {'reached' if is_reached else '**missed**'} |"

    def footprint_targets(self):
        one = self.found.footprint.get(OURS)
        if not one or not one["start"]:
            return []
        rows = []
        if one["idle"]:
            idle = median(one["idle"])
            least = min((median(o["idle"]) for name, o in self.found.footprint.items()
                         if name != OURS and o["idle"]), default=None)
            is_reached = idle <= 1024 and (least is None or idle < least)
            beside = f", least of the peers {least:,.0f} B" if least is not None else ""
            rows.append(self.verdict("memory of an idle connection", "≤ 1,024 B, below every peer",
                                     f"{idle:,.0f} B{beside}", is_reached))
        start, resident = median(one["start"]), median(one["resident"]) / 1e6
        rows.append(self.verdict("start to listening", "≤ 50 ms", f"{start:.1f} ms", start <= 50))
        rows.append(self.verdict("resident memory", "≤ 25 MB", f"{resident:.1f} MB", resident <= 25))
        return rows

    def worker_target(self):
        if len(self.found.workers) < 2:
            return []
        one, two = (median(v[1] for v in self.found.workers[n]) for n in (1, 2))
        gain = 2 * one / two
        return [self.verdict("two workers against one (2 × CPU a request of one / of two)", "≥ 1.8 ×",
                             f"{gain:.2f} ×", gain >= 1.8)]

    def reload_targets(self):
        large = self.found.reloads.get((OURS, reload.LARGE))
        if not large:
            return []
        after, size = median(large["milliseconds"]), large["resident"] / 1e6
        return [
            self.verdict("10,000 routes and Backends decoded, validated, translated", "≤ 2 s",
                         f"{large['read'] / 1000:.2f} s", large["read"] <= 2_000),
            self.verdict("the same: resident memory after reloads", "≤ 500 MB", f"{size:.0f} MB",
                         size <= 500),
            self.verdict("one Backend of 10,000 changed: in force", "≤ 200 ms", f"{after:.0f} ms",
                         after <= 200),
        ]

    # Charts

    def charts(self):
        names = [p.name for p in self.peers if p.name != "direct"]

        def rows(workloads, figure, scale=1):
            return [
                (w.title, [(n, v * scale) for n in names if (v := self.figure(w, n, figure))])
                for w in workloads
            ]

        small = [w for w in self.workloads if w.unit != "GB"]
        large = [w for w in self.workloads if w.unit == "GB"]
        made = {}
        if any(values for _, values in rows(small, "instructions")):
            made["instructions"] = chart.bars(
                "Instructions of the proxy per operation", "User and kernel; less is better.",
                rows(small, "instructions"))
        if large:
            made["bulk"] = chart.bars(
                "CPU time of the proxy per GB of bulk data, ms", "Less is better.",
                rows(large, "cpu", 1e-3), scale_by_row=False)
        if small:
            made["cpu"] = chart.bars(
                "CPU time of the proxy per operation, µs", "Less is better.", rows(small, "cpu"))
        idle = [(n, median(o["idle"])) for n, o in self.found.footprint.items() if o["idle"]]
        start = [(n, median(o["start"])) for n, o in self.found.footprint.items() if o["start"]]
        resident = [(n, median(o["resident"]) / 1e6) for n, o in self.found.footprint.items()
                    if o["resident"]]
        if start:
            made["footprint"] = chart.bars(
                "Start and memory", "Less is better.",
                [("idle connection, B", idle), ("start to listening, ms", start),
                 ("resident, MB", resident)])
        return made
