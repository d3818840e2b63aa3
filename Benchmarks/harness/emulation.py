"""Instructions without performance counters: the same work in an emulated machine that counts.

QEMU's emulation runs Debian's own kernel with the proxy, the load and the backend in its memory,
one processor whose clock ticks once an instruction (`-icount`), so that neither the machine nor its
neighbours can change what is counted. `Benchmarks/emulation/counter.c` does the counting.
"""

import json
import os
import re
import stat
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from . import machine
from .peers import BACKEND_PORTS
from .processes import Failure
from .workloads import services_of

KERNEL = "linux-image-6.12"
KERNEL_SUFFIX = "-cloud-amd64"
SECONDS_MAX = 600
PLUGIN = machine.WORK / "counter.so"


def kernel():
    """Debian's newest packaged kernel for virtual machines."""
    folder = machine.WORK / "kernel"
    if not list(folder.glob("boot/vmlinuz-*")):
        folder.mkdir(parents=True, exist_ok=True)
        names = subprocess.run(
            ["apt-cache", "pkgnames", KERNEL], capture_output=True, text=True
        ).stdout.split()
        names = [n for n in names if KERNEL_SUFFIX in n and "dbg" not in n and "headers" not in n]
        if not names:
            raise Failure("apt-cache knows no kernel 6.12 for virtual machines; run apt-get update")
        newest = sorted(names, key=lambda n: [int(x) if x.isdigit() else 0 for x in
                                              n.replace("+", ".").split("-")[2].split(".")])[-1]
        machine.say(f"fetching {newest}")
        machine.run("apt-get", "download", "-qq", newest, cwd=folder, stderr=subprocess.DEVNULL)
        machine.run("dpkg", "-x", next(folder.glob("*.deb")), folder)
    return next(path for path in folder.glob("boot/vmlinuz-*") if path.name.endswith("-amd64"))


def build_plugin():
    source = machine.ROOT / "Benchmarks" / "emulation" / "counter.c"
    machine.run("gcc", "-O2", "-shared", "-fPIC", "-o", PLUGIN, source)


def switch_address(image):
    """Where that kernel's `__switch_to_asm` stands; asked of the kernel itself, once."""
    known = image.with_suffix(".switch")
    if not known.exists():
        archive = base_archive()
        archive.file("init", ASK.encode())
        root, console = image.with_suffix(".ask"), image.with_suffix(".console")
        root.write_bytes(archive.data())
        boot(image, root, console, [])
        text = console.read_text(errors="replace")
        found = re.findall(r"([0-9a-f]{16}) T __switch_to_asm", text)
        if not found:
            raise Failure(f"the emulated kernel does not name __switch_to_asm: see {console}")
        known.write_text(found[0])
    return known.read_text()


class Archive:
    """An initial root file system (`cpio`, newc)."""

    def __init__(self):
        self.parts = []
        self.names = set()

    def entry(self, name, mode, data=b""):
        if name in self.names:
            return
        self.names.add(name)
        raw = name.encode() + b"\0"
        numbers = [len(self.names), mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(raw), 0]
        head = b"070701" + b"".join(b"%08x" % n for n in numbers) + raw
        self.parts += [head, b"\0" * (-len(head) % 4), data, b"\0" * (-len(data) % 4)]

    def folder(self, path):
        parts = Path(path).parts
        for depth in range(1, len(parts) + 1):
            self.entry("/".join(parts[:depth]), stat.S_IFDIR | 0o755)

    def file(self, name, data, mode=0o755):
        self.folder(os.path.dirname(name))
        self.entry(name, stat.S_IFREG | mode, data)

    def program(self, path, name=None):
        """A program or library with the libraries that it needs."""
        path = os.path.realpath(path)
        self.file((name or path).lstrip("/"), Path(path).read_bytes())
        listed = subprocess.run(["ldd", path], capture_output=True, text=True).stdout
        for line in listed.splitlines():
            words = [word for word in line.split() if word.startswith("/")]
            if words:
                self.file(words[0].lstrip("/"), Path(words[0]).read_bytes())

    def data(self):
        self.entry("TRAILER!!!", 0)
        return b"".join(self.parts)


ASK = """#!/bin/sh
export PATH=/bin
mount -t proc proc /proc
grep -w __switch_to_asm /proc/kallsyms
poweroff -f
"""

INIT = """#!/bin/sh
export PATH=/bin
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev
ip link set lo up
echo reno > /proc/sys/net/ipv4/tcp_congestion_control
ulimit -n 20000
mkdir -p /tmp /var/log/nginx /var/lib/nginx /run
cd /tmp
echo
/bin/apus-bench backend BACKEND > /tmp/backend.log 2>&1 &
PROXY > /tmp/proxy.log 2>&1 &
listens() { grep -qi ":$(printf %04X $1) 00000000:0000 0A" /proc/net/tcp /proc/net/tcp6; }
tries=0
until listens PORT; do
  tries=$((tries + 1))
  if [ $tries -gt 300 ]; then echo "FAILED: no listener"; cat /tmp/proxy.log; poweroff -f; fi
  sleep 0.2
done
sleep 1
LOADS
echo "=ALL DONE"
cat /tmp/proxy.log
poweroff -f
"""


