"""Requests of HTTP through Apus, nginx, HAProxy and Envoy: 100 routes, ten hosts with ten prefixes
each. The load is h2load's, the origin nginx; each proxy is alone on its core, round after round."""

import json
import re
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from . import tls
from .processes import LOAD_CORE, PROXY_CORE, Failure, Running, take_precedence

PACKAGES = ("nghttp2-client", "nginx", "haproxy")
HOSTS = [f"h{number}.example.com" for number in range(10)]
PREFIXES = [f"p{number}" for number in range(10)]
ORIGIN, STREAM_ORIGIN = 29_100, 29_101
PORTS = {"apus": 22_000, "nginx": 22_010, "haproxy": 22_020, "envoy": 22_030}
SMALL = "hello world, this is a small answer of some bytes\\n"
BIG_BYTES = 1 << 20


@dataclass(frozen=True)
class Work:
    name: str
    title: str
    count: int
    options: tuple
    path: str
    # Of the proxy's ports: 0 in the clear, 1 by TLS, 2 in the clear for HTTP/2.
    port: int = 0
    # Peers that can do it, and what of theirs Apus is to take at most.
    targets: tuple = ()

    def words(self, port, quick):
        scheme = "https" if self.port == 1 else "http"
        count = self.count // 10 if quick else self.count
        return ["h2load", "-n", str(count), *self.options, "-H", f":authority: {HOSTS[7]}",
                f"{scheme}://127.0.0.1:{port}{self.path}"]


WORKS = [
    Work("http1", "HTTP/1.1 keep-alive GET, 16 connections", 60_000, ("--h1", "-c", "16"),
         "/p6/x", 0, (("nginx", 0.75), ("haproxy", 0.55), ("envoy", 0.30))),
    Work("http1-tls", "the same by TLS 1.3", 60_000, ("--h1", "-c", "16"), "/p6/x", 1,
         (("best", 0.80),)),
    Work("http2-http1", "HTTP/2 to HTTP/1.1, 4 connections of 16 streams", 100_000,
         ("-c", "4", "-m", "16"), "/p6/x", 2, (("best", 0.65),)),
    Work("http2-http2", "HTTP/2 both sides, 4 connections of 16 streams", 100_000,
         ("-c", "4", "-m", "16"), "/two/x", 2, (("best", 0.55),)),
    Work("http1-big", "HTTP/1.1 GET of 1 MiB, 16 connections", 3_000, ("--h1", "-c", "16"),
         "/p6/big", 0, (("best", 0.60),)),
]


def origin(folder):
    own = Path(folder, "origin")
    own.mkdir()
    (own / "big").write_bytes(b"x" * BIG_BYTES)
    locations = (f"location / {{ return 200 '{SMALL}'; }} "
                 + " ".join(f"location = /{p}/big {{ alias {own}/big; }}" for p in PREFIXES))
    (own / "nginx.conf").write_text(f"""daemon off; user root; worker_processes 1;
pid {own}/pid; error_log stderr;
events {{ worker_connections 4000; }}
http {{
  access_log off; sendfile on; keepalive_requests 1000000000;
  server {{ listen 127.0.0.1:{ORIGIN}; {locations} }}
  server {{ listen 127.0.0.1:{STREAM_ORIGIN} http2; {locations} }}
}}
""")
    running = Running(["nginx", "-e", "stderr", "-c", f"{own}/nginx.conf"], LOAD_CORE, own, "log")
    running.await_listening(STREAM_ORIGIN)
    return running


def apus_words(program, folder, port):
    identity = tls.apus_documents(folder, ["secure"])
    documents = [f"""apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {{name: bench}}
spec:
  gatewayClassName: apus
  addresses: [{{type: IPAddress, value: 127.0.0.1}}]
  listeners:
  - {{name: plain, port: {port}, protocol: HTTP}}
  - {{name: secure, port: {port + 1}, protocol: HTTPS, tls: {{certificateRefs: [{{name: identity}}]}}}}
""", *identity]
    for name, to, more in (("one", ORIGIN, ""),
                           ("two", STREAM_ORIGIN, "appProtocols: [gateway.envoyproxy.io/h2c], ")):
        documents.append(f"""apiVersion: gateway.envoyproxy.io/v1alpha1
kind: Backend
metadata: {{name: {name}}}
spec: {{{more}endpoints: [{{ip: {{address: 127.0.0.1, port: {to}}}}}]}}
""")
    for host in HOSTS:
        rules = "\n".join(
            f"  - matches: [{{path: {{type: PathPrefix, value: /{prefix}}}}}]\n"
            f"    backendRefs: [{{group: gateway.envoyproxy.io, kind: Backend, name: {backend}}}]"
            for prefix, backend in [*((p, "one") for p in PREFIXES), ("two", "two")])
        documents.append(f"""apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {{name: {host.split('.')[0]}}}
spec:
  parentRefs: [{{name: bench}}]
  hostnames: [{host}]
  rules:
{rules}
""")
    Path(folder, "apus.yaml").write_text("---\n".join(documents))
    return [program, "run", "--workers", "1", "--config", f"{folder}/apus.yaml"]


