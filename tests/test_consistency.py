"""The house rules that a machine can check.

Authors
 * The speechbrain_jasco developers, 2026
"""

import ast
import csv
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted(
    path
    for folder in ("speechbrain_jasco", "recipes", "benchmarks")
    for path in (ROOT / folder).rglob("*.py")
)
HPARAMS = ROOT / "recipes" / "WhatAreTheyDoing" / "hparams"
YAMLS = sorted((ROOT / "hparams").glob("*.yaml"))
FILE_LINES, FUNCTION_LINES, ARGUMENTS = 400, 60, 7


def names(paths):
    return [path.relative_to(ROOT).as_posix() for path in paths]


@pytest.mark.parametrize("path", SOURCES, ids=names(SOURCES))
def test_docstrings_and_budgets(path):
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    assert len(text.splitlines()) <= FILE_LINES
    docstring = ast.get_docstring(tree)
    assert docstring and "Authors" in docstring
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef | ast.ClassDef):
            continue
        where = f"{path.name}:{node.lineno} {node.name}"
        if not node.name.startswith("_"):
            nested = any(
                node in ast.walk(outer) and node is not outer
                for outer in ast.walk(tree)
                if isinstance(outer, ast.FunctionDef)
            )
            assert ast.get_docstring(node) or nested, f"{where}: no docstring"
        if isinstance(node, ast.FunctionDef):
            code = node.body[1:] if ast.get_docstring(node) else node.body
            if code:
                length = node.end_lineno - code[0].lineno + 1
                assert length <= FUNCTION_LINES, f"{where}: {length} lines"
            arguments = [a.arg for a in node.args.args if a.arg != "self"]
            assert len(arguments) <= ARGUMENTS, f"{where}: {arguments}"


LOBES = sorted((ROOT / "speechbrain_jasco" / "lobes").rglob("*.py"))


@pytest.mark.parametrize("path", LOBES, ids=names(LOBES))
def test_lobes_import_torch_and_speechbrain_only(path):
    allowed = {"torch", "torchaudio", "speechbrain", "speechbrain_jasco"}
    standard = {"math", "typing", "functools", "dataclasses", "collections"}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            modules = [node.module]
        else:
            continue
        for module in modules:
            assert module.split(".")[0] in allowed | standard, module
            if module.startswith("speechbrain_jasco"):
                assert module.startswith("speechbrain_jasco.lobes"), module


def test_the_recipe_finds_its_hparams():
    assert HPARAMS.is_symlink()
    assert not Path(HPARAMS.readlink()).is_absolute()
    assert HPARAMS.resolve() == ROOT / "hparams"


@pytest.mark.parametrize("path", YAMLS, ids=names(YAMLS))
def test_includes_go_one_level_deep(path):
    for name in re.findall(r"!include:([\w./]+)", path.read_text("utf-8")):
        included = (path.parent / name).read_text(encoding="utf-8")
        assert "!include:" not in included, name


def test_every_yaml_is_in_the_recipe_table_and_its_files_exist():
    table = ROOT / "tests" / "recipes" / "WhatAreTheyDoing.csv"
    with table.open(encoding="utf-8") as fin:
        rows = list(csv.DictReader(fin))
    listed = {Path(row["Hparam_file"]).name for row in rows}
    assert listed == {path.name for path in YAMLS}
    for row in rows:
        for column in ("Script_file", "Hparam_file", "Data_prep_file"):
            assert (ROOT / row[column]).is_file(), row[column]
        assert (ROOT / row["Readme_file"]).is_file()
        for flag in re.findall(
            r"=(tests/samples/\S+)", row["test_debug_flags"]
        ):
            assert (ROOT / flag).exists(), flag


PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])


@pytest.mark.parametrize("page", PAGES, ids=names(PAGES))
def test_local_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)", page.read_text("utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), target
