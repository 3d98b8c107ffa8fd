"""The best learning rate, against fine grids; searches in lock-step; schedules."""

import math
from typing import Any

import numpy as np
import pytest
from problems import problem

import lindmft as lm
from lindmft.analysis.rates import Goal, optimum
from lindmft.analysis.searches.search import Rates
from lindmft.analysis.searches.valleys import next_valley

BASE = lm.Problem.from_dict(problem())
PLENTY = {"kind": "full_batch", "alpha": 4.0, "noise": 0.0}
NOISY = {"kind": "full_batch", "alpha": 4.0, "noise": 0.5}


def case(data: dict[str, Any] | None = None, lr: Any = 0.1, **network: Any) -> lm.Problem:
    tables = problem()
    tables["network"] |= network
    if network.get("kind") == "resnet":
        tables["network"].setdefault("depth", 8)
    tables["optimizer"]["lr"] = lr
    return lm.Problem.from_dict(tables | ({"data": data} if data else {}))


def losses_at(one: lm.Problem, rates: Any, steps: int) -> Any:
    grid = [Rates(one, steps).at(float(rate)) for rate in rates]
    runs = lm.solve_many(grid, steps, errors="return")
    return np.array(
        [run.test_loss[-1] if isinstance(run, lm.Solution) else math.inf for run in runs]
    )


CASES = {
    "shallow, few samples": case({"kind": "full_batch", "alpha": 0.5, "noise": 0.0}, depth=1),
    "narrow": case(PLENTY, width=0.25),
    "noisy, ntk, wide": case(NOISY, depth=3, gamma0=2.0, parameterization="ntk", width=8.0),
    "start too low": case(PLENTY, lr=0.0004, depth=3, gamma0=4.0, width=4.0),
    "start too high": case(lr=10.0),
    "residual": case(kind="resnet", depth=8),
    "one pass": case({"kind": "one_pass", "alpha": 0.5, "noise": 0.3}),
    "population": case({"kind": "population"}),
    "decay": case(NOISY, lr=lm.schedule("linear", 40, peak=0.1)),
}


@pytest.mark.filterwarnings("ignore::lindmft.StabilityWarning")  # some rates are unstable
@pytest.mark.parametrize("name", CASES)
def test_it_is_within_a_percent_of_a_fine_grid(name: str) -> None:
    one, steps = CASES[name], 40
    best = lm.optimal_lr(one, steps)
    assert best.solves <= 25
    broad = best.lr * np.exp(np.arange(math.log(1 / 30), math.log(10), 0.05))
    assert best.loss <= losses_at(one, broad, steps).min() * 1.01, "it is the deepest valley"
    fine = best.lr * 1.001 ** np.arange(-40, 41)
    losses = losses_at(one, fine, steps)
    assert abs(math.log(fine[losses.argmin()] / best.lr)) < 0.01
    assert best.lower < best.lr < best.upper < 1.02 * best.lower


@pytest.mark.filterwarnings("ignore::lindmft.StabilityWarning")
def test_in_rough_country_it_finds_a_good_valley() -> None:
    """The loss has many valleys of nearly equal depth near the edge of stability with momentum."""
    rough = case().replace(**{"optimizer.momentum": 0.9})
    best = lm.optimal_lr(rough, 40)
    broad = best.lr * np.exp(np.arange(math.log(1 / 30), math.log(10), 0.02))
    assert best.solves <= 25
    assert best.loss < 1.03 * losses_at(rough, broad, 40).min()


ROUGH = {
    "momentum": case().replace(**{"optimizer.momentum": 0.9}),
    "minibatches": case(
        {"kind": "multi_pass", "alpha": 2.0, "noise": 0.5, "batch_fraction": 0.25}, gamma0=2.0
    ),
    "power law": lm.Problem(
        lm.MLP(depth=2, hidden=50),
        lm.FullBatch(samples=100, noise=0.2, spectrum=lm.PowerLaw(1.5, 0.5, modes=1000)),
        lm.SGD(lr=0.1),
    ),
}


def from_starts(one: lm.Problem, decades: Any) -> list[lm.OptimalRate]:
    peak = np.max(one.optimizer.lr)
    factors = [10.0**d * 0.1 / peak for d in decades]
    rates = [np.multiply(one.optimizer.lr, factor).tolist() for factor in factors]
    return lm.optimal_lrs(one.vary({"optimizer.lr": rates}), 40)


