"""One seed from beginning to end: runs of the program, one after the other, until every code has its answer."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from enricher.lookup import Engine, chunks_of
from enricher.lookup.replies import read_account
from enricher.model import Levels
from tests.simulate import promises
from tests.simulate.network import VirtualNetwork
from tests.simulate.oracle import Pace, best_end_us
from tests.simulate.record import Killed, PromiseError, Record
from tests.simulate.scenario import Scenario, Visit, draw
from tests.simulate.server import SECOND, TOKEN, Account, Plan, Server
from tests.simulate.world import MachineClock, World

if TYPE_CHECKING:
    from enricher.model import Key
    from tests.simulate.scenario import Rival

_MOST_VISITS = 40
_PATIENT_VISITS = 12
"""After so many the user lets the program wait for the day."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a seed."""

    trace: list[tuple[int, str, object]]
    visits: int
    requests: int
    charged: int
    lasted_us: int


def simulate(seed: int) -> Outcome:
    """Run a seed. Raises PromiseError, with the last lines of the trace as notes."""
    return Simulation(draw(seed)).run()


class Simulation:
    """A world, a service, a resume file, and a user who runs the program until all is done."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.world = World(scenario.start_us)
        self.world.wall_off_us = scenario.wall_off_us
        self.world.drift = scenario.drift_ppm / 1_000_000
        self.store: dict[Key, frozenset[str]] = {}
        self.records: list[Record] = []
        self._rng = random.Random(f"events of {scenario.seed}")  # noqa: S311 - a number to replay, no secret
        parts = int(scenario.filled * scenario.plan.capacity * TOKEN)
        account = Account(scenario.plan, scenario.start_us, parts, scenario.used)
        self.server = Server(account, scenario.manners, self._rng)
        self._rival_tokens = 0
        self._schedule()

    def run(self) -> Outcome:
        """Run the program until every code has its end."""
        try:
            self._visit_until_done()
            promises.pays_for_what_it_keeps_or_loses(self.records)
            for record in self.records:
                promises.asks_again_once(record)
                if not record.is_killed:
                    promises.pays_no_more_than_it_says(record)
        except Exception as error:
            error.add_note(f"seed {self.scenario.seed}: {self.scenario}")
            error.add_note("\n".join(self.world.lines(last=30)))
            raise
        requests = sum(len(record.requests) for record in self.records)
        charged = sum(record.charged for record in self.records)
        lasted_us = self.world.now_us - self.world.start_us
        return Outcome(self.world.trace, len(self.records), requests, charged, lasted_us)

    def _visit_until_done(self) -> None:
        scenario, visits = self.scenario, self.scenario.visits
        for number in range(_MOST_VISITS):
            missing = tuple(key for key in scenario.keys if key not in self.store)
            is_last = number >= len(visits)
            if is_last and scenario.manners.malformed.issuperset(missing):
                return
            visit = visits[-1] if is_last else visits[number]
            if number > _PATIENT_VISITS:
                visit = replace(visit, wait_for_day=True)
            self._visit(visit, missing)
        raise PromiseError("all is answered in the end", f"{len(missing)} codes are not after {_MOST_VISITS} runs")

    def _visit(self, visit: Visit, keys: tuple[Key, ...]) -> None:
        """Run the program once."""
        world, server = self.world, self.server
        world.advance(world.now_us + visit.gap_us)
        world.note("a run begins", (len(keys), visit))
        is_first = not any(record.at_sea for record in self.records)
        asleep_us = world.asleep_us
        levels = self._ask_levels()
        is_awake = world.asleep_us == asleep_us
        server.tokens.advance(world.now_us)
        is_alone = self.scenario.is_undisturbed and is_first
        is_calm = is_alone and is_awake and self.scenario.is_calm and not visit.is_interrupted
        record = Record(
            self.scenario, visit, world, self.store, server.tokens.copy(), world.now_us, is_alone, is_calm, keys
        )
        self.records.append(record)
        network = VirtualNetwork(world, server, record, self._rng)
        self._schedule_visit(record, network)
        rival_tokens = self._rival_tokens
        try:
            self._look_up(record, network, levels)
        except Killed:
            world.note("is killed")
        record.ended_us = world.now_us
        record.rival_tokens = self._rival_tokens - rival_tokens
        world.note("the run is over", record.stopped)
        if not record.is_killed:
            self._judge(record)
        server.refused_status = 0
        if record.stopped is not None and record.stopped.reason == "day" and self._rng.random() < 0.8:
            world.advance(server.tokens.reset_us() + self._rng.randrange(600 * SECOND))

    def _look_up(self, record: Record, network: VirtualNetwork, levels: Levels) -> None:
        """Do what the pipeline does: ask, and put away what has arrived, all of it at once, before anything else."""
        visit = record.visit
        engine = Engine(
            network,
            MachineClock(self.world),
            levels,
            reserve=visit.reserve,
            budget=visit.budget,
            wait_for_day=visit.wait_for_day,
            workers=visit.workers,
            stop=lambda: record.stops,
            jitter=self._rng,
            tick_s=visit.tick_s,
        )
        size = -(-len(record.keys) // visit.rounds) or 1
        for start in range(0, len(record.keys), size):
            for events in engine.turns(chunks_of(record.keys[start : start + size])):
                record.point()
                promises.hands_on_few_at_once(events)
                for event in events:
                    self.world.note("says", event)
                    promises.says_what_is_true(record, event)
                record.point()
                for _ in events:
                    record.events += 1
                    if record.events == visit.stop_at_event:
                        record.ask_to_stop()
            promises.puts_away_before_it_goes_on(record, 1.0)
            if record.stopped is not None:
                return

    def _judge(self, record: Record) -> None:
        promises.stops_for_a_reason(record, self.server)
        promises.ends_in_time_after_a_stop(record)
        promises.ends_in_time(record)
        if not record.is_calm or record.stopped is not None:
            return
        size = -(-len(record.keys) // record.visit.rounds) or 1
        rounds = [record.keys[start : start + size] for start in range(0, len(record.keys), size)]
        sizes = [len(chunk.codes) for keys in rounds for chunk in chunks_of(keys)]
        visit, trip_us = record.visit, 2 * self.scenario.latency.most_us
        pace = Pace(self.scenario.plan, visit.workers, visit.reserve, trip_us, self.world.sleeps)
        best_us = best_end_us(record.tokens_at_start, record.started_us, sizes, pace)
        promises.never_idles(record, best_us, pace)

    def _ask_levels(self) -> Levels:
        """Ask for the levels at the start of a run; this goes well."""
        latency = self.scenario.latency
        self.world.advance(self.world.now_us + latency.draw(self._rng))
        levels = read_account(self.server.account(self.world.now_us))
        self.world.advance(self.world.now_us + latency.draw(self._rng))
        assert isinstance(levels, Levels)
        self.world.note("the levels are", levels)
        return levels

    def _schedule(self) -> None:
        """Plan what the world does on its own."""
        scenario, world = self.scenario, self.world
        for rival in scenario.rivals:
            world.at(world.start_us + rival.after_us, partial(self._rival_takes, rival, rival.times))
        for after_us, plan in scenario.plan_changes:
            world.at(world.start_us + after_us, partial(self._change_plan, plan))
        for after_us, duration_us in scenario.sleeps:
            world.at(world.start_us + after_us, partial(world.sleep_machine, duration_us))
        for after_us, by_us in scenario.jumps:
            world.at(world.start_us + after_us, partial(world.jump, by_us))

    def _schedule_visit(self, record: Record, network: VirtualNetwork) -> None:
        visit, now_us = record.visit, self.world.now_us
        for stop_us in visit.stops_us:
            self.world.at(now_us + stop_us, record.ask_to_stop)
        if visit.kill_us is not None:
            self.world.at(now_us + visit.kill_us, network.kill)
        if visit.refuse_key_us is not None:
            self.world.at(now_us + visit.refuse_key_us, partial(self._refuse_key, record))

    def _rival_takes(self, rival: Rival, times: int) -> None:
        tokens = self.server.tokens
        tokens.advance(self.world.now_us)
        wanted = min(tokens.bucket_left, tokens.day_left, self._rng.randint(1, rival.most))
        if wanted > 0:
            tokens.charge(wanted)
            self._rival_tokens += wanted
            self.server.rivals_took += 1
            self.world.note("a rival takes", wanted)
        if times > 1:
            gap_us = int(self._rng.uniform(0.0, 2.0) * rival.gap_us)
            self.world.at(self.world.now_us + gap_us, partial(self._rival_takes, rival, times - 1))

    def _change_plan(self, plan: Plan) -> None:
        self.server.tokens.advance(self.world.now_us)
        self.server.tokens.change(plan)
        self.world.note("the plan is now", plan)

    def _refuse_key(self, record: Record) -> None:
        if not record.is_over:
            self.server.refused_status = self._rng.choice((401, 403))
            self.world.note("the key is withdrawn")
