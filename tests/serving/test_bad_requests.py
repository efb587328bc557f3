"""Malformed requests, drawn at random: tests/faults/serve_fuzz.py has more of them."""

import asyncio

from tests.faults import serve_fuzz


def test_each_gets_a_reason_and_no_traceback(server):
    assert asyncio.run(serve_fuzz.fuzz(server, 150)) == []
