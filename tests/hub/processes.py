"""The functions that test_install_interrupted.py runs in processes, to kill them or fill disks.

One server has imported TensorFlow and forks the processes, so that they start at once.
"""

import ctypes
import os
import signal
import subprocess
import sys
from pathlib import Path

from kerasnlp_lab.errors import KerasnlpLabError
from kerasnlp_lab.hub.installation import install
from tests.hub.installed import content, leftovers

CHANGES = {"os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.chmod", "os.symlink"}
CLONE_NEWNS, CLONE_NEWUSER = 0x00020000, 0x10000000


def install_here(environment, name, results):
    """Installs a module, and puts its source into a queue."""
    os.environ.update(environment)
    results.put([one.source for one in install(name)])


def install_until(environment, name, count):
    """Installs a module, and is killed just before a given change to the cache."""
    os.environ.update(environment)
    cache, changes = environment["TFHUB_CACHE_DIR"], 0

    def watch(event, args):
        nonlocal changes
        writes = (
            event == "open" and isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR)
        )
        if (writes or event in CHANGES) and str(args[0]).startswith(cache):
            changes += 1
            if changes == count:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)
    install(name)


def install_on_disks(environment, name, folder, sizes, module, results):
    """Installs a module on small disks, then again with enough space, and reports to a queue.

    It reports the error, the leftovers, and whether the module is complete at the end, for each
    size. If this process may not mount disks, it reports the reason.
    """
    os.environ.update(environment)
    if reason := _leave_mounts():
        results.put(reason)
        return
    cache = Path(environment["TFHUB_CACHE_DIR"])
    cache.mkdir()
    reports = []
    for size in sizes:
        mounted = _run("mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", cache)
        if mounted:
            results.put(mounted)
            return
        error = ""
        try:
            install(name)
        except KerasnlpLabError as caught:
            error = f"{type(caught).__name__}: {caught}"
        there = folder.exists()
        whole = there and content(folder) == content(module)
        left = leftovers(cache)
        _run("mount", "-o", "remount,size=1g", cache)
        install(name)
        whole_later = content(folder) == content(module) and not leftovers(cache)
        _run("umount", cache)
        reports.append((size, error, there, whole, left, whole_later))
    results.put(reports)


def _leave_mounts():
    """Gives this process its own table of mounts. Returns the reason if it cannot, or ""."""
    libc = ctypes.CDLL(None, use_errno=True)
    user, group = os.geteuid(), os.getegid()
    if user == 0 and libc.unshare(CLONE_NEWNS) == 0:
        return _run("mount", "--make-rprivate", "/")
    if libc.unshare(CLONE_NEWUSER | CLONE_NEWNS):
        return f"this system gives no user namespaces: {os.strerror(ctypes.get_errno())}"
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"0 {user} 1")
    Path("/proc/self/gid_map").write_text(f"0 {group} 1")
    return ""


def _run(*command):
    result = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    return result.stderr.strip() if result.returncode else ""
