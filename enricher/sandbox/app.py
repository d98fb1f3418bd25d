"""The two endpoints of the ASINScope API, over a catalog and a ledger.

Owns the HTTP side: parameters, statuses, the words of each error, and the count of what was asked. Knows no
arithmetic of tokens and no matching of codes, and never writes down a URL: the API key is in it.
"""

# No `from __future__ import annotations`: FastAPI reads the annotations at run time.
import asyncio
from collections import Counter
from collections.abc import Callable
from http import HTTPStatus
from threading import Lock
from typing import Annotated, Any

from fastapi import FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from enricher.model import MAX_CHUNK, CodeType, Domain, Item
from enricher.sandbox.catalog import Catalog
from enricher.sandbox.ledger import Balance, Ledger, Limit
from enricher.sandbox.replies import MAX_GTIN_DIGITS, ErrorReply, LookupReply, TokensReply

_LOOKUP = "/products/lookup"
_ASIN_LENGTH = 10
_MIN_GTIN_DIGITS = 8

_Key = Annotated[str | None, Query(description="Your API key. Required.")]

_ERRORS: dict[int | str, dict[str, Any]] = {
    400: {"model": ErrorReply, "description": "Missing or malformed parameters"},
    401: {"model": ErrorReply, "description": "Invalid or missing API key"},
    403: {"model": ErrorReply, "description": "No active subscription"},
    429: {"model": ErrorReply, "description": "The daily limit or the bucket is used up"},
    # Naming a default keeps FastAPI from documenting a 422 that is never sent.
    "default": {"model": ErrorReply, "description": "Anything else that went wrong"},
}


class RefusedError(Exception):
    """The request is answered with `status` and `{"error": message}`, and costs nothing."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class Tally:
    """What was asked of the server, safe to read while it runs: paid lookups by code, refusals by status."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._codes: Counter[str] = Counter()
        self._refused: Counter[int] = Counter()

    def paid(self, codes: list[str]) -> None:
        """Count the codes of a request that was answered and paid for."""
        with self._lock:
            self._codes.update(codes)

    def refused(self, status: int) -> None:
        """Count a request that was answered with an error."""
        with self._lock:
            self._refused[int(status)] += 1

    def codes(self) -> Counter[str]:
        """Return a copy: code -> how often it was looked up and paid for."""
        with self._lock:
            return self._codes.copy()

    def refusals(self) -> Counter[int]:
        """Return a copy: status -> how many requests were answered with it."""
        with self._lock:
            return self._refused.copy()


def create_app(catalog: Catalog, ledger: Ledger, tally: Tally) -> FastAPI:
    """Build the ASGI application; its OpenAPI page is at /docs."""
    app = FastAPI(
        title="ASINScope API (sandbox)",
        summary="A local stand-in for the ASINScope API.",
        description="Nothing here costs money. The key `sandbox` is on the Pro plan, `sandbox-basic` on Basic.",
        # A redirect would repeat the key in its Location.
        redirect_slashes=False,
    )
    _add_lookup(app, catalog, ledger, tally)
    _add_tokens(app, ledger)
    _answer_errors(app, tally)
    return app


class Slow:
    """An application whose replies to lookups, refusals too, come `latency_s` seconds later.

    They are charged when they arrive, and nobody waits for another's reply.
    """

    def __init__(self, app: ASGIApp, latency_s: float) -> None:
        self._app = app
        self._latency_s = latency_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_later(message: Message) -> None:
            if message["type"] == "http.response.start":
                await asyncio.sleep(self._latency_s)
            await send(message)

        is_lookup = scope["type"] == "http" and scope["path"] == _LOOKUP
        await self._app(scope, receive, send_later if is_lookup else send)


def _add_lookup(app: FastAPI, catalog: Catalog, ledger: Ledger, tally: Tally) -> None:
    @app.get(_LOOKUP, response_model=LookupReply, responses=_ERRORS, summary="Products Lookup")
    async def lookup(  # noqa: PLR0913 - the API's own parameters
        request: Request,
        *,
        key: _Key = None,
        asin: Annotated[str | None, Query(description="1-10 comma-separated ASINs.")] = None,
        upc: Annotated[str | None, Query(description="1-10 comma-separated UPCs.")] = None,
        ean: Annotated[str | None, Query(description="1-10 comma-separated EANs.")] = None,
        domain: Annotated[
            str, Query(description="Amazon marketplace.", json_schema_extra={"enum": list(Domain)})
        ] = Domain.COM,
    ) -> JSONResponse:
        """Return product details for up to 10 identifiers of one type; each costs one token, found or not."""
        _no_repeats(request)
        account = _account(ledger, key, missing=HTTPStatus.UNAUTHORIZED)
        code_type, codes = _codes({CodeType.ASIN: asin, CodeType.UPC: upc, CodeType.EAN: ean})
        marketplace = _domain(domain)
        # Found before paid: should the catalog fail, the reply is a 500 and nothing was spent.
        items: dict[str, Item] = {}
        for code in codes:
            items |= {item["asin"]: item for item in catalog.lookup(code_type, code, marketplace)}
        receipt = ledger.spend(account, len(codes))
        balance = receipt.balance
        if receipt.refused_by is not None:
            raise RefusedError(HTTPStatus.TOO_MANY_REQUESTS, _limit_message(receipt.refused_by, balance))
        tally.paid(codes)
        return JSONResponse(
            {
                "items": list(items.values()),
                "dailyTokensLeft": balance.daily_left,
                "bucketSize": balance.bucket_left,
                "msBeforeNextDailyToken": balance.reset_ms,
                "consumedTokens": len(codes),
            }
        )


