"""The command ``lindmft figure``."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import lindmft as lm
from lindmft.cli.commands import commands

FAST = ("--quick", "--set", "steps=8", "--set", "dim=24", "--set", "seeds=4")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(commands, ["figure", *map(str, arguments)])


def refusal(*arguments: object) -> str:
    result = run(*arguments)
    assert result.exit_code == 2, result.output
    (line,) = result.stderr.strip().splitlines()
    return line


def test_a_figure_is_written_and_its_agreement_printed(tmp_path: Path) -> None:
    result = run("ensembling", *FAST, "--output", tmp_path / "new")
    assert result.exit_code == 0, result.output
    assert {path.name for path in (tmp_path / "new").iterdir()} == {
        "figure_ensembling.png",
        "figure_ensembling.svg",
        "figure_ensembling.csv",
    }
    assert "ensembling: Ensembling over initializations" in result.output
    assert "ensembling-a      24         4      32" in result.output


def test_one_panel_has_files_of_its_own(tmp_path: Path) -> None:
    result = run("2b", *FAST, "--set", "mup_widths=0.5,1", "--output", tmp_path)
    assert result.exit_code == 0, result.output
    assert (tmp_path / "figure_2b.svg").is_file()


@pytest.mark.long
def test_all_writes_every_figure_and_the_agreement(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lm.figures, "NAMES", ("ensembling", "variances"))
    sizes = {"steps": 8, "dim": 24, "seeds": 4}
    kept = {name: lm.figures.get(name).quick for name in lm.figures.NAMES}
    try:
        for name in lm.figures.NAMES:
            figure = lm.figures.get(name)
            object.__setattr__(figure, "quick", figure.changed(True, sizes))
        result = run("all", "--quick", "--output", tmp_path)
    finally:
        for name, quick in kept.items():
            object.__setattr__(lm.figures.get(name), "quick", quick)
    assert result.exit_code == 0, result.output
    text = (tmp_path / "agreement.txt").read_text(encoding="utf-8")
    for name in lm.figures.NAMES:
        assert f"\n{name}-b" in text
        assert (tmp_path / f"figure_{name}.png").is_file()
    assert "2 figures in" in result.output


def test_the_list_names_all_and_shows_parameters() -> None:
    everything = run("--list").output
    assert [line.split()[0] for line in everything.splitlines()] == list(lm.figures.NAMES)
    one = run("8", "--list").output
    assert "Chosen: Depths 1 to 3" in one
    assert "    precision           0.01" in one


def test_a_file_that_is_there_is_kept(tmp_path: Path) -> None:
    kept = tmp_path / "figure_2.svg"
    kept.write_text("mine")
    assert refusal("2", "--quick", "--output", tmp_path).endswith(
        "figure_2.svg exists; --force replaces it"
    )
    assert kept.read_text() == "mine"
    assert list(tmp_path.iterdir()) == [kept]
    arguments = ("ensembling", *FAST, "--output", tmp_path)
    assert run(*arguments).exit_code == 0
    assert run(*arguments).exit_code == 2
    assert run(*arguments, "--force").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "Error: NAME must be a figure (1, 2, 3"),
        (("17",), "Error: the figure must be '1', '2'"),
        (("2z",), "Error: the figure must be '1', '2'"),
        (("1", "2", "--set", "dim=3"), "Error: --set cannot be combined with several figures"),
        (("2", "--set", "dim"), "Error: --set must be PARAMETER=VALUE"),
        (("2", "--set", "dim=__import__('os')"), "Error: --set must be PARAMETER=VALUE"),
        (("2", "--set", "width=3"), "Error: the parameter of figure 2 must be 'ntk_widths'"),
        (("2", "--set", "dim=2.5"), "Error: dim of figure 2 must be a whole number, got 2.5"),
        (
            ("2", "--output", "/no/where"),
            "Error: /no/where must be in a folder that exists",
        ),
    ],
)
def test_refusals(arguments: tuple[str, ...], message: str) -> None:
    assert refusal(*arguments).startswith(message)


def test_a_refused_value_leaves_no_folder(tmp_path: Path) -> None:
    output = tmp_path / "new"
    assert "network.width" in refusal("2b", "--quick", "--set", "mup_widths=-1", "--output", output)
    assert not output.exists()