@pytest.mark.parametrize("name", ["narrow", "decay", "momentum"])
def test_where_the_search_starts_does_not_matter(name: str) -> None:
    found = from_starts((CASES | ROUGH)[name], (-7.3, -1.1, 0.6, 6.7))
    rates = [best.lr for best in found]
    assert max(rates) < 1.01 * min(rates)
    assert max(best.solves for best in found) <= 35


@pytest.mark.long
@pytest.mark.parametrize("name", CASES | ROUGH)
def test_starts_over_fourteen_decades_end_in_one_valley(name: str) -> None:
    found = from_starts((CASES | ROUGH)[name], np.arange(-7.0, 7.5))
    rates = [best.lr for best in found]
    assert max(rates) < 1.01 * min(rates)
    assert all(best.lower < best.lr < best.upper < 1.1 * best.lower for best in found)


def test_other_valleys_are_reported() -> None:
    best = lm.optimal_lr(ROUGH["momentum"], 40)
    assert best.valleys[0] == best.lr
    assert len(best.valleys) > 1
    losses = best.losses[np.searchsorted(best.rates, best.valleys)]
    assert (np.diff(losses) >= 0).all()
    assert losses[-1] <= 2 * best.loss
    said = best.summary()
    assert f"{len(best.valleys) - 1} other valleys, the deepest at lr = " in said
    assert f"{100 * (losses[1] / losses[0] - 1):.3g} % larger" in said
    alone = lm.optimal_lr(CASES["shallow, few samples"], 40)
    assert alone.valleys.tolist() == [alone.lr]
    assert "valley" not in alone.summary()


def test_the_result_says_what_was_tried() -> None:
    best = lm.optimal_lr(BASE, 30, objective="train_loss")
    assert best.objective == "train_loss"
    assert (np.diff(best.rates) > 0).all()
    tried = losses_at(BASE, best.rates, 30)
    assert (np.isinf(tried) == np.isinf(best.losses)).all()
    at = int(best.losses.argmin())
    assert best.rates[at] == best.lr
    assert (best.rates[at - 1], best.rates[at + 1]) == (best.lower, best.upper)
    run = lm.solve(BASE.replace(**{"optimizer.lr": best.lr}), 30)
    assert math.isclose(run.train_loss[-1], best.loss, rel_tol=1e-12)
    assert f"lr = {best.lr:.4g}" in best.summary()
    assert str(best) in repr(best)


def test_many_searches_are_each_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    problems = BASE.vary({"network.width": [0.5, 1.0, 4.0], "data.alpha": [1.5, 4.0]})
    alone = [lm.optimal_lr(one, 30) for one in problems]
    calls: list[int] = []
    many = lm.solve_many

    def counted(listed: Any, *rest: Any, **options: Any) -> Any:
        calls.append(len(listed))
        return many(listed, *rest, **options)

    monkeypatch.setattr("lindmft.analysis.searches.search.solve_many", counted)
    together = lm.optimal_lrs(problems, 30)
    assert [(a.lr, a.loss) for a in together] == [(a.lr, a.loss) for a in alone]
    assert sum(calls) == sum(best.solves for best in together)
    assert len(calls) <= max(best.solves for best in alone), "they advance together"
    assert lm.optimal_lrs([], 30) == []


def test_on_the_adaptive_grid() -> None:
    exact, coarse = (lm.optimal_lr(BASE, 200, grid=grid) for grid in ("exact", "adaptive"))
    assert math.isclose(exact.lr, coarse.lr, rel_tol=0.01)


def test_budgets_end_the_search() -> None:
    assert lm.optimal_lr(BASE, 40, max_solves=14, rtol=1e-9).solves == 14


def test_the_search_that_finds_nothing_is_named() -> None:
    stuck = BASE.replace(**{"optimizer.layer_lr": [0, 0, 0]})
    with pytest.raises(ValueError, match=r"^problems\[1\]: optimizer.lr must have a best value"):
        lm.optimal_lrs([BASE, stuck], 20)


@pytest.mark.parametrize(
    ("one", "message"),
    [
        (BASE.replace(**{"optimizer.layer_lr": [0, 0, 0]}), "or does not depend on it"),
        (case(lr=[0.0] * 20), "optimizer.lr must be a schedule with a rate above 0"),
    ],
)
def test_where_there_is_no_best_rate(one: lm.Problem, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        lm.optimal_lr(one, 20)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"steps": 1}, "steps must be at least 2"),
        ({"rtol": 0}, "rtol must be a positive finite number"),
        ({"objective": "loss"}, "objective must be 'test_loss' or 'train_loss'"),
        ({"max_solves": 5}, "max_solves must be at least 12"),
        ({"threads": 1.5}, "threads must be a whole number"),
    ],
)
def test_bad_input_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        lm.optimal_lr(BASE, **({"steps": 20} | options))