def nginx_words(folder, port):
    passing = ('proxy_pass http://one; proxy_http_version 1.1; proxy_set_header Connection ""; '
               "proxy_set_header Host $host; "
               "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; ")
    servers = "\n".join(
        f"server {{ listen 127.0.0.1:{port}; listen 127.0.0.1:{port + 1} ssl; "
        f"listen 127.0.0.1:{port + 2} http2; server_name {host}; "
        + " ".join(f"location /{p}/ {{ {passing} }}" for p in PREFIXES) + " }" for host in HOSTS)
    Path(folder, "nginx.conf").write_text(f"""daemon off; user root; worker_processes 1;
pid {folder}/pid; error_log stderr; worker_rlimit_nofile 20000;
events {{ worker_connections 9000; }}
http {{
  access_log off; keepalive_requests 1000000000;
  {tls.nginx_terms(folder)}
  upstream one {{ server 127.0.0.1:{ORIGIN}; keepalive 256; keepalive_requests 1000000000; }}
{servers}
}}
""")
    return ["nginx", "-e", "stderr", "-c", f"{folder}/nginx.conf"]


def haproxy_words(folder, port):
    tls.identity(folder)
    rules = "\n".join(f"  use_backend one if {{ hdr(host) {host} }} {{ path_beg /{prefix}/ }}"
                      for host in HOSTS for prefix in PREFIXES)
    Path(folder, "haproxy.cfg").write_text(f"""global
  nbthread 1
  maxconn 4000
{tls.HAPROXY_TERMS}defaults
  mode http
  timeout client 60s
  timeout server 60s
  timeout connect 5s
  option forwardfor
frontend all
  bind 127.0.0.1:{port}
  bind 127.0.0.1:{port + 1} ssl crt {folder}/identity.pem
  bind 127.0.0.1:{port + 2} proto h2
{rules}
  use_backend two if {{ path_beg /two/ }}
backend one
  server only 127.0.0.1:{ORIGIN}
backend two
  server only 127.0.0.1:{STREAM_ORIGIN} proto h2
""")
    return ["haproxy", "-db", "-f", f"{folder}/haproxy.cfg"]


def envoy_words(program, folder, port):
    api = "type.googleapis.com/envoy"

    def address(number):
        return {"socket_address": {"address": "127.0.0.1", "port_value": number}}

    hosts = [
        {"name": host, "domains": [host],
         "routes": [{"match": {"path_separated_prefix": f"/{prefix}"}, "route": {"cluster": name}}
                    for prefix, name in [*((p, "one") for p in PREFIXES), ("two", "two")]]}
        for host in HOSTS]
    router = {"@type": f"{api}.extensions.filters.http.router.v3.Router"}
    manager = {
        "@type": f"{api}.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "all", "use_remote_address": True,
        "route_config": {"virtual_hosts": hosts},
        "http_filters": [{"name": "router", "typed_config": router}],
    }
    chain = {"filters": [{"name": "http", "typed_config": manager}]}
    tls.identity(folder)
    context = {
        "@type": f"{api}.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
        "common_tls_context": {"tls_certificates": [{
            "certificate_chain": {"filename": f"{folder}/certificate.pem"},
            "private_key": {"filename": f"{folder}/key.pem"}}]},
    }
    secured = chain | {"transport_socket": {"name": "tls", "typed_config": context}}
    limits = {"max_connections": 100_000, "max_pending_requests": 100_000, "max_requests": 100_000}
    streams = {"@type": f"{api}.extensions.upstreams.http.v3.HttpProtocolOptions",
               "explicit_http_config": {"http2_protocol_options": {}}}
    clusters = [
        {"name": name, "type": "STATIC", "circuit_breakers": {"thresholds": [limits]},
         "load_assignment": {"cluster_name": name, "endpoints": [
             {"lb_endpoints": [{"endpoint": {"address": address(to)}}]}]}} | more
        for name, to, more in [
            ("one", ORIGIN, {}),
            ("two", STREAM_ORIGIN, {"typed_extension_protocol_options": {
                "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": streams}})]]
    listeners = [{"name": str(number), "address": address(number), "filter_chains": [one]}
                 for number, one in [(port, chain), (port + 1, secured), (port + 2, chain)]]
    Path(folder, "envoy.json").write_text(json.dumps(
        {"static_resources": {"listeners": listeners, "clusters": clusters}}))
    return [program, "-c", f"{folder}/envoy.json", "--concurrency", "1", "--disable-hot-restart",
            "--log-level", "error"]