def _add_tokens(app: FastAPI, ledger: Ledger) -> None:
    @app.get("/account/tokens", response_model=TokensReply, responses=_ERRORS, summary="Account Tokens")
    async def tokens(request: Request, *, key: _Key = None) -> JSONResponse:
        """Return your current token usage and limits without consuming any tokens."""
        _no_repeats(request)
        balance = ledger.balance(_account(ledger, key, missing=HTTPStatus.BAD_REQUEST))
        return JSONResponse(
            {
                "dailyTokensLeft": balance.daily_left,
                "dailyTokensLimit": balance.plan.daily_limit,
                "minutelyTokensLeft": balance.bucket_left,
                "minutelyBucketCapacity": balance.plan.bucket_capacity,
                "tokensPerMinute": balance.plan.tokens_per_minute,
                "msBeforeNextDailyReset": balance.reset_ms,
            }
        )


def _no_repeats(request: Request) -> None:
    counts = Counter(name for name, _ in request.query_params.multi_items())
    for name, count in counts.items():
        if count > 1 and name in {"key", "domain", *CodeType}:
            raise RefusedError(HTTPStatus.BAD_REQUEST, f"Parameter {name} is given more than once.")


def _account(ledger: Ledger, key: str | None, missing: HTTPStatus) -> str:
    if not key:
        raise RefusedError(missing, "API key is missing.")
    if not ledger.knows(key):
        raise RefusedError(HTTPStatus.UNAUTHORIZED, "Invalid API key.")
    if not ledger.subscribed(key):
        raise RefusedError(HTTPStatus.FORBIDDEN, "No active subscription.")
    return key


def _codes(given: dict[CodeType, str | None]) -> tuple[CodeType, list[str]]:
    present = [(code_type, text) for code_type, text in given.items() if text is not None]
    if not present:
        raise RefusedError(HTTPStatus.BAD_REQUEST, "One of asin, upc or ean is required.")
    if len(present) > 1:
        raise RefusedError(HTTPStatus.BAD_REQUEST, "Only one of asin, upc or ean may be given.")
    code_type, text = present[0]
    codes = text.split(",")
    if len(codes) > MAX_CHUNK:
        raise RefusedError(HTTPStatus.BAD_REQUEST, f"At most {MAX_CHUNK} codes may be given, not {len(codes)}.")
    for code in codes:
        if not _well_formed(code_type, code):
            raise RefusedError(HTTPStatus.BAD_REQUEST, f"Malformed {code_type} code: {code!r}.")
    return code_type, codes


def _well_formed(code_type: CodeType, code: str) -> bool:
    """Tell whether `code` has the form of its type; check digits are nobody's business here.

    `isascii` because `isdigit` is also true of "٣" and "²".
    """
    if code_type is CodeType.ASIN:
        return len(code) == _ASIN_LENGTH and code.isascii() and code.isalnum()
    return _MIN_GTIN_DIGITS <= len(code) <= MAX_GTIN_DIGITS and code.isascii() and code.isdigit()


def _domain(text: str) -> Domain:
    if text not in set(Domain):
        known = ", ".join(Domain)
        raise RefusedError(HTTPStatus.BAD_REQUEST, f"Unsupported domain: {text!r}. Supported: {known}.")
    return Domain(text)


def _limit_message(limit: Limit, balance: Balance) -> str:
    """To the letter: clients tell the two limits apart by these words (API.md, "How tokens are used")."""
    if limit is Limit.DAILY:
        return "The daily requests limit has been reached."
    return f"Not enough tokens in the bucket. Restore rate: {balance.plan.tokens_per_minute} / min"


def _answer_errors(app: FastAPI, tally: Tally) -> None:
    def answer(status: int, message: str, headers: Any = None) -> JSONResponse:
        tally.refused(status)
        return JSONResponse({"error": message}, status_code=status, headers=headers)

    handlers: dict[type[Exception], Callable[[Any], JSONResponse]] = {
        RefusedError: lambda error: answer(error.status, error.message),
        # Of the router: 404, and 405 with its Allow header.
        HTTPException: lambda error: answer(error.status_code, f"{error.detail}.", error.headers),
        RequestValidationError: lambda _: answer(HTTPStatus.BAD_REQUEST, "Malformed parameters."),
        Exception: lambda _: answer(HTTPStatus.INTERNAL_SERVER_ERROR, "Unexpected server issue."),
    }
    for kind, respond in handlers.items():
        app.add_exception_handler(kind, _handler(respond))


def _handler(respond: Callable[[Any], JSONResponse]) -> Callable[[Request, Exception], JSONResponse]:
    def handle(_request: Request, error: Exception) -> JSONResponse:
        return respond(error)

    return handle
