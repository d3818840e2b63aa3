"""The proxies that are compared, each with the configuration that it runs here."""

import json
import os
import subprocess
from pathlib import Path

from .machine import ENVOY
from .workloads import SERVICES

LISTEN_BASE = 20_000
BACKEND_BASE = 29_000
BACKEND_PORTS = {service: BACKEND_BASE + i for i, service in enumerate(SERVICES)}


class Peer:
    """One proxy. `slot` numbers its listeners, so that all of them can stand side by side."""

    forwards_datagrams = True

    def __init__(self, name, slot):
        self.name = name
        self.ports = {s: LISTEN_BASE + 10 * slot + i for i, s in enumerate(SERVICES)}

    def routes(self, services):
        return [(s, self.ports[s], BACKEND_PORTS[s]) for s in services if self.carries(s)]

    def carries(self, service):
        return self.forwards_datagrams or service != "datagrams"

    def version(self, program, *words):
        done = subprocess.run([program, *words], capture_output=True, text=True)
        return (done.stdout + done.stderr).strip().splitlines()[0]


class Direct(Peer):
    """No proxy: what load and backend cost and reach by themselves."""

    def __init__(self, slot):
        super().__init__("direct", slot)
        self.ports = dict(BACKEND_PORTS)

    def command(self, folder, services):
        return None

    def describe(self):
        return "straight to the backend"


class Nginx(Peer):
    def __init__(self, slot):
        super().__init__("nginx", slot)

    def command(self, folder, services):
        # It cuts answers off at its buffer's size, which is 16 KiB as it comes.
        udp = "proxy_timeout 60s; proxy_buffer_size 64k;"
        servers = "\n".join(
            f"    server {{ listen 127.0.0.1:{port}{' udp' if s == 'datagrams' else ''};"
            f" proxy_pass 127.0.0.1:{to}; proxy_connect_timeout 10s;"
            f" {udp if s == 'datagrams' else 'proxy_timeout 1h;'} }}"
            for s, port, to in self.routes(services)
        )
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


class HAProxy(Peer):
    forwards_datagrams = False

    def __init__(self, slot, name="haproxy", splice=False, pipe_bytes=None):
        super().__init__(name, slot)
        self.splice = splice
        self.pipe_bytes = pipe_bytes

    def command(self, folder, services):
        options = "  option splice-request\n  option splice-response\n" if self.splice else ""
        tune = f"  tune.pipesize {self.pipe_bytes}\n" if self.pipe_bytes else ""
        sections = "\n".join(
            f"listen {s}\n  bind 127.0.0.1:{port}\n  server backend 127.0.0.1:{to}\n"
            for s, port, to in self.routes(services)
        )
        Path(folder, "haproxy.cfg").write_text(
            f"""global
  nbthread 1
  maxconn 6000
{tune}
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


class Envoy(Peer):
    def __init__(self, slot, program):
        super().__init__("envoy", slot)
        self.program = program

    def command(self, folder, services):
        routes = self.routes(services)
        Path(folder, "envoy.json").write_text(
            json.dumps(
                {
                    "static_resources": {
                        "listeners": [self.listener(s, port) for s, port, _ in routes],
                        "clusters": [self.cluster(s, to) for s, _, to in routes],
                    }
                }
            )
        )
        return [
            self.program, "-c", f"{folder}/envoy.json", "--concurrency", "1",
            "--disable-hot-restart", "--log-level", "error",
        ]

    @staticmethod
    def address(port, protocol="TCP"):
        return {
            "socket_address": {"address": "127.0.0.1", "port_value": port, "protocol": protocol}
        }

    def listener(self, service, port):
        api = "type.googleapis.com/envoy.extensions.filters"
        if service == "datagrams":
            udp = f"{api}.udp.udp_proxy.v3"
            action = {
                "name": "route",
                "typed_config": {"@type": f"{udp}.Route", "cluster": service},
            }
            settings = {
                "@type": f"{udp}.UdpProxyConfig",
                "stat_prefix": service,
                "matcher": {"on_no_match": {"action": action}},
                "upstream_socket_config": {"max_rx_datagram_size": 65_535},
            }
            return {
                "name": service,
                "address": self.address(port, "UDP"),
                "udp_listener_config": {
                    "downstream_socket_config": {"max_rx_datagram_size": 65_535}
                },
                "listener_filters": [
                    {"name": "envoy.filters.udp_listener.udp_proxy", "typed_config": settings}
                ],
            }
        settings = {
            "@type": f"{api}.network.tcp_proxy.v3.TcpProxy",
            "stat_prefix": service,
            "cluster": service,
        }
        tcp_filter = {"name": "envoy.filters.network.tcp_proxy", "typed_config": settings}
        return {
            "name": service,
            "address": self.address(port),
            "filter_chains": [{"filters": [tcp_filter]}],
        }

    def cluster(self, service, port):
        # The default of 1,024 connections is a circuit breaker, not a measure of the proxy.
        limits = {
            "max_connections": 100_000, "max_pending_requests": 100_000, "max_requests": 100_000,
        }
        endpoint = {"endpoint": {"address": self.address(port)}}
        return {
            "name": service,
            "type": "STATIC",
            "connect_timeout": "10s",
            "circuit_breakers": {"thresholds": [limits]},
            "load_assignment": {
                "cluster_name": service,
                "endpoints": [{"lb_endpoints": [endpoint]}],
            },
        }

    def describe(self):
        # "PROGRAM version: COMMIT/VERSION/…"
        return f"Envoy {self.version(self.program, '--version').split('/')[-4]}, {ENVOY} of PyPI"


class Apus(Peer):
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
        Path(folder, "apus.yaml").write_text(self.documents(services))
        return [
            self.program, "run", "--config", f"{folder}/apus.yaml", "--workers", str(self.workers),
            "--admin", "off",
        ]

    def documents(self, services):
        routes = self.routes(services)
        listeners = "".join(
            f"""
    - name: {s}
      protocol: {'UDP' if s == 'datagrams' else 'TCP'}
      port: {port}"""
            for s, port, _ in routes
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
        for s, _, to in routes:
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
        return "---\n".join(parts)

    def describe(self):
        return f"commit {self.commit}"