def load(work, port, quick):
    """How many requests were answered well."""
    done = subprocess.run(
        ["taskset", "-c", str(LOAD_CORE), *work.words(port, quick)], capture_output=True,
        text=True, preexec_fn=take_precedence)
    found = re.search(r"(\d+) total, .* (\d+) succeeded, (\d+) failed, (\d+) errored", done.stdout)
    if not found:
        raise Failure(f"{work.name}: h2load says {done.stdout} {done.stderr}")
    total, succeeded = int(found[1]), int(found[2])
    if succeeded != total or f"{total} 2xx" not in done.stdout:
        raise Failure(f"{work.name}: {found[0]}")
    return total


def ratio(found, peer):
    """Apus's share of a peer's CPU time, or of the least of all peers': the rounds' median."""
    ours = found.get("apus")
    peers = [values for name, values in found.items() if name != "apus" and peer in (name, "best")]
    if not ours or not peers:
        return None
    least = min(peers, key=median)
    return median(one / other for one, other in zip(ours, least))


def table(found):
    """Lines of markdown."""
    if not found:
        return []
    rows = []
    for work in WORKS:
        cells = [f"{median(found[work.name][name]):.2f}" if name in found[work.name] else ""
                 for name in PORTS]
        rows.append(f"| {work.title} | {' | '.join(cells)} |")
    return ["## Requests of HTTP: CPU time of the proxy, µs a request", "",
            "100 routes, ten hosts with ten prefixes each; the load is h2load's, the origin nginx's, "
            "both on the other core; one worker.", "",
            f"| work | {' | '.join(PORTS)} |", "|---" * (len(PORTS) + 1) + "|", *rows, ""]


def targets(report, found):
    """Rows of the table of targets: of CPU time, where the issue names instructions."""
    rows = []
    for work in WORKS:
        for peer, most in work.targets:
            got = ratio(found.get(work.name, {}), peer)
            name = "the best peer" if peer == "best" else peer
            shown = f"{got:.2f} ×" if got else "not measured"
            rows.append(report.verdict(f"{work.title}: CPU", f"≤ {most:.2f} × {name}", shown,
                                       bool(got) and got <= most))
    return rows


def does(name, work):
    # nginx asks its origins by HTTP/1 only.
    return name != "nginx" or work.name != "http2-http2"


def compare(apus, envoy, folder, rounds, names, quick):
    """{work: {proxy: [CPU microseconds a request, one a round]}}"""
    words = {}
    for name in PORTS:
        own = Path(folder, name)
        own.mkdir(exist_ok=True)
        if name == "apus":
            words[name] = apus_words(apus, own, PORTS[name])
        elif name == "nginx":
            words[name] = nginx_words(own, PORTS[name])
        elif name == "haproxy":
            words[name] = haproxy_words(own, PORTS[name])
        elif envoy:
            words[name] = envoy_words(envoy, own, PORTS[name])
    words = {name: one for name, one in words.items() if not names or name in names}
    running = [origin(folder)]
    found = {work.name: {} for work in WORKS}
    try:
        proxies = {}
        for name, one in words.items():
            proxies[name] = Running(one, PROXY_CORE, Path(folder, name), "proxy.log")
            running.append(proxies[name])
            proxies[name].await_listening(PORTS[name])
            proxies[name].signal(signal.SIGSTOP)
        for _ in range(rounds):
            for work in WORKS:
                for name, proxy in proxies.items():
                    if not does(name, work):
                        continue
                    plain = name in ("apus", "envoy") and work.port == 2
                    port = PORTS[name] + (0 if plain else work.port)
                    proxy.signal(signal.SIGCONT)
                    before = proxy.cpu()[0]
                    count = load(work, port, quick)
                    used = (proxy.cpu()[0] - before) / count * 1e6
                    proxy.signal(signal.SIGSTOP)
                    found[work.name].setdefault(name, []).append(used)
        return found
    finally:
        for one in running:
            one.stop()
