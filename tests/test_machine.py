"""What is chosen on a machine, by what Linux tells of its processor."""

import pytest

from kerasnlp_lab import machine
from kerasnlp_lab.zoo import find_model

CPUS = {
    "Sapphire Rapids": ("avx512f avx512_bf16 amx_bf16 amx_tile", "mixed_bfloat16"),
    "Zen 4": ("avx2 avx512f avx512_bf16", "mixed_bfloat16"),
    "Skylake": ("avx2 avx512f", "float32"),
    "a name that is a part of another": ("avx512_bf16x", "float32"),
}


@pytest.fixture
def cpu(tmp_path, monkeypatch):
    """Returns a function that makes this machine one with the given flags."""
    file = tmp_path / "cpuinfo"
    monkeypatch.setattr(machine, "_CPU_INFO", file)

    def become(flags):
        file.write_text(f"processor\t: 0\nflags\t\t: fpu {flags} sse\nprocessor\t: 1\n")

    return become


@pytest.mark.parametrize("flags, precision", CPUS.values(), ids=CPUS)
def test_the_precision_that_hardware_has(flags, precision, cpu):
    cpu(flags)
    assert machine.best_precision() == precision
    options = find_model("minilm_l6_h384").with_options({})
    assert options.precision == precision


def test_a_machine_that_does_not_tell(monkeypatch, tmp_path):
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


def test_what_is_asked_for_stays(cpu):
    cpu("avx2")
    entry = find_model("minilm_l6_h384")
    assert entry.with_options({"precision": "mixed_bfloat16"}).precision == "mixed_bfloat16"
    cpu("amx_bf16")
    assert entry.with_options({"precision": "float32"}).precision == "float32"
    assert entry.with_options({"encoder": "module"}).precision == "float32"
