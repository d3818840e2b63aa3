"""Envoy, from PyPI, and the configuration that it runs with here."""

import json
from pathlib import Path

from .machine import ENVOY
from .peers import Peer


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
