"""The proxies that are compared, each with the configuration that it runs here."""

import os
import subprocess
from pathlib import Path

from . import tls
from .workloads import SERVICES

LISTEN_BASE = 20_000
BACKEND_BASE = 29_000
BACKEND_PORTS = {service: BACKEND_BASE + i for i, service in enumerate([*SERVICES, "tally"])}


class Peer:
    """One proxy. `slot` numbers its listeners, so that all of them can stand side by side."""

    forwards_datagrams = True
    terminates_tls = False
    is_proxy = True
    # Whether its instructions are counted in the emulated machine, too.
    is_emulated = True

    def __init__(self, name, slot):
        self.name = name
        self.ports = {s: LISTEN_BASE + 10 * slot + i for i, s in enumerate(SERVICES)}
        self.ports |= tls.ports(slot)

    def routes(self, services):
        return [(s, self.ports[s], BACKEND_PORTS[s]) for s in services
                if s in SERVICES and self.carries(s)]

    def tls_routes(self, services):
        """Listeners that end TLS; behind them the backend's plain services."""
        return [(s, self.ports[s], BACKEND_PORTS[tls.SERVICES[s]]) for s in services
                if s in tls.SERVICES and self.carries(s)]

    def carries(self, service):
        if service in tls.SERVICES:
            return self.terminates_tls
        return self.forwards_datagrams or service != "datagrams"

    def does(self, workload):
        return self.carries(workload.service)

    def environment(self):
        """Of its process; None: that of the benchmark."""
        return None

    @property
    def images(self):
        """How the names of the files begin that its own code is in."""
        return (self.name,)

    def version(self, program, *words):
        done = subprocess.run([program, *words], capture_output=True, text=True)
        return (done.stdout + done.stderr).strip().splitlines()[0]


class Direct(Peer):
    """No proxy: what load and backend cost and reach by themselves."""

    is_proxy = is_emulated = False

    def __init__(self, slot):
        super().__init__("direct", slot)
        self.ports = dict(BACKEND_PORTS)

    def command(self, folder, services):
        return None

    def describe(self):
        return "straight to the backend"


class OneTicket:
    """Of nginx and HAProxy: with a preloaded library, so that a full handshake ends with one ticket
    as it does with Apus; see tls.py."""

    is_emulated = False

    def carries(self, service):
        return service in ("echo", "tls-full")

    def does(self, workload):
        return workload.service == "tls-full"

    def environment(self):
        return dict(os.environ, LD_PRELOAD=tls.build_one_ticket())

    def describe(self):
        return "the same, with a preloaded library that has OpenSSL send one ticket, not two"


class Nginx(Peer):
    terminates_tls = True
    images = ("nginx", "ngx_")

    def __init__(self, slot, name="nginx"):
        super().__init__(name, slot)

    def command(self, folder, services):
        # It cuts answers off at its buffer's size, which is 16 KiB as it comes.
        udp = "proxy_timeout 60s; proxy_buffer_size 64k;"
        # Without `proxy_half_close` it drops what the backend says after the client's end.
        tcp = "proxy_timeout 1h; proxy_half_close on;"
        servers = "\n".join(
            f"    server {{ listen 127.0.0.1:{port}{' udp' if s == 'datagrams' else ''};"
            f" proxy_pass 127.0.0.1:{to}; proxy_connect_timeout 10s;"
            f" {udp if s == 'datagrams' else tcp} }}"
            for s, port, to in self.routes(services)
        )
        ended = self.tls_routes(services)
        if ended:
            servers += f"\n    {tls.nginx_terms(folder)}\n" + "\n".join(
                f"    server {{ listen 127.0.0.1:{port} ssl; proxy_pass 127.0.0.1:{to};"
                " proxy_connect_timeout 10s; proxy_timeout 1h; }" for _, port, to in ended)
        Path(folder, "nginx.conf").write_text(
            f"""load_module /usr/lib/nginx/modules/ngx_stream_module.so;
daemon off;
user root;
worker_processes 1;
worker_rlimit_nofile 20000;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log warn;
events {{ worker_connections 19000; }}
stream {{
{servers}
}}
"""
        )
        return ["/usr/sbin/nginx", "-e", f"{folder}/nginx.log", "-c", f"{folder}/nginx.conf"]

    def describe(self):
        return self.version("/usr/sbin/nginx", "-v")


