"""The processor's flags choose the precision, and freed memory returns to the system."""

import ctypes
import platform
import subprocess
import sys
import textwrap

import pytest

from kerasnlp_lab import machine
from kerasnlp_lab.machine import give_back_memory
from kerasnlp_lab.zoo import find_model

CPUS = {
    "Sapphire Rapids": ("avx512f avx512_bf16 amx_bf16 amx_tile", "mixed_bfloat16"),
    "Zen 4": ("avx2 avx512f avx512_bf16", "mixed_bfloat16"),
    "Skylake": ("avx2 avx512f", "float32"),
    "a name that is a part of another": ("avx512_bf16x", "float32"),
}


@pytest.fixture
def cpu(tmp_path, monkeypatch):
    """Returns a function that changes the flags of this machine's processor."""
    file = tmp_path / "cpuinfo"
    monkeypatch.setattr(machine, "_CPU_INFO", file)

    def become(flags):
        file.write_text(f"processor\t: 0\nflags\t\t: fpu {flags} sse\nprocessor\t: 1\n")

    return become


@pytest.mark.parametrize("flags, precision", CPUS.values(), ids=CPUS)
def test_the_precision_follows_the_hardware(flags, precision, cpu):
    cpu(flags)
    assert machine.best_precision() == precision
    options = find_model("minilm_l6_h384").with_options({})
    assert options.precision == precision


def test_a_machine_without_cpuinfo(monkeypatch, tmp_path):
    monkeypatch.setattr(machine, "_CPU_INFO", tmp_path / "none")
    assert machine.best_precision() == "float32"


def test_the_line_for_the_log(cpu):
    cpu("avx512_bf16")
    assert machine.precision_note("mixed_bfloat16") == (
        "precision mixed_bfloat16 (this machine has avx512_bf16; --precision float32 turns it off)"
    )
    assert machine.precision_note("float32") == "precision float32"
    cpu("avx2")
    assert "slow here" in machine.precision_note("mixed_bfloat16")
    assert "no bfloat16" in machine.precision_note("float32")


def test_an_explicit_precision_is_kept(cpu):
    cpu("avx2")
    entry = find_model("minilm_l6_h384")
    assert entry.with_options({"precision": "mixed_bfloat16"}).precision == "mixed_bfloat16"
    cpu("amx_bf16")
    assert entry.with_options({"precision": "float32"}).precision == "float32"
    assert entry.with_options({"encoder": "module"}).precision == "float32"


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library than glibc")
def test_freed_memory_is_given_back():
    """It frees 20 MB of small pieces below one that stays."""
    script = textwrap.dedent("""
        import ctypes
        import resource
        from pathlib import Path
        from kerasnlp_lab.machine import give_back_memory

        def resident():
            return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()

        libc = ctypes.CDLL(None)
        libc.malloc.restype, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
        pieces = [libc.malloc(1000) for _ in range(20_000)]
        for piece in pieces:
            ctypes.memset(piece, 1, 1000)
        last = libc.malloc(1000)
        for piece in pieces:
            libc.free(piece)
        before = resident()
        give_back_memory()
        print(before - resident())
    """)
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert int(found.stdout) > 15_000_000, found.stderr


def test_another_c_library(monkeypatch):
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())
    give_back_memory()
