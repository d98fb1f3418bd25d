"""Two thousand seeds of the simulation, and some whole days that are told one by one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from enricher.model import CodeType, Domain, Key
from tests.simulate.catalog import CODES
from tests.simulate.record import PromiseError
from tests.simulate.scenario import KINDS, Latency, Rival, Scenario, Visit, draw
from tests.simulate.server import BASIC, DAY, PRO, SECOND, Manners, Plan
from tests.simulate.simulation import Outcome, Simulation, simulate

SEEDS = 2_000
BLOCKS = 4
FAST = Latency(10_000, 0)
HALF_A_SECOND = Latency(250_000, 0)


def codes(count: int, code_type: CodeType = CodeType.ASIN) -> tuple[Key, ...]:
    return tuple(Key(code_type, Domain.COM, code) for code in CODES[code_type][:count])


def run(keys: tuple[Key, ...], plan: Plan, *visits: Visit, latency: Latency = FAST) -> tuple[Simulation, Outcome]:
    simulation = Simulation(Scenario(0, "told", plan, keys, visits, latency=latency))
    return simulation, simulation.run()


@pytest.mark.parametrize("block", range(BLOCKS))
def test_no_promise_is_broken(block: int) -> None:
    for seed in range(block, SEEDS, BLOCKS):
        simulate(seed)


def test_a_seed_replays_exactly() -> None:
    for seed in range(20_000, 20_040):
        assert simulate(seed) == simulate(seed)


def test_every_kind_of_scenario_is_drawn() -> None:
    assert {draw(seed).kind for seed in range(200)} == set(KINDS)


def test_2500_codes_on_basic_take_three_days_of_waiting() -> None:
    simulation, outcome = run(codes(2_500), BASIC, Visit(wait_for_day=True))
    assert (outcome.visits, outcome.charged) == (1, 2_500)
    # 60 codes are there at once, the rest of the third day's 500 come at 10 a minute.
    assert 2 * DAY < outcome.lasted_us < 2 * DAY + 3_600 * SECOND
    assert not simulation.records[0].refusal_heard_us


def test_2500_codes_on_basic_take_three_runs_that_stop_at_the_same_price() -> None:
    days = Visit(gap_us=DAY - 6_000 * SECOND)
    simulation, outcome = run(codes(2_500), BASIC, Visit(), days, days)
    stops = [record.stopped and record.stopped.reason for record in simulation.records]
    assert (stops, outcome.charged) == (["day", "day", None], 2_500)
    assert [record.charged for record in simulation.records] == [1_000, 1_000, 500]


def test_workers_help_where_the_service_is_slow() -> None:
    keys = codes(120)
    _, one = run(keys, PRO, Visit(workers=1), latency=HALF_A_SECOND)
    _, four = run(keys, PRO, Visit(workers=4), latency=HALF_A_SECOND)
    assert one.lasted_us / four.lasted_us > 3
    assert one.charged == four.charged == 120


def test_ticks_change_nothing_but_the_number_of_steps() -> None:
    keys = codes(150)
    _, days = run(keys, BASIC, Visit(), latency=HALF_A_SECOND)
    _, ticks = run(keys, BASIC, Visit(tick_s=0.25), latency=HALF_A_SECOND)
    sent = [[note for note in outcome.trace if note[1] == "asks for"] for outcome in (days, ticks)]
    assert [note[1:] for note in sent[0]] == [note[1:] for note in sent[1]]
    assert all(abs(one[0] - other[0]) < 1_000 for one, other in zip(*sent, strict=True))  # microseconds


def test_a_full_bucket_is_not_left_unused() -> None:
    _, outcome = run(codes(200), BASIC, Visit(), latency=HALF_A_SECOND)
    assert outcome.lasted_us < (140 * 6 + 5) * SECOND  # 60 are there, 140 come at one each 6 s


def test_a_greedy_rival_delays_and_costs_nothing() -> None:
    keys = codes(40)
    rival = Rival(after_us=0, gap_us=SECOND, most=1_000_000, times=120)
    simulation = Simulation(Scenario(1, "told", BASIC, keys, (Visit(),), latency=FAST, rivals=(rival,)))
    assert simulation.run().charged == 40


def test_malformed_codes_fail_alone() -> None:
    keys = codes(95)
    bad = frozenset(keys[10:95:21])
    scenario = Scenario(2, "told", PRO, keys, (Visit(),), latency=FAST, manners=Manners(malformed=bad))
    simulation = Simulation(scenario)
    assert simulation.run().charged == 95 - len(bad)
    assert set(simulation.records[0].failures) == bad


@pytest.mark.parametrize("point", range(1, 60))
def test_a_kill_at_any_point_costs_at_most_what_was_under_way_and_being_written(point: int) -> None:
    keys = codes(60)
    simulation, outcome = run(keys, PRO, Visit(kill_at_point=point), Visit(gap_us=5 * SECOND), latency=HALF_A_SECOND)
    assert simulation.store.keys() == set(keys)
    assert outcome.charged <= 60 + (4 + 1) * 10


def test_a_second_stop_leaves_within_half_a_second() -> None:
    stops = (SECOND, int(1.2 * SECOND))
    simulation, _ = run(codes(60), PRO, Visit(stops_us=stops), Visit(), latency=Latency(3 * SECOND, 0))
    first = simulation.records[0]
    assert first.ended_us is not None
    assert first.ended_us - first.started_us <= int(1.7 * SECOND) + 2
    assert first.maybe_paid == 40  # under way, and perhaps paid for


def test_a_machine_that_slept_through_the_reset_goes_on_at_once() -> None:
    keys = codes(30)
    scenario = Scenario(
        3, "told", replace(BASIC, daily_limit=20), keys, (Visit(wait_for_day=True),), latency=FAST,
        sleeps=((3_600 * SECOND, DAY - 3_000 * SECOND),),
    )  # fmt: skip
    assert Simulation(scenario).run().lasted_us < DAY + 700 * SECOND


def test_a_promise_that_is_broken_names_the_seed_and_the_last_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.simulate.promises.truth", lambda _: frozenset({"B000000000"}))
    with pytest.raises(PromiseError, match="stores the truth") as caught:
        simulate(5)
    assert "seed 5" in caught.value.__notes__[0]
    assert "service (200" in caught.value.__notes__[1]