def base_archive():
    archive = Archive()
    for name in ("dev", "proc", "sys", "tmp", "bin", "root"):
        archive.folder(name)
    archive.entry("dev/console", stat.S_IFCHR | 0o600)
    archive.file("bin/busybox", Path("/usr/bin/busybox").read_bytes())
    applets = "sh mount ip ls cat grep printf sleep mkdir poweroff echo"
    for name in applets.split():
        archive.entry(f"bin/{name}", stat.S_IFLNK | 0o777, b"busybox")
    return archive


def build_archive(bench, peer, services, loads, folder):
    archive = base_archive()
    archive.program(bench, "/bin/apus-bench")
    words = peer.command(folder, services)
    command = "true"
    if words:
        archive.program(words[0], words[0])
        command = " ".join(words)
        for path in folder.iterdir():
            if path.suffix in (".conf", ".cfg", ".json", ".yaml", ".pem"):
                archive.file(str(path).lstrip("/"), path.read_bytes(), 0o644)
    if peer.name == "nginx":
        archive.program("/usr/lib/nginx/modules/ngx_stream_module.so")
        archive.program("/lib/x86_64-linux-gnu/libnss_files.so.2")
    archive.file("etc/passwd", b"root:x:0:0:root:/root:/bin/sh\n", 0o644)
    archive.file("etc/group", b"root:x:0:\nnogroup:x:65534:\n", 0o644)
    backend = " ".join(f"--{s} {p}" for s, p in BACKEND_PORTS.items())
    init = INIT.replace("BACKEND", backend).replace("PROXY", command)
    init = init.replace("PORT", str(peer.ports["echo"]))
    lines = [f'echo "=RUN {name}"; /bin/apus-bench {words}; echo "=END"' for name, words in loads]
    archive.file("init", init.replace("LOADS", "\n".join(lines)).encode())
    return archive.data()


def boot(image, root, console, extra):
    with open(console, "wb") as log:
        process = subprocess.Popen(
            ["qemu-system-x86_64", "-accel", "tcg,thread=single", "-icount",
             "shift=0,align=off,sleep=off", "-cpu", "EPYC", "-m", "3G", "-smp", "1", "-nographic",
             "-no-reboot", "-net", "none", "-kernel", str(image), "-initrd", str(root), "-append",
             "console=ttyS0 quiet nokaslr panic=-1 tsc=reliable no_timer_check nowatchdog", *extra],
            stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
        )
        try:
            process.wait(SECONDS_MAX)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def emulate(bench, peer, workloads, folder):
    """Figures of one peer: {workload: {user, kernel, instructions}}."""
    work = [w for w in workloads if w.emulated_count and peer.does(w)]
    loads = []
    for one in work:
        words = one.arguments(peer.ports[one.service], emulated=True)
        words[words.index("--stepped") + 1] = "0"
        loads.append((one.name, " ".join(words)))
    folder = Path(folder, f"emulated-{peer.name}")
    folder.mkdir()
    image = kernel()
    root = folder / "root.cpio"
    root.write_bytes(build_archive(bench, peer, services_of(work), loads, folder))
    counts = folder / "counts"
    console = folder / "console"
    started = time.monotonic()
    counter = f"{PLUGIN},switch={switch_address(image)},output={counts}"
    boot(image, root, console, ["-plugin", counter])
    machine.say(f"emulated {peer.name} in {time.monotonic() - started:.0f} s")
    return collect(work, console, counts)


def collect(work, console, counts):
    text = console.read_text(errors="replace")
    counted = [json.loads(line) for line in counts.read_text().splitlines()]
    found, name, index = {}, None, 0
    by_name = {one.name: one for one in work}
    for line in text.replace("\r", "").splitlines():
        if line.startswith("=RUN "):
            name = line.split()[1]
        elif line.startswith("{") and name and index < len(counted):
            result = json.loads(line)
            operations = by_name[name].operations(result)
            one = counted[index]
            index += 1
            if operations and not result["errors"]:
                found[name] = {
                    key: one[key] / operations for key in ("user", "kernel", "threads", "load")
                } | {
                    "instructions": (one["user"] + one["kernel"]) / operations,
                    "switches": one["switches"] / operations, "lost": result["lost"],
                }
    if len(found) < len(work):
        missing = ", ".join(one.name for one in work if one.name not in found)
        machine.say(f"not emulated: {missing}\n{text[-2000:]}")
    return found


def emulate_all(bench, peers, workloads, folder):
    build_plugin()
    switch_address(kernel())
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        runs = {peer.name: pool.submit(emulate, bench, peer, workloads, folder) for peer in peers}
        return {name: run.result() for name, run in runs.items()}
