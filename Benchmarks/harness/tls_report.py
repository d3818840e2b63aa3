"""The part of the report that is about TLS."""

from statistics import median

from . import floor, shares

OURS = "apus"


def tables(report):
    """Lines of markdown; nothing where no TLS was measured."""
    chosen = [w for w in report.workloads if "tls" in w.tags]
    note = (
        "TLS 1.3, TLS_AES_128_GCM_SHA256, X25519, ECDSA P-256; one worker. "
        f"`{floor.NAME}` is the server's half of the same connections alone, in memory: below it no "
        "proxy can go with this library. Ratios are medians of the rounds'.")
    return (
        report.table("TLS: CPU time of the proxy for handshakes, µs", note, "cpu",
                     [w for w in chosen if w.unit != "GB"], lambda us: f"{us:.0f}")
        + report.table("TLS: CPU time of the proxy for bulk data, ms", note, "cpu",
                       [w for w in chosen if w.unit == "GB"], lambda us: f"{us / 1000:.0f}")
        + share_table(report, chosen) + idle_table(report.found.tls_idle)
    )


def share_table(report, workloads):
    rows = []
    for workload in workloads:
        alone = report.figure(workload, floor.NAME, "cpu")
        for peer, found in report.found.shares.get(workload.name, {}).items():
            used = report.figure(workload, peer, "cpu")
            cells = [f"{100 * found.get(kind, 0):.0f} %" for kind in shares.KINDS]
            least = f"{100 * alone / used:.0f} %" if alone and used else ""
            rows.append(f"| {workload.title} | {peer} | {' | '.join(cells)} | {least} |")
    if not rows:
        return []
    return ["## TLS: where the CPU time of the proxy goes", "",
            "Samples of the software clock (`perf`, cpu-clock), of a run apart; the last column is "
            f"`{floor.NAME}` above as a share of the proxy's CPU time.", "",
            f"| work | | {' | '.join(shares.KINDS)} | OpenSSL alone would take |",
            "|---" * (len(shares.KINDS) + 3) + "|", *rows, ""]


def idle_table(found):
    if not found:
        return []
    rows = [f"| {name} | {median(sizes):,.0f} |" for name, sizes in found.items()]
    return ["## TLS: memory of an idle connection", "",
            "Growth of the proxy's own memory with 4,000 connections that carried one request.", "",
            "| | user memory, B |", "|---|---|", *rows, ""]


def idle_target(report):
    """Rows of the table of targets."""
    found = report.found.tls_idle
    if not found.get(OURS):
        return []
    ours = median(found[OURS])
    least = min((median(sizes) for name, sizes in found.items() if name != OURS), default=None)
    if least is None:
        return [report.verdict("memory of an idle TLS connection", "≤ 1.00 × the best peer",
                               "not measured", False)]
    return [report.verdict("memory of an idle TLS connection", "≤ 1.00 × the best peer",
                           f"{ours / least:.2f} × ({ours:,.0f} B; {least:,.0f} B)", ours <= least)]
