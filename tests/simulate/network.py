"""The network between the program and the service: it takes its time, both ways, and loses things."""

from __future__ import annotations

import math
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any

from enricher.lookup.network import Arrival
from enricher.lookup.replies import (
    BadRequest,
    BucketEmpty,
    DayEmpty,
    KeyRefused,
    NoReply,
    Response,
    read_account,
    read_lookup,
)
from enricher.model import Levels
from tests.simulate import promises
from tests.simulate.record import PromiseError, Record, Request
from tests.simulate.server import SECOND
from tests.simulate.world import MachineClock

if TYPE_CHECKING:
    import random

    from enricher.lookup import Chunk
    from enricher.lookup.replies import AccountReply, LookupReply
    from tests.simulate.scenario import Fate
    from tests.simulate.server import Server
    from tests.simulate.world import World

_DEADLINE_US = 60 * SECOND
_MOST_TAKES = 200_000


class VirtualNetwork:
    """Carries out the loop's `Network` in virtual time, and watches what is asked of it."""

    def __init__(self, world: World, server: Server, record: Record, rng: random.Random) -> None:
        self._world, self._server, self._record, self._rng = world, server, record, rng
        self._clock = MachineClock(world)
        self._arrived: deque[Request] = deque()
        self._is_killed = False
        self._disturbed = world.disturbed
        self._fates = dict(record.scenario.troubles) if record.visit.is_troubled else {}

    def lookup(self, chunk: Chunk) -> None:
        record = self._record
        record.point()
        request = Request(chunk, tuple(chunk.keys()), self._fate(), self._world.now_us)
        promises.sends_only_what_may_be_sent(record, request)
        promises.heeds_retry_after(record, self._clock.monotonic_s())
        record.requests.append(request)
        record.under_way.update(dict.fromkeys(request.keys, request))
        record.lookups_under_way += 1
        self._world.note("asks for", (len(request.keys), request.keys[0].code, request.fate))
        self._send(request)
        record.point()

    def account(self) -> None:
        record = self._record
        record.point()
        request = Request(None, (), self._fate(), self._world.now_us)
        promises.asks_for_the_levels_once_at_a_time(record)
        record.accounts_under_way += 1
        record.accounts += 1
        self._world.note("asks for the levels", request.fate)
        self._send(request)
        record.point()

    def take(self, wait_s: float) -> Arrival | None:
        record, world = self._record, self._world
        record.point()
        record.takes += 1
        promises.puts_away_before_it_goes_on(record, wait_s)
        if not wait_s >= 0 or record.takes > _MOST_TAKES:
            raise PromiseError("ends", f"take({wait_s}) is call {record.takes}")
        request = self._next(wait_s)
        if request is None:
            return None
        request.taken_us = world.now_us
        reply = request.reply
        assert reply is not None
        world.note("is given", reply)
        if request.chunk is None:
            record.accounts_under_way -= 1
        else:
            record.lookups_under_way -= 1
            for key in request.keys:
                del record.under_way[key]
        record.lies_heard += request.lies
        promises.heeds_refusals(record, request, record.lies_heard + self._server.rivals_took)
        self._remember(request, reply)
        record.point()
        return Arrival(request.chunk, reply)

    def kill(self) -> None:
        """End the program where it stands, if it still runs."""
        self._is_killed = not self._record.is_over

    def _next(self, wait_s: float) -> Request | None:
        """Wait for an arrival. A stop, a sleep of the machine or a jump of its clock ends the wait as a tick would."""
        world = self._world
        slept_us = world.asleep_us
        until_us = None if wait_s == math.inf else world.now_us + math.ceil(wait_s * SECOND / (1 + world.drift))
        if until_us is None and not (self._record.lookups_under_way or self._record.accounts_under_way):
            raise PromiseError("ends", "waits for ever, with nothing under way")
        while True:
            if self._is_killed:
                self._record.die()
            if self._arrived:
                return self._arrived.popleft()
            if world.disturbed != self._disturbed:
                self._disturbed = world.disturbed
                return None
            if until_us is not None:
                until_us += world.asleep_us - slept_us
                slept_us = world.asleep_us
            next_us = world.next_us()
            if until_us is not None and (next_us is None or next_us > until_us):
                world.advance(until_us)
                return None
            world.step()

    def _remember(self, request: Request, reply: LookupReply | AccountReply) -> None:
        record = self._record
        if isinstance(reply, KeyRefused):
            record.key_is_refused = True
        if isinstance(reply, NoReply | BucketEmpty) and reply.retry_after_s:
            record.retry_after_s += reply.retry_after_s
            if request.chunk is not None:
                record.quiet_until_s = max(record.quiet_until_s, self._clock.monotonic_s() + reply.retry_after_s)
        if request.chunk is None:
            record.accounts_failed += not isinstance(reply, Levels)
            return
        if request.is_good:
            record.owed.update(request.keys)
            return
        if isinstance(reply, BadRequest | BucketEmpty | DayEmpty):
            record.is_refused = True
            return
        record.in_trouble.update(request.keys)
        if isinstance(reply, NoReply) and reply.maybe_charged:
            for key in request.keys:
                record.lost[key] = record.lost.get(key, 0) + 1

    def _fate(self) -> Fate:
        record = self._record
        outage = record.visit.outage_us
        if outage and outage[0] <= self._world.now_us - record.started_us < outage[1]:
            return "unsent" if outage[0] % 2 else "busy"
        if not self._fates:
            return "served"
        share = self._rng.random()
        for fate, probability in self._fates.items():
            share -= probability
            if share < 0:
                return fate
        return "served"

    def _send(self, request: Request) -> None:
        record, rng, now_us = self._record, self._rng, self._world.now_us
        delay_us = record.scenario.latency.draw(rng)
        if request.fate == "unsent":
            request.reply = NoReply.unsent("the connection was refused")
            self._world.at(now_us + delay_us, partial(self._arrive, request))
            return
        record.at_sea += 1
        if request.fate == "late":
            request.reply = NoReply.lost("no answer in time")
            self._world.at(now_us + _DEADLINE_US, partial(self._arrive, request))
            delay_us = _DEADLINE_US + rng.randrange(100 * SECOND)
        self._world.at(now_us + delay_us, partial(self._reach, request))

    def _reach(self, request: Request) -> None:
        """Have the service see the request, or not, and its reply leave, or not."""
        world = self._world
        self._record.at_sea -= 1
        match request.fate:
            case "reset" | "error" | "busy" | "slow down" | "redirect" | "silent" | "spurious 429":
                response = None
            case _:
                response = self._serve(request)
        if request.fate == "late":
            return
        reply = self._reply(request, response)
        request.reply = reply
        delay_us = self._record.scenario.latency.draw(self._rng)
        arrives_us = world.now_us + delay_us
        if request.fate in {"silent", "charged silent"}:
            arrives_us = request.sent_us + _DEADLINE_US
        world.at(arrives_us, partial(self._arrive, request))

    def _serve(self, request: Request) -> Response:
        server, record, now_us = self._server, self._record, self._world.now_us
        if request.chunk is None:
            request.lies = int(server.manners.is_account_wrong)
            return server.account(now_us)
        lies = server.lies
        response, request.charged = server.lookup(now_us, request.chunk)
        request.lies = server.lies - lies
        record.charged += request.charged
        request.rate_per_min, request.served_us = server.tokens.plan.rate_per_min, now_us
        if response.status == 429:
            request.refusal = "day" if "daily" in response.message else "bucket"
        tokens = server.tokens
        self._world.note("service", (response.status, request.charged, tokens.bucket_left, tokens.day_left))
        promises.keeps_to_budget_and_reserve(record, request, server)
        return response

    def _reply(self, request: Request, response: Response | None) -> LookupReply | AccountReply:
        read: Any = read_account if request.chunk is None else partial(read_lookup, asked=len(request.keys))
        rng = self._rng
        retry_after_s = rng.choice((None, None, 1.0, 7.5, 60.0))
        match request.fate:
            case "reset":
                return NoReply.lost("the connection broke")
            case "lost":
                return NoReply.lost("the connection broke in mid-reply")
            case "silent" | "charged silent":
                return NoReply.lost("no answer in time")
            case "error" | "charged error":
                response = Response(rng.choice((500, 502, 504)), None, "", retry_after_s)
            case "busy":
                response = Response(503, None, "", retry_after_s)
            case "slow down":
                response = Response(429, {"error": "Slow down"}, "Slow down", retry_after_s)
            case "redirect":
                response = Response(rng.choice((302, 404)), None, "")
            case "spurious 429":
                rate_per_min = self._server.tokens.plan.rate_per_min
                text = f"Not enough tokens in the bucket. Restore rate: {rate_per_min} / min"
                response = Response(429, {"error": text}, text, retry_after_s)
            case "garbled" | "doubtful" if response is not None and response.status == 200:
                response = _damaged(response, request.fate, rng)
            case _:
                request.is_good = response is not None and response.status == 200
        reply: LookupReply | AccountReply = read(response)
        return reply

    def _arrive(self, request: Request) -> None:
        if not self._record.is_over:
            self._arrived.append(request)


def _damaged(response: Response, fate: Fate, rng: random.Random) -> Response:
    """Make a paid reply of the levels or of products unreadable as a whole, or in a place of it."""
    payload: dict[str, Any] = dict(response.payload)
    if "items" not in payload:
        return Response(200, None, "") if fate == "garbled" else Response(200, {"dailyTokensLeft": "many"}, "")
    if fate == "garbled":
        return Response(200, rng.choice((None, [], 7, {"items": None}, {"Items": payload["items"]})), "")
    items = list(payload["items"])
    if not items or rng.random() < 0.3:
        return Response(200, payload | {"items": [*items[1:], None]}, "")
    at = rng.randrange(len(items))
    items[at] = rng.choice(("B0", None, {}, {"title": "a product without a name"}))
    return Response(200, payload | {"items": items}, "")
