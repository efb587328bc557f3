"""`RequestError`: a request that is not answered, with its HTTP status and the reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["RequestError"]


@dataclass(eq=False)  # frozen, it could not be raised within a context manager
class RequestError(Exception):
    """A request cannot be answered.

    Args:
        status: The HTTP status.
        message: What was expected and what came instead.
        advice: What to do; "" where the message says so.
        headers: Headers of the response.
    """

    status: int
    message: str
    advice: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, str]:
        """Returns the body of the response."""
        advice = {"what_to_do": self.advice} if self.advice else {}
        return {"error": self.message, **advice}
