"""What TLS adds to the peers: services of their own, an identity, and the same terms for all.

The terms: TLS 1.3, TLS_AES_128_GCM_SHA256, X25519, one self-signed ECDSA P-256 certificate, tickets
on, everything else as each proxy comes. nginx and HAProxy send two tickets after a full handshake and
have no setting for the number (`ssl_session_tickets off` and `no-tls-tickets` only make them stateful),
which is why each stands beside itself with a preloaded library that sets one.
"""

import shutil
import subprocess
from pathlib import Path

from . import machine

# The service, and the backend's that stands behind it.
SERVICES = {
    "tls-full": "reply", "tls-resumed": "reply", "tls-up": "tally", "tls-down": "source",
    "tls-idle": "echo",
}
LISTEN_BASE = 21_000
GROUP = "X25519"
CIPHER = "TLS_AES_128_GCM_SHA256"
ONE_TICKET = machine.WORK / "one-ticket.so"


def ports(slot):
    return {s: LISTEN_BASE + 10 * slot + i for i, s in enumerate(SERVICES)}


def identity(folder):
    """A PEM file with a new certificate and its key, as HAProxy wants it; both apart lie beside."""
    both, certificate, key = (Path(folder, f"{n}.pem") for n in ("identity", "certificate", "key"))
    if not both.exists():
        machine.run(
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-subj", "/CN=bench.test", "-addext", "subjectAltName=DNS:bench.test", "-days", "30",
            "-keyout", key, "-out", certificate, stderr=subprocess.DEVNULL)
        both.write_text(certificate.read_text() + key.read_text())
    return both


def build_one_ticket():
    """For peers with no setting for the number of tickets: a library to preload."""
    source = machine.ROOT / "Benchmarks" / "preload" / "one-ticket.c"
    machine.run(shutil.which("cc") or "clang", "-O2", "-shared", "-fPIC", "-o", ONE_TICKET, source)
    return str(ONE_TICKET)


def nginx_terms(folder):
    identity(folder)
    return (f"ssl_certificate {folder}/certificate.pem; ssl_certificate_key {folder}/key.pem; "
            f"ssl_protocols TLSv1.3; ssl_conf_command Ciphersuites {CIPHER}; "
            f"ssl_ecdh_curve {GROUP};")


HAPROXY_TERMS = f"""  ssl-default-bind-options ssl-min-ver TLSv1.3
  ssl-default-bind-ciphersuites {CIPHER}
  ssl-default-bind-curves {GROUP}
"""


def apus_documents(folder, services):
    """The Secret, and a policy with the terms; the cipher suites of TLS 1.3 are not configured, and
    the load offers one only."""
    def indented(name):
        return "".join(f"    {line}\n" for line in Path(folder, name).read_text().splitlines())

    identity(folder)
    targets = "".join(
        f"\n    - {{group: gateway.networking.k8s.io, kind: Gateway, name: bench, sectionName: {s}}}"
        for s in services)
    return [
        f"""apiVersion: v1
kind: Secret
metadata:
  name: identity
type: kubernetes.io/tls
stringData:
  tls.crt: |
{indented("certificate.pem")}  tls.key: |
{indented("key.pem")}""",
        f"""apiVersion: gateway.envoyproxy.io/v1alpha1
kind: ClientTrafficPolicy
metadata:
  name: terms
spec:
  targetRefs:{targets}
  tls:
    minVersion: "1.3"
    maxVersion: "1.3"
    ecdhCurves: [{GROUP}]
    session:
      resumption:
        stateless: {{}}
""",
    ]
