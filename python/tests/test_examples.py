"""The examples run, and the examples of the documentation give what they say."""

import ast
import doctest
import re
import subprocess
import sys

import pytest

import morphscape
from conftest import ROOT
from morphscape._options import DEFAULTS

EXAMPLES = sorted((ROOT / "python/examples").glob("*.py"))
NEEDS = {"forest_on_a_dataframe": ("sklearn", "pandas"), "torch_network": ("torch",)}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example(path, tmp_path):
    for needed in NEEDS.get(path.stem, ()):
        pytest.importorskip(needed)
    done = subprocess.run([sys.executable, str(path)], cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr


def test_the_packages_own_example():
    found = doctest.testmod(morphscape)
    assert found.failed == 0 and found.attempted >= 3


def test_the_page_runs(tmp_path, monkeypatch):
    """Every block of docs/python.md, one after the other; those of frameworks that are not here are left out."""
    page = (ROOT / "docs/python.md").read_text()
    blocks = re.findall(r"```python\n(.*?)```", page, re.S)
    assert len(blocks) >= 6
    monkeypatch.chdir(tmp_path)
    names = {}
    for block in blocks:
        needed = re.findall(r"^(?:import|from) (torch|sklearn|matplotlib|plotly|pandas)", block, re.M)
        for framework in needed:
            pytest.importorskip(framework) if framework != "torch" else None
        if "torch" in needed and not _has("torch"):
            continue
        exec(compile(block, "docs/python.md", "exec"), names)


def test_the_page_s_options_are_the_package_s():
    page = (ROOT / "docs/python.md").read_text().split("take the same options:\n\n")[1].split("\n\n")[0]
    found = {}
    for names, defaults in re.findall(r"^\| (`[^|]*) \| ([^|]*) \|", page, re.M):
        names = re.findall(r"`(\w+)`", names)
        values = ast.literal_eval(f"[{defaults.replace('`', '')}]")
        assert len(names) == len(values), names
        found.update(zip(names, values))
    # Points a side depend on the kind.
    assert found.pop("steps") == 21
    expected = {name: value for name, value in DEFAULTS.items() if name != "steps"}
    assert found == expected


def test_the_readme_s_example(capsys):
    text = (ROOT / "README.md").read_text().split("## In Python")[1].split("## ")[0]
    code = "\n".join(line[4:] for line in text.splitlines() if line.startswith("    ") and "pip install" not in line)
    exec(compile(code, "README.md", "exec"), {})
    assert capsys.readouterr().out.startswith("(21, 21, 10) ")


def _has(name):
    try:
        __import__(name)
    except ImportError:
        return False
    return True
