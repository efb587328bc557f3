"""Limits that a test sets on its own process."""

import resource
from contextlib import contextmanager


@contextmanager
def file_size_limit(limit):
    """Limits the size of files, which has the effect of a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
