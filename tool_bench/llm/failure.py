"""What the SDK's errors mean to a user."""

from __future__ import annotations

from http import HTTPStatus

from tool_bench.errors import ToolBenchError, UnavailableError

_NOT_SENT = {"ConnectError", "ConnectTimeout", "PoolTimeout"}
_KEPT = "answers that were paid are kept, and the same command goes on from there"


def was_sent(error: BaseException) -> bool:
    """Tell whether the service may have seen the request whose attempt ended in ``error``."""
    return type(error.__cause__).__name__ not in _NOT_SENT


def explained(error: Exception) -> ToolBenchError:
    """Return the error to raise for one of the SDK's, which has given up.

    Returns:
        UnavailableError for what another key, account, network or model would mend;
        ToolBenchError for the rest.
    """
    import anthropic

    if isinstance(error, anthropic.APIStatusError):
        return _refused(error.status_code, _message(error))
    if isinstance(error, anthropic.APIConnectionError):
        if not was_sent(error):
            return UnavailableError(f"the API cannot be reached at {error.request.url}; {_KEPT}")
        return ToolBenchError(f"the API broke off its answers ({error}); {_KEPT}")
    return ToolBenchError(f"{type(error).__name__}: {error}; {_KEPT}")


def _refused(status: int, message: str) -> ToolBenchError:
    said = f"HTTP {status}: {message}"
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return UnavailableError(f"the API refused the key in ANTHROPIC_API_KEY ({said})")
    if status == HTTPStatus.PAYMENT_REQUIRED or "credit balance" in message:
        return UnavailableError(f"the account of the key cannot pay ({said}); {_KEPT}")
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE or "prompt is too long" in message:
        return UnavailableError(f"larger than the model takes ({said})")
    if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return ToolBenchError(f"the API goes on refusing ({said}); try later: {_KEPT}")
    return ToolBenchError(f"the API refused a request ({said})")


def _message(error: Exception) -> str:
    body = getattr(error, "body", None)
    inner = body.get("error") if isinstance(body, dict) else None
    message = inner.get("message") if isinstance(inner, dict) else None
    return str(message or error)
