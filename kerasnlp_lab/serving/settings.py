"""`Settings`: limits and sizes of the server."""

from __future__ import annotations

from dataclasses import dataclass

from kerasnlp_lab.errors import check_option

__all__ = ["Settings"]


@dataclass(frozen=True)
class Settings:
    """Limits and sizes of the server.

    Args:
        workers: Processes for each version of a model; each holds the whole model.
        threads: TensorFlow's threads in each process; 0 for one a core.
        parallel_batches: The number of batches that a process computes at a time.
        batch_texts: The most texts in a batch.
        batch_tokens: The most tokens in a batch, padding included, as estimated from the bytes.
        batch_wait: How long a batch waits for more texts while another is computed, in seconds.
        max_queue: The most texts that wait for a model.
        max_texts: The most texts in a request.
        max_characters: The most characters in a text.
        max_body: The most bytes in a request's body.
        timeout: How long a request waits for its answers, in seconds.
        body_timeout: How long a request may take to arrive, in seconds.
        drain: How long the server still accepts requests after SIGTERM, in seconds.
        token: The bearer token that requests need; "" for none.
        cors: The origins whose pages may read answers.

    Raises:
        OptionError: A value is out of range.
    """

    workers: int = 1
    threads: int = 0
    parallel_batches: int = 2
    batch_texts: int = 64
    batch_tokens: int = 8192
    batch_wait: float = 0.005
    max_queue: int = 4096
    max_texts: int = 1024
    max_characters: int = 100_000
    max_body: int = 8 * 2**20
    timeout: float = 60.0
    body_timeout: float = 20.0
    drain: float = 1.0
    token: str = ""
    cors: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("threads", "drain", "batch_wait"):
            value = getattr(self, name)
            check_option(_flag(name), value, value >= 0, "0 or more")
        for name in (
            *("workers", "parallel_batches", "batch_texts", "batch_tokens", "max_texts"),
            *("max_characters", "max_body", "timeout", "body_timeout"),
        ):
            value = getattr(self, name)
            check_option(_flag(name), value, value > 0, "more than 0")
        enough = self.max_queue >= self.max_texts
        expected = f"at least --max-texts ({self.max_texts}), or a large request never fits"
        check_option("--max-queue", self.max_queue, enough, expected)
        for origin in self.cors:
            good = origin == "*" or origin.startswith(("http://", "https://"))
            check_option("--cors", origin, good, "an origin such as https://example.org")


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")
