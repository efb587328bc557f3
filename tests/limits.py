"""Limits that a test puts on its own process."""

import resource
from contextlib import contextmanager


@contextmanager
def file_size_limit(limit):
    """What a full disk is like, for any user: no file may grow beyond so many bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