# ---- the search, on functions of x = log lr


class Shape(Goal):
    """Losses take the place of runs."""

    def value(self, run: Any) -> float:
        return float(run)


def minimum(shape: Any, start: float = 0.1, **options: Any) -> tuple[float, int]:
    """The end of the search in log lr, and the number of evaluations."""
    search = optimum(
        Rates(case(lr=start), 10), Shape("test_loss", **{"rtol": 0.01, "max_solves": 25} | options)
    )
    asked = next(search)
    while True:
        try:
            asked = search.send([shape(math.log(rate)) for rate in asked])
        except StopIteration as end:
            return math.log(end.value.lr), end.value.solves


def parabola(x: float) -> float:
    return (x + 3) ** 2


def cliff(x: float) -> float:
    """Falls up to the edge, beyond which everything diverges."""
    return -x if x < -1.2345 else math.inf


def kink(x: float) -> float:
    return abs(x + 1.777) * (1 if x < -1.777 else 20)


def two_valleys(x: float) -> float:
    """The deeper one is narrow, and mostly seen where it is the higher one."""
    return min(5 * (x + 2.5) ** 2, 5 * abs(x + 1.83) - 0.2)


@pytest.mark.parametrize(
    ("shape", "expected"),
    [(parabola, -3.0), (cliff, -1.2345), (kink, -1.777), (two_valleys, -1.83)],
)
@pytest.mark.parametrize("start", [0.001, 0.1, 5.0])
def test_minima_of_many_shapes(shape: Any, expected: float, start: float) -> None:
    found, solves = minimum(shape, start)
    assert abs(found - expected) < 0.01
    assert solves <= 25


def hidden(x: float) -> float:
    """A valley that is seen only from near."""
    return min(5 * (x + 2.5) ** 2, 60 * abs(x + 1.91) - 0.2)


def test_more_solves_find_narrower_valleys() -> None:
    assert abs(minimum(hidden)[0] + 2.5) < 0.01
    assert abs(minimum(hidden, max_solves=100)[0] + 1.91) < 0.01


def test_smooth_minima_take_few_evaluations() -> None:
    assert minimum(parabola)[1] <= 15


# ---- schedules in searches


def test_rates_that_never_act_are_not_reported() -> None:
    """The last loss of 20 steps is that before the update of the last entry."""
    constant = case(PLENTY, lr=0.01)
    best = lm.optimal_lr(case(PLENTY, lr=[0.01] * 19 + [1.0]), 20)
    alone = lm.optimal_lr(constant, 20)
    assert np.allclose([best.lr, best.lower, best.upper], [alone.lr, alone.lower, alone.upper])
    assert best.schedule == pytest.approx([best.lr] * 19 + [100 * best.lr])
    again = lm.solve(constant.replace(**{"optimizer.lr": best.schedule}), 20)
    assert math.isclose(again.test_loss[-1], best.loss, rel_tol=1e-9)
    assert alone.schedule is None
    assert best.summary().endswith("largest of the schedule that act within the steps.")


def test_peaks_are_those_that_act() -> None:
    late = {"late": lambda steps: [0.1] * (steps - 1) + [1.0]}
    found = lm.optimum_over_time(case(PLENTY), [10, 20], schedules=late)
    flat = lm.optimum_over_time(case(PLENTY), [10, 20], schedules=["constant"])
    assert np.allclose(found.lr, flat.lr, rtol=0.01)
    table = lm.transfer(case(PLENTY, lr=[0.01] * 19 + [1.0]), "data.alpha", [2, 4], 20, rtol=0.05)
    alone = lm.transfer(case(PLENTY, lr=0.01), "data.alpha", [2, 4], 20, rtol=0.05)
    assert np.allclose(table.lr, alone.lr)
    assert np.allclose(table.edge, alone.edge)
    assert np.allclose(table.carried, alone.carried)


# ---- the edge


def test_many_edges_are_each_alone() -> None:
    problems = BASE.vary({"network.width": [0.5, 1.0, 4.0]})
    alone = [lm.largest_stable_lr(one, 40) for one in problems]
    assert lm.largest_stable_lrs(problems, 40) == alone


def test_finite_is_weaker_than_bounded() -> None:
    """A run may end above its start without having diverged within its steps."""
    bounded = lm.largest_stable_lr(BASE, 30)
    finite = lm.largest_stable_lr(BASE, 30, criterion="finite")
    assert finite.lr >= bounded.lr
    at, beyond = (BASE.replace(**{"optimizer.lr": r}) for r in (finite.lower, finite.upper))
    assert lm.solve(at, 30).diverged_at is None
    assert lm.solve(beyond, 30).diverged_at is not None


