"""What OpenSSL alone takes for the work of a proxy that ends TLS: `apus-bench floor` in a proxy's
place, on its core and in its turn."""

import json
import subprocess

from . import tls
from .peers import Peer
from .processes import PROXY_CORE, Failure, take_precedence

NAME = "openssl"


class Floor(Peer):
    terminates_tls = True
    is_proxy = is_emulated = False

    def __init__(self):
        super().__init__(NAME, 9)

    def does(self, workload):
        return bool(workload.floor)

    def command(self, folder, services):
        return None

    def describe(self):
        return (f"{self.version('openssl', 'version')}: the server's half alone, in memory, no proxy "
                "(one ticket after a full handshake)")

    def figures(self, bench, workload, folder, quick):
        """The server's half as if it were a proxy's CPU time."""
        words = ["taskset", "-c", str(PROXY_CORE), bench, "floor", *workload.floor, "--identity",
                 tls.identity(folder)]
        if quick:
            words += ["--count", "200", "--bytes", "100000000"]
        done = subprocess.run(words, capture_output=True, text=True, timeout=60,
                              preexec_fn=take_precedence)
        if done.returncode != 0:
            raise Failure(done.stderr.strip())
        result = json.loads(done.stdout)
        operations = result["operations"] / workload.scale
        return {"cpu": result["server"] / operations / 1e3,
                "cpu-client": result["client"] / operations / 1e3, "errors": 0, "lost": 0}
