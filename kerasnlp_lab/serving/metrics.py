"""`Metrics`: what Prometheus can read from the server."""

from __future__ import annotations

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)

__all__ = ["Metrics"]

PREFIX = "kerasnlp_lab"
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
TEXTS = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class Metrics:
    """The metrics of one server.

    Attributes:
        requests: Requests by endpoint and HTTP status.
        latency: Seconds from the end of a request's body to its answer.
        texts: Texts that were answered, by model.
        queue: Texts that wait, by model.
        batch_texts: Texts in a batch, by model.
        batch_seconds: Seconds that a batch was computed, by model.
        labels: Labels that were given out, by model and version.
        restarts: Worker processes that died, by model.
        version: The version that answers, by model.
    """

    def __init__(self) -> None:
        disable_created_metrics()  # a second series for each, with the time of its first use
        self.registry = registry = CollectorRegistry()

        def histogram(name: str, help: str, by: str, buckets: tuple[float, ...]) -> Histogram:
            return Histogram(f"{PREFIX}_{name}", help, [by], buckets=buckets, registry=registry)

        def counter(name: str, help: str, *by: str) -> Counter:
            return Counter(f"{PREFIX}_{name}", help, by, registry=registry)

        def gauge(name: str, help: str) -> Gauge:
            return Gauge(f"{PREFIX}_{name}", help, ["model"], registry=registry)

        self.requests = counter("requests", "Requests.", "endpoint", "status")
        self.latency = histogram("request_seconds", "Time to answer.", "endpoint", SECONDS)
        self.texts = counter("texts", "Texts answered.", "model")
        self.queue = gauge("queue_texts", "Texts that wait.")
        self.batch_texts = histogram("batch_texts", "Texts in a batch.", "model", TEXTS)
        self.batch_seconds = histogram("batch_seconds", "Time of a batch.", "model", SECONDS)
        self.labels = counter("labels", "Labels given out.", "model", "version", "label")
        self.restarts = counter("worker_restarts", "Worker processes that died.", "model")
        self.version = gauge("model_version", "The version that answers.")

    def page(self) -> bytes:
        """Returns the metrics as text, in Prometheus' format."""
        return generate_latest(self.registry)