# ---- schedules


def test_schedules_have_the_shapes_that_they_are_called_by() -> None:
    assert lm.schedule("constant", 3, peak=0.2) == (0.2, 0.2, 0.2)
    linear = np.array(lm.schedule("linear", 10, peak=0.5, end=0.1))
    assert math.isclose(linear[0], 0.5)
    assert np.allclose(np.diff(linear), -0.5 * 0.9 / 10)
    cosine = np.array(lm.schedule("cosine", 100))
    assert cosine[0] == 1
    assert math.isclose(cosine[50], 0.5)
    assert 0 < cosine[-1] < 1e-3
    warm = np.array(lm.schedule("constant", 20, warmup=4))
    assert np.allclose(warm[:5], [0.25, 0.5, 0.75, 1, 1])
    assert lm.schedule("constant", 20, warmup=0.2) == tuple(warm)
    both = np.array(lm.schedule("cosine", 20, warmup=4))
    assert both.argmax() == 3
    assert (np.diff(both[3:]) < 0).all()
    assert lm.SGD(lr=lm.schedule("cosine", 20)).lr == lm.schedule("cosine", 20)
    assert lm.schedule("constant", 3, warmup=3) == (1 / 3, 2 / 3, 1.0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("step", 10), "name must be 'constant', 'linear' or 'cosine'"),
        (("linear", 0), "steps must be at least 1"),
        (("linear", 10, {"peak": 0}), "peak must be a positive finite number"),
        (("linear", 10, {"end": 2}), "end must be a fraction of the peak"),
        (("linear", 10, {"warmup": 11}), r"warmup must be a fraction .* up to steps \(10\)"),
        (("linear", 10, {"warmup": 1.5}), "warmup must be a fraction"),
        (("linear", 10, {"warmup": -1}), "warmup must be a fraction"),
    ],
)
def test_bad_schedules_are_refused(arguments: Any, message: str) -> None:
    name, steps, *rest = arguments
    with pytest.raises(ValueError, match=message):
        lm.schedule(name, steps, **(rest[0] if rest else {}))


# ---- the search alone, on losses that are made up


class MadeUp(Goal):
    """Losses that are functions of log lr: a run is its learning rate."""

    loss: Any = None
    start = math.nan

    def untrained(self, run: Any) -> float:
        return self.start

    def value(self, run: Any) -> float:
        return float(type(self).loss(math.log(run)))


def search(loss: Any, start: float, most: int = 25, untrained: float = math.nan) -> Any:
    made_up = {"loss": staticmethod(loss), "start": untrained}
    goal = type("Goal", (MadeUp,), made_up)("test_loss", 0.01, most)
    steps = optimum(Rates(BASE.replace(**{"optimizer.lr": math.exp(start)}), 10), goal)
    asked: Any = next(steps)
    while True:
        try:
            asked = steps.send(asked)
        except StopIteration as end:
            return end.value


def valleys(a: float, p: int, s: float, b: float, q: int, t: float, d: float, cliff: float) -> Any:
    """Two of them; past the cliff everything diverges."""

    def loss(x: float) -> float:
        found = min(s * abs(x - a) ** p, t * abs(x - b) ** q + d)
        return math.inf if x > cliff else min(found, 500.0)

    return loss


@pytest.mark.parametrize(
    ("loss", "start", "best", "most"),
    [
        (lambda x: (x - 0.37) ** 2, 0, 0.37, 16),
        (lambda x: abs(x - 0.37), 0, 0.37, 19),
        (lambda x: -x if x < 0.9 else math.inf, 0, 0.9, 22),
        (lambda x: math.inf if x > -6 else (x + 9.3) ** 2, 0, -9.3, 17),
        # a deep valley between rates that were tried on the way
        (valleys(0.0614, 4, 1.01, -0.405, 1, 47.9, -0.255, 0.9), 0, -0.405, 25),
        # of two valleys the one that seemed less deep
        (valleys(0.327, 1, 2.39, -0.5746, 1, 6.78, -0.00857, 0.9), 0, -0.5746, 25),
        (valleys(0.4755, 2, 2.77, -0.4995, 4, 33.6, 0.0238, 0.846), 3, 0.4755, 25),
        # a flat valley with a cliff, where parabolas alone go astray
        (valleys(-0.07325, 4, 1.2375, 0.0101, 2, 44.5, 0.167, 0.1251), -5, -0.07325, 25),
        (valleys(-0.5825, 1, 0.717, 0.3067, 4, 18.84, -0.1503, -0.4989), -5, -0.5825, 25),
        # far too high a start: strides that have grown went past it
        (valleys(0.56307, 4, 0.42962, 0.14028, 4, 51.356, 0.28008, 0.67456), 10, 0.56307, 22),
    ],
)
def test_the_search_on_made_up_losses(loss: Any, start: float, best: float, most: int) -> None:
    found = search(loss, start)
    assert abs(math.log(found.lr) - best) < 0.01
    assert found.solves <= most


