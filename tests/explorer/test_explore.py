"""``explore``: the settings of a problem as a link, the page as a file and in a notebook."""

import html
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
import pytest
from click.testing import CliRunner

import lindmft as lm
from lindmft.cli.commands import commands
from lindmft.explorer.page import MARK, _page

BASE = lm.Problem(lm.MLP(depth=2), lm.FullBatch(alpha=2.0, noise=0.3), lm.SGD(lr=0.1))


def settings(problem: lm.Problem, steps: int = 100) -> dict[str, str]:
    return dict(pair.split("=", 1) for pair in lm.explore(problem, steps).settings.split("&"))


def test_settings_are_those_of_the_problem() -> None:
    problem = lm.Problem(
        lm.ResNet(depth=4, width=0.5, gamma0=2.0),
        lm.Epochs(alpha=3.0, batches=4, noise=0.1),
        lm.SGD(lr=0.02, momentum=0.5, weight_decay=0.1),
    )
    expected = (
        "v=1&T=60&net=resnet&L=4&nu=0.5&g=2.0&D=200&p=mup&d=epochs&s=0.1&a=3.0&b=0.25"
        "&m=0.5&wd=0.1&lr=0.02"
    )
    assert lm.explore(problem, 60).settings == expected


def test_a_pytorch_loop_keeps_its_parameterization() -> None:
    loop = lm.from_pytorch(inputs=300, hidden=600, depth=2, samples=900, lr=0.05)
    found = settings(loop)
    assert (found["p"], found["nu"], found["a"], found["lr"]) == ("pytorch", "2.0", "3.0", "0.1")
    square = lm.from_pytorch(inputs=300, hidden=300, samples=900, lr=0.05)
    assert settings(square)["p"] == "pytorch"


def test_ntk_has_the_richness_at_its_width() -> None:
    found = settings(BASE.replace({"network.parameterization": "ntk", "network.width": 4.0}))
    assert (found["p"], float(found["g"])) == ("ntk", 0.5)


def test_schedules_and_spectra_are_lists() -> None:
    rates = lm.schedule("cosine", 50, peak=0.2, warmup=5)
    modes = lm.Discrete([2.0, 0.5], target_power=[1.0, 3.0], weights=[0.25, 0.75])
    problem = BASE.replace({"optimizer.lr": rates, "data.spectrum": modes})
    found = settings(problem, 50)
    kind, *factors = found["sch"].split(",")
    assert kind == "drawn"
    assert np.asarray(factors, float) * float(found["lr"]) == pytest.approx(rates, abs=1e-15)
    kind, name, *numbers = found["spec"].split(",")
    assert (kind, unquote(name)) == ("own", "modes of the problem")
    assert list(map(float, numbers)) == [2.0, 0.5, 1.0, 3.0, 0.25, 0.75]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"network.centered": True}, "network.centered"),
        ({"network.width": [1.0, 2.0]}, "network.width"),
        ({"network.init_scale": 0.5}, "network.init_scale"),
        ({"optimizer.nesterov": True, "optimizer.momentum": 0.9}, "optimizer.nesterov"),
        ({"optimizer.layer_lr": [1.0, 2.0, 1.0]}, "optimizer.layer_lr"),
        ({"data": lm.MultiPass(alpha=2.0, batch_fraction=0.5)}, "data.kind"),
        ({"data": lm.FullBatch(alpha=2.0, targets=[1.0, 2.0])}, "data.targets"),
        ({"data": lm.OnePass(alpha=[1.0] * 100)}, None),
        ({"data": lm.OnePass(alpha=[1.0] * 99 + [2.0])}, "data.alpha"),
        ({"network": lm.ResNet(depth=2, branch=0.5)}, "network.branch"),
    ],
)
def test_what_has_no_control_is_refused(changes: dict[str, Any], field: str | None) -> None:
    problem = BASE.replace(changes)
    if field is None:
        lm.explore(problem)
        return
    with pytest.raises(lm.BadInput, match="the page of the explorer") as refused:
        lm.explore(problem)
    assert refused.value.field == field


def test_counts_are_refused() -> None:
    modes = lm.Discrete([1.0, 0.5], target_power=[1.0, 1.0], trace_class=True)
    problem = lm.Problem(lm.MLP(hidden=64), lm.FullBatch(samples=99, spectrum=modes), lm.SGD(0.1))
    with pytest.raises(lm.BadInput, match=r"^data\.spectrum cannot be combined"):
        lm.explore(problem)


@pytest.mark.parametrize(("name", "value"), [("steps", 0), ("steps", 1.5), ("height", 20)])
def test_bad_arguments(name: str, value: float) -> None:
    with pytest.raises(lm.BadInput, match=f"^{name} must be"):
        lm.explore(BASE, **{name: value})


def test_the_page_has_the_settings_once(tmp_path: Path) -> None:
    page = lm.explore(BASE, 30)
    assert _page().count(MARK) == 1
    page.save(tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    (content,) = re.findall(r'<meta name="settings" content="(.*?)">', text)
    assert html.unescape(content) == page.settings
    assert len(text) > 300_000  # the compiled core is in the page


def test_a_notebook_shows_the_same_page() -> None:
    page = lm.explore(BASE, height=500)
    (source,) = re.findall(r'srcdoc="([^"]*)"', page._repr_html_())
    assert html.unescape(source) == page.html()
    assert "height: 500px" in page._repr_html_()


def test_the_command_writes_the_page_of_a_file(tmp_path: Path) -> None:
    BASE.to_toml(tmp_path / "problem.toml")
    words = ["explore", str(tmp_path / "problem.toml"), "--steps", "70"]
    out = [*words, "--output", str(tmp_path / "page.html")]
    assert CliRunner().invoke(commands, out).exit_code == 0
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert html.escape(lm.explore(BASE, 70).settings) in text
    again = CliRunner().invoke(commands, out)
    assert again.exit_code == 2
    assert "--force" in again.stderr


def test_the_command_opens_the_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    result = CliRunner().invoke(commands, ["explore"])
    assert result.exit_code == 0
    (address,) = opened
    path = Path(address.removeprefix("file://"))
    assert str(path) in result.output
    assert path.read_text(encoding="utf-8").startswith("<!doctype html>")
