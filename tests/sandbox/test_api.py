"""The endpoints answer to the letter of API.md."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
import requests

from enricher.model import CodeType, Domain, Item
from enricher.sandbox import Catalog, Plan, Sandbox, serve

if TYPE_CHECKING:
    from enricher.clock import ManualClock

Ask = Callable[..., requests.Response]

LOOKUP, TOKENS = "/products/lookup", "/account/tokens"
ELEVEN = ",".join(f"B0000000{number}" for number in range(10, 21))
DAILY = {"error": "The daily requests limit has been reached."}


def asins(count: int) -> str:
    return ",".join(f"B0NOSUCH{number:02}" for number in range(count))


def test_a_product_is_answered_as_the_sample_reply_shows_it(ask: Ask, sample: Item) -> None:
    reply = ask(LOOKUP, asin="B088H39PXX", domain="com").json()

    assert list(reply) == [
        "items",
        "dailyTokensLeft",
        "bucketSize",
        "msBeforeNextDailyToken",
        "consumedTokens",
    ]
    assert reply["items"] == [sample]
    assert list(reply["items"][0]) == list(sample)
    assert [type(value) for value in reply["items"][0].values()] == [type(value) for value in sample.values()]
    assert list(reply["items"][0]["packageDimensions"]) == ["height", "width", "length", "weight"]


def test_after_one_token_of_a_full_bucket_of_120_it_says_119(ask: Ask) -> None:
    reply = ask(LOOKUP, asin="B088H39PXX").json()

    assert reply["bucketSize"] == 119
    assert reply["dailyTokensLeft"] == 9_999
    assert reply["consumedTokens"] == 1
    assert reply["msBeforeNextDailyToken"] == 12 * 60 * 60 * 1000


def test_the_account_reply_has_its_six_fields_in_order_and_is_free(ask: Ask) -> None:
    expected = {
        "dailyTokensLeft": 10_000,
        "dailyTokensLimit": 10_000,
        "minutelyTokensLeft": 120,
        "minutelyBucketCapacity": 120,
        "tokensPerMinute": 60,
        "msBeforeNextDailyReset": 43_200_000,
    }
    for _ in range(3):
        reply = ask(TOKENS).json()
        assert list(reply.items()) == list(expected.items())


def test_the_basic_key_has_the_basic_plan(ask: Ask) -> None:
    reply = ask(TOKENS, key="sandbox-basic").json()

    assert (reply["minutelyBucketCapacity"], reply["tokensPerMinute"], reply["dailyTokensLimit"]) == (
        60,
        10,
        1_000,
    )


def test_each_code_costs_one_token_found_or_not_and_unknown_codes_are_simply_absent(ask: Ask) -> None:
    reply = ask(LOOKUP, asin="B0NOSUCH01,B088H39PXX,B0NOSUCH02").json()

    assert [item["asin"] for item in reply["items"]] == ["B088H39PXX"]
    assert reply["consumedTokens"] == 3
    assert reply["bucketSize"] == 117


def test_one_upc_may_give_several_products(ask_shared: Ask) -> None:
    reply = ask_shared(LOOKUP, upc="012345678905").json()

    assert [item["asin"] for item in reply["items"]] == ["B00000010X", "B00000011X", "B00000012X"]
    assert reply["consumedTokens"] == 1


@pytest.mark.parametrize(
    "params",
    [
        {"upc": "793610399007"},
        {"upc": "0793610399007"},
        {"upc": "00793610399007"},
        {"ean": "793610399007"},
        {"ean": "0793610399007"},
    ],
)
def test_upcs_and_eans_match_as_gtins_whatever_their_leading_zeros(ask_shared: Ask, params: dict[str, str]) -> None:
    assert [item["asin"] for item in ask_shared(LOOKUP, **params).json()["items"]] == ["B088H39PXX"]


def test_a_product_two_codes_ask_for_comes_once_and_costs_two(ask_shared: Ask) -> None:
    reply = ask_shared(LOOKUP, ean="0793610399007,793610399007").json()

    assert len(reply["items"]) == 1
    assert reply["consumedTokens"] == 2


def test_without_a_domain_it_is_com(ask_shared: Ask) -> None:
    assert ask_shared(LOOKUP, asin="B088H39PXX").json()["items"][0]["lowestNewPrice"] == 22.79


@pytest.mark.parametrize("domain", list(Domain))
def test_every_documented_domain_is_served(ask_shared: Ask, domain: Domain) -> None:
    assert ask_shared(LOOKUP, asin="B088H39PXX", domain=domain).status_code == 200


@pytest.mark.parametrize(
    ("path", "params", "status", "words"),
    [
        (LOOKUP, {}, 400, "One of asin, upc or ean is required."),
        (LOOKUP, {"asin": ""}, 400, "Malformed asin code: ''."),
        (LOOKUP, {"asin": "B088H39PXX,"}, 400, "Malformed asin code: ''."),
        (LOOKUP, {"asin": "B088H39PX"}, 400, "Malformed asin code: 'B088H39PX'."),
        (LOOKUP, {"asin": "B088H39PX-"}, 400, "Malformed asin code: 'B088H39PX-'."),
        (LOOKUP, {"asin": "B088H39PXÉ"}, 400, "Malformed asin code: 'B088H39PXÉ'."),
        (LOOKUP, {"upc": "1234567"}, 400, "Malformed upc code: '1234567'."),
        (LOOKUP, {"upc": "123456789012345"}, 400, "Malformed upc code: '123456789012345'."),
        (LOOKUP, {"ean": "40063813٣3931"}, 400, "Malformed ean code: '40063813٣3931'."),
        (LOOKUP, {"ean": "4006381333931, 4006381333931"}, 400, "Malformed ean code: ' 4006381333931'."),
        (LOOKUP, {"asin": ELEVEN}, 400, "At most 10 codes may be given, not 11."),
        (LOOKUP, {"asin": "B088H39PXX", "upc": "793610399007"}, 400, "Only one of asin, upc or ean may be given."),
        (LOOKUP, {"asin": ["B088H39PXX", "B088H39PXX"]}, 400, "Parameter asin is given more than once."),
        (LOOKUP, {"asin": "B088H39PXX", "key": ["sandbox", "x"]}, 400, "Parameter key is given more than once."),
        (LOOKUP, {"asin": "B088H39PXX", "key": "wrong"}, 401, "Invalid API key."),
        (LOOKUP, {"asin": "B088H39PXX", "key": ""}, 401, "API key is missing."),
        (LOOKUP, {"asin": "B088H39PXX", "key": None}, 401, "API key is missing."),
        (LOOKUP, {"asin": "B088H39PXX", "key": "sandbox-none"}, 403, "No active subscription."),
        (TOKENS, {"key": None}, 400, "API key is missing."),
        (TOKENS, {"key": "wrong"}, 401, "Invalid API key."),
        (TOKENS, {"key": "sandbox-none"}, 403, "No active subscription."),
        ("/products", {}, 404, "Not Found."),
        ("/products/lookup/", {"asin": "B088H39PXX"}, 404, "Not Found."),
    ],
)
def test_an_error_says_what_is_wrong_and_costs_nothing(  # noqa: PLR0913, PLR0917 - a table of four columns
    shared: Sandbox, ask_shared: Ask, path: str, params: dict[str, Any], status: int, words: str
) -> None:
    spent, refusals = shared.ledger.spent("sandbox"), shared.refusals

    reply = ask_shared(path, **params)

    assert reply.status_code == status
    assert reply.json() == {"error": words}
    assert reply.headers["content-type"] == "application/json"
    assert shared.ledger.spent("sandbox") == spent
    assert shared.refusals - refusals == {status: 1}


def test_an_unsupported_domain_is_named_with_those_that_are_supported(ask_shared: Ask) -> None:
    reply = ask_shared(LOOKUP, asin="B088H39PXX", domain="br")

    assert reply.status_code == 400
    assert reply.json()["error"].startswith("Unsupported domain: 'br'. Supported: com, ca, de,")


def test_another_method_than_get_is_a_405_in_the_same_shape(shared: Sandbox) -> None:
    reply = requests.post(shared.url + LOOKUP, params={"key": "sandbox"}, timeout=10)

    assert reply.status_code == 405
    assert reply.json() == {"error": "Method Not Allowed."}
    assert reply.headers["allow"] == "GET"


def test_a_broken_server_is_a_500_in_the_same_shape_and_costs_nothing(clock: ManualClock) -> None:
    class Broken(Catalog):
        def lookup(self, code_type: CodeType, code: str, domain: Domain) -> list[Item]:
            raise RuntimeError(f"{code_type} {code} {domain}")

    with serve(Broken(), clock=clock) as sandbox:
        reply = requests.get(sandbox.url + LOOKUP, params={"key": "sandbox", "asin": "B088H39PXX"}, timeout=10)
        spent = sandbox.ledger.spent("sandbox")

    assert reply.status_code == 500
    assert reply.json() == {"error": "Unexpected server issue."}
    assert spent == 0


@pytest.mark.parametrize(("key", "capacity", "rate"), [("sandbox", 120, 60), ("sandbox-basic", 60, 10)])
def test_an_empty_bucket_is_a_429_that_names_the_plans_rate(ask: Ask, key: str, capacity: int, rate: int) -> None:
    for _ in range(capacity // 10):
        assert ask(LOOKUP, asin=asins(10), key=key).status_code == 200

    reply = ask(LOOKUP, asin="B088H39PXX", key=key)

    assert reply.status_code == 429
    assert reply.json() == {"error": f"Not enough tokens in the bucket. Restore rate: {rate} / min"}


def test_a_request_for_more_than_the_bucket_holds_is_refused_whole(ask: Ask) -> None:
    for _ in range(11):
        ask(LOOKUP, asin=asins(10))
    ask(LOOKUP, asin=asins(7))

    assert ask(LOOKUP, asin=asins(4)).status_code == 429
    assert ask(TOKENS).json()["minutelyTokensLeft"] == 3
    assert ask(LOOKUP, asin=asins(3)).json()["bucketSize"] == 0


def test_the_bucket_refills_continuously_and_tokens_are_reported_whole(ask: Ask, clock: ManualClock) -> None:
    for _ in range(6):
        ask(LOOKUP, asin=asins(10), key="sandbox-basic")

    levels = []
    for _ in range(4):
        clock.sleep(5)  # five sixths of a token
        levels.append(ask(TOKENS, key="sandbox-basic").json()["minutelyTokensLeft"])

    assert levels == [0, 1, 2, 3]
    clock.sleep(3_600)
    assert ask(TOKENS, key="sandbox-basic").json()["minutelyTokensLeft"] == 60


def test_a_used_up_day_says_so_until_midnight_utc(catalog: Catalog, clock: ManualClock) -> None:
    plans = {"small": Plan("Small", bucket_capacity=100, tokens_per_minute=60, daily_limit=25)}
    with serve(catalog, plans, clock) as sandbox, requests.Session() as session:

        def lookup(count: int) -> requests.Response:
            return session.get(sandbox.url + LOOKUP, params={"key": "small", "asin": asins(count)}, timeout=10)

        assert [lookup(10).status_code for _ in range(2)] == [200, 200]
        refused = lookup(6)
        assert (refused.status_code, refused.json()) == (429, DAILY)
        last = lookup(5).json()
        assert last["dailyTokensLeft"] == 0
        assert lookup(1).json() == DAILY

        clock.sleep(last["msBeforeNextDailyToken"] / 1000 - 0.001)
        assert lookup(1).json() == DAILY
        clock.sleep(0.001)
        assert lookup(1).json()["dailyTokensLeft"] == 24


def test_a_whole_day_can_be_simulated_with_a_shared_clock(sandbox: Sandbox, ask: Ask, clock: ManualClock) -> None:
    for chunk in range(1, 101):
        reply = ask(LOOKUP, asin=asins(10), key="sandbox-basic")
        if reply.status_code == 429:
            clock.sleep(60)
            reply = ask(LOOKUP, asin=asins(10), key="sandbox-basic")
        assert reply.json()["dailyTokensLeft"] == 1_000 - chunk * 10

    assert clock.monotonic_s() == 94 * 60  # (1,000 - 60) tokens at ten a minute
    clock.sleep(60)
    assert ask(LOOKUP, asin=asins(1), key="sandbox-basic").json() == DAILY
    assert sandbox.ledger.spent("sandbox-basic") == 1_000


def test_the_sandbox_counts_how_often_each_code_was_paid_for(sandbox: Sandbox, ask: Ask) -> None:
    ask(LOOKUP, asin="B088H39PXX,B0NOSUCH01")
    ask(LOOKUP, asin="B088H39PXX")
    ask(LOOKUP, asin="B088H39PXX", key="wrong")

    assert sandbox.requests == {"B088H39PXX": 2, "B0NOSUCH01": 1}
    assert sandbox.ledger.spent("sandbox") == 3


def test_the_openapi_page_documents_parameters_replies_and_errors(shared: Sandbox) -> None:
    assert requests.get(shared.url + "/docs", timeout=10).status_code == 200
    document = requests.get(shared.url + "/openapi.json", timeout=10).json()
    operation = document["paths"][LOOKUP]["get"]

    assert [parameter["name"] for parameter in operation["parameters"]] == ["key", "asin", "upc", "ean", "domain"]
    assert set(operation["responses"]) == {"200", "400", "401", "403", "429", "default"}
    assert list(document["components"]["schemas"]["ErrorReply"]["properties"]) == ["error"]