class NginxOneTicket(OneTicket, Nginx):
    pass


class HAProxy(Peer):
    forwards_datagrams = False
    terminates_tls = True
    images = ("haproxy",)

    def __init__(self, slot, name="haproxy", splice=False, pipe_bytes=None):
        super().__init__(name, slot)
        # Splicing is of no use where TLS ends, nor seen by whoever counts small messages.
        if splice:
            self.terminates_tls = self.is_emulated = False
        self.splice = splice
        self.pipe_bytes = pipe_bytes

    def command(self, folder, services):
        options = "  option splice-request\n  option splice-response\n" if self.splice else ""
        tune = f"  tune.pipesize {self.pipe_bytes}\n" if self.pipe_bytes else ""
        sections = "\n".join(
            f"listen {s}\n  bind 127.0.0.1:{port}\n  server backend 127.0.0.1:{to}\n"
            for s, port, to in self.routes(services)
        )
        ended = self.tls_routes(services)
        terms = tls.HAPROXY_TERMS if ended else ""
        sections += "\n".join(
            f"listen {s}\n  bind 127.0.0.1:{port} ssl crt {tls.identity(folder)}\n"
            f"  server backend 127.0.0.1:{to}\n" for s, port, to in ended)
        Path(folder, "haproxy.cfg").write_text(
            f"""global
  nbthread 1
  maxconn 6000
{tune}{terms}
defaults
  mode tcp
  timeout connect 10s
  timeout client 1h
  timeout server 1h
{options}
{sections}
"""
        )
        return ["/usr/sbin/haproxy", "-db", "-f", f"{folder}/haproxy.cfg"]

    def describe(self):
        if not self.splice:
            return self.version("/usr/sbin/haproxy", "-v")
        pipes = f", tune.pipesize {self.pipe_bytes}" if self.pipe_bytes else ""
        return f"with option splice-request and splice-response{pipes}"


class HAProxyOneTicket(OneTicket, HAProxy):
    pass


class Apus(Peer):
    terminates_tls = True

    def __init__(self, slot, program, workers=1, name="apus"):
        super().__init__(name, slot)
        self.program = program
        self.workers = workers
        # Now: by the end of a long run the folder may have moved on.
        self.commit = subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True,
            cwd=os.path.dirname(os.path.abspath(program)),
        ).stdout.strip()

    def command(self, folder, services):
        Path(folder, "apus.yaml").write_text(self.documents(folder, services))
        return [
            self.program, "run", "--config", f"{folder}/apus.yaml", "--workers", str(self.workers),
            "--admin", "off",
        ]

    def documents(self, folder, services):
        routes, ended = self.routes(services), self.tls_routes(services)
        listeners = "".join(
            f"""
    - name: {s}
      protocol: {'UDP' if s == 'datagrams' else 'TCP'}
      port: {port}"""
            for s, port, _ in routes
        ) + "".join(
            f"""
    - name: {s}
      protocol: TLS
      port: {port}
      tls:
        mode: Terminate
        certificateRefs:
          - name: identity"""
            for s, port, _ in ended
        )
        parts = [
            f"""apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata:
  name: bench
spec:
  gatewayClassName: apus
  addresses:
    - type: IPAddress
      value: 127.0.0.1
  listeners:{listeners}
"""
        ]
        for s, _, to in routes + ended:
            kind = "UDPRoute" if s == "datagrams" else "TCPRoute"
            parts.append(
                f"""apiVersion: gateway.networking.k8s.io/v1alpha2
kind: {kind}
metadata:
  name: {s}
spec:
  parentRefs:
    - name: bench
      sectionName: {s}
  rules:
    - backendRefs:
        - group: gateway.envoyproxy.io
          kind: Backend
          name: {s}
"""
            )
            parts.append(
                f"""apiVersion: gateway.envoyproxy.io/v1alpha1
kind: Backend
metadata:
  name: {s}
spec:
  endpoints:
    - ip:
        address: 127.0.0.1
        port: {to}
"""
            )
        if ended:
            parts += tls.apus_documents(folder, [s for s, _, _ in ended])
        return "---\n".join(parts)

    def describe(self):
        return f"commit {self.commit}"
