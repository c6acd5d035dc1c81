"""Yaml of others: how large it is and becomes is looked at first, and what is wrong with it is said with its name."""

from collections.abc import Callable
from pathlib import Path

import pytest

from recexp import yaml_files
from recexp.errors import ConfigError

LAUGHS = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9)
)
MERGED = "m0: &m0 {a: 1, b: 2}\n" + "".join(
    f"m{n}: &m{n} {{x: {{<<: *m{n - 1}}}, y: {{<<: *m{n - 1}}}}}\n" for n in range(1, 30)
)
WRONG = {
    "aliases": (LAUGHS, "has more than 100,000 nodes; RECEXP_LIMITS=yaml_nodes=N sets another limit"),
    "merged": (MERGED, "has more than 100,000 nodes"),
    "items": ("[" + "1," * 100_001 + "]", "has more than 100,000 nodes"),
    "levels": ("[" * 101 + "]" * 101, "is nested more than 100 levels deep; RECEXP_LIMITS=yaml_levels=N"),
    "itself": ("a: &a [1, *a]", "*a refers to a node that contains it"),
    "size": ("# " + "x" * (1 << 20), "is larger than 1024 KiB; RECEXP_LIMITS=yaml_kib=N sets another limit"),
    "letters": (b"# caf\xe9\n", "is not UTF-8 text (invalid continuation byte at byte 5)"),
    "wide letters": ("a: 1\n".encode("utf-16"), "is not UTF-8 text (invalid start byte at byte 0)"),
    "control": (b"a: \x00\n", "is not valid yaml: "),
    "syntax": ("a: [1\n", "is not valid yaml: "),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_too_much_or_no_yaml_is_refused(tmp_path: Path, case: str) -> None:
    content, message = WRONG[case]
    path = tmp_path / "x.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ConfigError) as caught:
        yaml_files.read_text(path)
    assert str(caught.value).startswith(f"{path}: {message}") and "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "a: 1\n", "a: &a [1, 2]\nb: [*a, *a]\n", "a: &a 1\nb: *a\n", "{<<: {a: 1}}"])
def test_what_is_small_is_read(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.yaml").write_text(text)
    assert yaml_files.read_text(tmp_path / "x.yaml") == text


def test_limits_are_raised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "x.yaml").write_text(WRONG["levels"][0])
    monkeypatch.setenv("RECEXP_LIMITS", "yaml_levels=101, yaml_nodes=200")
    assert yaml_files.read_text(tmp_path / "x.yaml")


@pytest.mark.parametrize("case", ["aliases", "letters", "syntax", "levels"])
@pytest.mark.parametrize("group", ["algorithm", "metric", "runner"])
def test_a_broken_option_is_named_and_takes_no_other_with_it(
    inside: Callable, workplace: Path, group: str, case: str
) -> None:
    content, message = WRONG[case]
    path = workplace / "conf" / group / "broken.yaml"
    path.parent.mkdir(parents=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    word = "evaluation.metrics=[broken]" if group == "metric" else f"{group}=broken"
    done = inside("--config-dir", "conf", "dataset=electronics", word)
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and "broken.yaml: " + message in done.stderr
    done = inside("--config-dir", "conf", group, "--help")
    assert done.returncode == 0 and "broken" in done.stdout
    done = inside("--config-dir", "conf", "dataset=electronics", "algorithm.l22=1")
    assert "algorithm.l22: unknown" in done.stderr, "messages that list options"