def test_valleys_that_are_no_rivals_cost_nothing() -> None:
    """Valleys whose loss is more than twice the smallest."""
    seen = {-0.2: 0.5, 0.0: 0.0, 0.2: 0.9, 0.4: 0.7, 0.6: 2.0}
    assert next_valley(seen, []) == (-0.2, 0.0, 0.2)
    assert next_valley(seen, [0.01]) is None, "e^0.7 > 2"
    assert next_valley({**seen, 0.4: 0.6}, [0.01]) == (0.2, 0.4, 0.6)
    assert next_valley({**seen, 0.4: 0.6}, [0.01, 0.41]) is None


@pytest.mark.parametrize("start", [-15.0, -2.0, 0.0, 2.0, 15.0])
def test_valleys_decades_apart_are_all_seen(start: float) -> None:
    """The best time to stop, far below the edge, a peak above the start, and a higher valley."""

    def loss(x: float) -> float:
        early = min(2 * abs(x + 6), 3.0 if x < -6 else math.inf)
        return math.inf if x > 0.5 else min(early, 0.4 + 2 * abs(x))

    found = search(loss, start, 40, untrained=3.0)
    assert abs(math.log(found.lr) + 6) < 0.01
    assert len(found.valleys) == 2
    assert abs(math.log(found.valleys[1])) < 0.05


def test_the_bracket_encloses_flat_minima() -> None:
    """Losses that are equal up to rounding do not bound the place of the minimum."""

    def loss(x: float) -> float:
        rounding = 1e-12 * math.sin(1e4 * x)
        return math.inf if x > 2 else max(abs(x - 0.45), 0.3) + rounding

    found = search(loss, 0.0)
    assert math.log(found.lower) < 0.15
    assert math.log(found.upper) > 0.75


def test_runs_that_cannot_be_followed_count_as_diverged() -> None:
    assert Goal("test_loss", 0.01, 25).value(lm.NotConverged("too wild")) == math.inf


def test_the_edge_is_a_rate_that_runs_stably() -> None:
    edge = lm.largest_stable_lr(BASE, 30)
    assert edge.lr == edge.lower < edge.upper
    assert lm.solve(BASE.replace(**{"optimizer.lr": edge.lr}), 30).diverged_at is None


def test_parts_of_steps_are_rounded_in_warm_ups() -> None:
    assert lm.schedule("constant", 19, warmup=0.1)[:3] == (0.5, 1.0, 1.0)


@pytest.mark.parametrize("search", [lm.optimal_lr, lm.largest_stable_lr])
def test_errors_do_not_name_problems_that_only_the_search_knows(search: Any) -> None:
    given = lm.Problem(lm.MLP(), lm.Epochs(alpha=2.0, batches=4), lm.SGD(lr=0.1))
    with pytest.raises(ValueError, match=r"^data\.kind 'epochs' cannot be combined with grid"):
        search(given, 20, grid="adaptive")
    fine = lm.Problem(lm.MLP(), lm.Population(), lm.SGD(lr=0.1))
    several = {lm.optimal_lr: lm.optimal_lrs, lm.largest_stable_lr: lm.largest_stable_lrs}[search]
    with pytest.raises(ValueError, match=r"^problems\[1\]: data\.kind 'epochs' cannot be"):
        several([fine, given], 20, grid="adaptive")
    with pytest.raises(ValueError, match=r"^muP, network\.width = 1: data\.kind 'epochs' cannot"):
        lm.transfer(given, "network.width", [1, 2], 20, grid="adaptive")


def test_an_edge_that_is_not_there_is_that_of_a_named_problem() -> None:
    still = BASE.replace({"optimizer.layer_lr": [0.0] * (BASE.network.depth + 1)})
    with pytest.raises(ValueError, match=r"^optimizer\.lr must have a stable rate"):
        lm.largest_stable_lr(still, 5)
    with pytest.raises(ValueError, match=r"^problems\[1\]: optimizer\.lr must have a stable rate"):
        lm.largest_stable_lrs([BASE, still], 5)
