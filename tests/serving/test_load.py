"""The short form of tests/faults/serve_load.py: a swap under load, SIGTERM, and a full ledger."""

from tests.faults import serve_load


def test_nothing_is_lost_under_load(export_of, tmp_path):
    words = [str(export_of("classification")), "--folder", str(tmp_path), "--seconds", "1"]
    words += ["--clients", "8", "--swap", "1", "--least-swaps", "1", "--broken", "0.05"]
    report = serve_load.run(serve_load.parser().parse_args(words))
    assert report["failures"] == []
    assert report["requests"] > 100
    assert report["broken requests"] > 5
    assert report["swaps"] >= 1
