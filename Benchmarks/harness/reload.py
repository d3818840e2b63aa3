"""How long a changed configuration takes to be in force, and to be read at the start.

Each proxy has many listeners with a backend each. One backend is changed to another port, the file
is closed, and the proxy is told (nginx SIGHUP, HAProxy SIGUSR2 to its master; Apus watches the
file). The change is in force when a new connection is answered by the other backend.
"""

import socket
import threading
import time
from pathlib import Path

from .processes import PROXY_CORE, Failure, Running

COUNT = 1_000
LARGE = 10_000
FIRST_PORT = 10_000
ANSWERS = {b"a": 29_101, b"b": 29_102}
CHANGED = COUNT // 2


class Answering:
    """A backend that sends one letter and closes."""

    def __init__(self, letter, port):
        self.letter = letter
        self.socket = socket.create_server(("127.0.0.1", port), backlog=1024)
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            with connection:
                connection.sendall(self.letter)

    def stop(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


def target(number, letter):
    """Only the changed one ever has the other backend."""
    return ANSWERS[letter if number == CHANGED else b"a"]


class Nginx:
    name = "nginx"

    def files(self, folder, count, letter):
        servers = "\n".join(
            f"    server {{ listen 127.0.0.1:{FIRST_PORT + i}; "
            f"proxy_pass 127.0.0.1:{target(i, letter)}; }}" for i in range(count))
        return {
            Path(folder, "nginx.conf"): f"""load_module /usr/lib/nginx/modules/ngx_stream_module.so;
daemon off;
user root;
worker_processes 1;
worker_rlimit_nofile 20000;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log warn;
events {{ worker_connections 15000; }}
stream {{
{servers}
}}
"""
        }

    def command(self, folder):
        return ["/usr/sbin/nginx", "-e", f"{folder}/nginx.log", "-c", f"{folder}/nginx.conf"]

    def tell(self, proxy):
        proxy.process.send_signal(1)


class HAProxy:
    name = "haproxy"

    def files(self, folder, count, letter):
        sections = "\n".join(
            f"listen l{i}\n  bind 127.0.0.1:{FIRST_PORT + i}\n"
            f"  server b 127.0.0.1:{target(i, letter)}" for i in range(count))
        return {
            Path(folder, "haproxy.cfg"): f"""global
  nbthread 1
  maxconn 1000
defaults
  mode tcp
  timeout connect 10s
  timeout client 1h
  timeout server 1h
{sections}
"""
        }

    def command(self, folder):
        return ["/usr/sbin/haproxy", "-W", "-db", "-f", f"{folder}/haproxy.cfg"]

    def tell(self, proxy):
        proxy.process.send_signal(12)


class Apus:
    name = "apus"

    def __init__(self, program):
        self.program = program

    def files(self, folder, count, letter):
        """Each has 100 listeners, routes and Backends."""
        return {
            Path(folder, "apus", f"{start:05}.yaml"):
                self.documents(range(start, min(start + 100, count)), letter)
            for start in range(0, count, 100)
        }

    @staticmethod
    def documents(numbers, letter):
        # A Gateway has 64 listeners at most.
        parts = []
        for half in (numbers[:50], numbers[50:]):
            listeners = "".join(
                f"\n    - {{name: l{i}, protocol: TCP, port: {FIRST_PORT + i}}}" for i in half)
            parts.append(
                f"""apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {{name: gateway-{half[0]}}}
spec:
  gatewayClassName: apus
  addresses: [{{value: 127.0.0.1}}]
  listeners:{listeners}
""")
            for i in half:
                parts.append(
                    f"""apiVersion: gateway.networking.k8s.io/v1alpha2
kind: TCPRoute
metadata:
  name: route-{i}
spec:
  parentRefs:
    - name: gateway-{half[0]}
      sectionName: l{i}
  rules:
    - backendRefs:
        - group: gateway.envoyproxy.io
          kind: Backend
          name: backend-{i}
""")
                parts.append(
                    f"""apiVersion: gateway.envoyproxy.io/v1alpha1
kind: Backend
metadata:
  name: backend-{i}
spec:
  endpoints:
    - ip:
        address: 127.0.0.1
        port: {target(i, letter)}
""")
        return "---\n".join(parts)

    def command(self, folder):
        return [
            self.program, "run", "--config", f"{folder}/apus", "--workers", "1", "--admin", "off",
        ]

    def tell(self, proxy):
        """It watches its files."""


def write(files, former):
    """Writes those that differ; the last word is the closing of the last one."""
    for path, text in files.items():
        if former.get(path) != text:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)


def answer():
    """The letter of the changed listener's backend; None while nobody answers."""
    try:
        with socket.create_connection(("127.0.0.1", FIRST_PORT + CHANGED), timeout=5) as client:
            return client.recv(1) or None
    except OSError:
        return None


def changes(proxy, folder, count, rounds):
    """{"milliseconds": [...], "cpu": [...], "unanswered": connections that nobody served,
    "resident": bytes in the end, "log": path}"""
    versions = {letter: proxy.files(folder, count, letter) for letter in ANSWERS}
    write(versions[b"a"], {})
    running = Running(proxy.command(folder), PROXY_CORE, folder, "reload.log")
    found = {"milliseconds": [], "cpu": [], "unanswered": 0, "log": Path(folder, "reload.log")}
    try:
        running.await_listening(FIRST_PORT + CHANGED)
        for number in range(rounds):
            # The last change has settled: old workers have gone.
            time.sleep(1)
            former, letter = (b"a", b"b") if number % 2 == 0 else (b"b", b"a")
            before = running.cpu()[0]
            write(versions[letter], versions[former])
            start = time.monotonic()
            proxy.tell(running)
            while True:
                running.check()
                got = answer()
                if got == letter:
                    break
                found["unanswered"] += got is None
                # Asking all the time would take the CPU from who answers.
                time.sleep(0.001)
                if time.monotonic() - start > 20:
                    raise Failure(f"{proxy.name}: the change does not come into force")
            found["milliseconds"].append((time.monotonic() - start) * 1000)
            found["cpu"].append((running.cpu()[0] - before) * 1000)
        found["resident"] = running.resident_bytes()
    finally:
        running.stop()
    return found


def reading(found):
    """Milliseconds in which Apus decoded, validated and translated its files, by its own log."""
    line = next(line for line in found["log"].read_text().splitlines()
                if "configuration read:" in line)
    return float(line.rsplit("milliseconds=", 1)[1])


def compare(program, folder, rounds):
    """{(name, count): changes}"""
    answering = [Answering(letter, port) for letter, port in ANSWERS.items()]
    found = {}
    try:
        for proxy, count in [(Apus(program), COUNT), (Nginx(), COUNT), (HAProxy(), COUNT),
                             (Apus(program), LARGE)]:
            own = Path(folder, f"reload-{proxy.name}-{count}")
            own.mkdir()
            found[proxy.name, count] = changes(proxy, own, count, rounds)
            if proxy.name == "apus":
                found[proxy.name, count]["read"] = reading(found[proxy.name, count])
        return found
    finally:
        for one in answering:
            one.stop()
