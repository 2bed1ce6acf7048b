"""The benchmarks run, and all competitors agree: what keeps them from rotting. No claim about time."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from tests.benchmarks import (
    bench_batches,
    bench_bulk,
    bench_changes,
    bench_define,
    bench_filters,
    bench_growth,
    bench_language,
    bench_memory,
    bench_packages,
    bench_relations,
    bench_soak,
    bench_structures,
    bench_time,
)
from tests.benchmarks.oracle import holds
from tests.benchmarks.peer import Peer, PlainPeer
from tests.benchmarks.rescan import Rescan
from tests.benchmarks.trees import Window, is_temporal, iter_leaves, make_segments
from tests.benchmarks.workload import START_US, EventChange, Workload, make_changes

CONTACTS, SEGMENTS = 120, 60


def test_workload_depends_on_size_and_seed_alone() -> None:
    first, second = Workload(50, 7), Workload(50, 7)
    assert [first.contact(i) for i in range(50)] == [second.contact(i) for i in range(50)]
    assert [first.happenings(i) for i in range(50)] == [second.happenings(i) for i in range(50)]
    assert make_changes(first, 40) == make_changes(second, 40)
    assert make_segments(30, 7) == make_segments(40, 7)[:30]
    assert make_segments(30, 7) != make_segments(30, 8)


def test_workload_has_the_promised_mix() -> None:
    segments = make_segments(2_000, 1)
    leaves = [list(iter_leaves(segment)) for segment in segments]
    assert all(2 <= len(some) <= 5 for some in leaves)
    assert 0.27 < sum(any(isinstance(leaf, Window) for leaf in some) for some in leaves) / 2_000 < 0.36
    assert 0.17 < sum(any(leaf[1] in ("older", "within") for leaf in some) for some in leaves) / 2_000 < 0.23
    changes = make_changes(Workload(50, 1), 2_000)
    assert 0.57 < sum(isinstance(change, EventChange) for change in changes) / 2_000 < 0.63
    assert all(before.at <= after.at for before, after in pairwise(changes))


@pytest.mark.parametrize("make_peer", [Peer, PlainPeer])
@pytest.mark.parametrize("money", ["number", "decimal"])
def test_peer_agrees_with_the_oracle_where_no_time_passed_unnoticed(money: str, make_peer: type[Peer]) -> None:
    workload, segments = Workload(40, 3, money), make_segments(300, 3, money)
    sample = [(workload.contact(i), workload.happenings(i)) for i in range(20)]
    peer = make_peer(segments, sample, START_US)
    facts = [(workload.contact(i), workload.happenings(i)) for i in range(40)]
    for contact, (attributes, happenings) in enumerate(facts):
        peer.load(contact, attributes, happenings, START_US)
    for change in make_changes(workload, 150):
        attributes, happenings = facts[change.contact]
        peer.memberships[change.contact] = peer.evaluate_all(change.contact, change.at)
        before = set(peer.memberships[change.contact])
        if isinstance(change, EventChange):
            entered, left = peer.track(change.contact, change.happening)
            happenings.append(change.happening)
        else:
            entered, left = peer.update(change.contact, change.attribute, change.value, change.at)
            attributes[change.attribute] = change.value
        after = {n for n, segment in enumerate(segments) if holds(segment, attributes, happenings, change.at)}
        assert (entered, left) == (after - before, before - after)


def test_rescan_agrees_with_the_oracle_at_every_tick() -> None:
    workload, segments = Workload(60, 5), make_segments(200, 5)
    rescan = Rescan(workload, segments)
    assert set(rescan.segments) == {n for n, segment in enumerate(segments) if is_temporal(segment)}
    for day in (0, 1, 20):
        now = START_US + day * 86_400_000_000
        rescan.tick(now)
        for contact in random.Random(day).sample(range(60), 20):
            attributes, happenings = workload.contact(contact), workload.happenings(contact)
            for number, segment in rescan.segments.items():
                assert rescan.members[number][contact] == holds(segment, attributes, happenings, now)


@pytest.mark.parametrize("money", ["number", "decimal"])
def test_single_changes_end_with_the_memberships_of_peer_and_oracle(money: str) -> None:
    arguments = ["--contacts", str(CONTACTS), "--segments", str(SEGMENTS), "--changes", "200", "--money", money]
    assert [result.mismatches for result in bench_changes.main(arguments)] == [0]


@pytest.mark.parametrize("package", bench_packages.PEERS)
def test_single_changes_end_with_the_memberships_of_other_packages(package: str) -> None:
    arguments = ["--contacts", str(CONTACTS), "--segments", str(SEGMENTS), "--changes", "200", "--peers", package]
    if not bench_packages.PEERS[package].is_installed():
        assert bench_packages.main(arguments) == []
        pytest.skip(f"{package} is not installed")
    for options in (arguments, [*arguments, "--indexed"]):
        assert [result.mismatches for result in bench_packages.main(options)] == [0]


def test_batches_end_with_the_memberships_of_the_peer() -> None:
    arguments = ["--contacts", "900", "--segments", str(SEGMENTS), "--changes", "600", "--sizes", "1,50,400"]
    assert [result.mismatches for result in bench_batches.main(arguments)] == [0]


def test_changes_that_flip_nothing_examine_few_clauses_whatever_the_sizes() -> None:
    (segments,) = bench_growth.main(
        ["--segments", "20,60", "--contacts", "120", "--changes", "200", "--only", "segments"]
    )
    (objects,) = bench_growth.main(["--objects", "60,120", "--planned", "60", "--changes", "200", "--only", "objects"])
    assert segments.mismatches == objects.mismatches == 0
    assert max(*segments.examined, *objects.examined) < 60 / 4


def test_passing_time_ends_with_the_memberships_of_the_rescan() -> None:
    arguments = ["--contacts", str(CONTACTS), "--segments", str(SEGMENTS), "--steps", "2", "--only", "ticks"]
    assert [result.mismatches for result in bench_time.main(arguments)] == [0]


def test_a_herd_flips_completely_at_its_midnight() -> None:
    assert [result.mismatches for result in bench_time.main(["--herd", "500", "--only", "herd"])] == [0]


@pytest.mark.parametrize("variant", ["full", "attributes"])
def test_many_objects_at_once_have_the_memberships_of_the_rescan(variant: str) -> None:
    arguments = ["--contacts", "700", "--segments", str(SEGMENTS), "--repeats", "1", "--variant", variant]
    assert [result.mismatches for result in bench_bulk.main(arguments)] == [0]


def test_filters_mean_the_same_to_the_evaluator_and_the_oracle() -> None:
    arguments = ["--segments", "50", "--contacts", "20"]
    assert [result.mismatches for result in bench_language.main(arguments)] == [0]


def test_memory_is_counted_with_everything_loaded() -> None:
    arguments = ["--contacts", str(CONTACTS), "--segments", str(SEGMENTS), "--here"]
    assert [result.mismatches for result in bench_memory.main(arguments)] == [0]


def test_structures_alone_give_plain_answers() -> None:
    assert [result.mismatches for result in bench_structures.main(["--objects", "500", "--changes", "200"])] == [0]


def test_one_change_flips_all_that_it_reaches() -> None:
    arguments = ["--contacts", "200", "--around", "20", "--products", "300", "--changes", "40"]
    assert [result.mismatches for result in bench_relations.main(arguments)] == [0]


def test_a_long_run_ends_with_the_memberships_that_its_facts_give() -> None:
    (result,) = bench_soak.main(["--changes", "3000", "--contacts", "60", "--segments", "20", "--keep", "100"])
    assert result.mismatches == 0


def test_definitions_on_a_live_engine_have_the_members_that_the_facts_give() -> None:
    (result,) = bench_define.main(["--contacts", "700", "--segments", str(SEGMENTS), "--repeats", "3", "--formula"])
    assert result.mismatches == 0


def test_new_filters_count_the_same_by_all_contestants() -> None:
    results = bench_filters.main(["--contacts", "700", "--filters", "20"])
    assert [result.mismatches for result in results] == [0, 0]
