"""Entry points of installed packages: what can be used is, what is broken is told."""

import sys

import pytest

from lingqu.base.errors import LingquError
from lingqu.base.plugins import ALIGNERS, CALLERS, function, plugin, plugins

SOUND = "version = '2.1'\ndef align_reads(*arguments):\n    return 'aligned'\n"
NAMES = "class Both:\n    version = '3'\n    call_shard = print\n"


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Install a package: its module's text, and its entry points."""
    monkeypatch.syspath_prepend(tmp_path)

    def make(package, text, *entries):
        (tmp_path / f"{package}.py").write_text(text)
        info = tmp_path / f"{package}-1.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1\n")
        lines = [f"[{group}]\n{name} = {where}\n" for group, name, where in entries]
        (info / "entry_points.txt").write_text("".join(lines))

    function.cache_clear()
    yield make
    for path in tmp_path.glob("*.py"):
        sys.modules.pop(path.stem, None)


def test_a_module_or_an_object_may_be_named(install):
    install("sound", SOUND + NAMES, (ALIGNERS, "one", "sound"), (CALLERS, "two", "sound:Both"))
    (one,), (two,) = plugins(ALIGNERS), plugins(CALLERS)
    assert (one.name, one.package, one.version, one.fault) == ("one", "sound", "2.1", "")
    assert one.pin == "one==2.1"
    assert (two.kind, two.version, two.run) == ("caller", "3", print)
    assert function(ALIGNERS, "one")() == "aligned"
    assert function(ALIGNERS, "one==2.1")() == "aligned"


@pytest.mark.parametrize(
    ("text", "where", "fault"),
    [
        ("import no_such_module", "bad", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("raise SystemExit('out\\nof order')", "bad", "SystemExit: out of order"),
        ("1 / 0", "bad", "ZeroDivisionError: division by zero"),
        (SOUND, "bad:nothing", "AttributeError: module 'bad' has no attribute 'nothing'"),
        ("align_reads = print", "bad", "has no `version` (text, one word)"),
        ("version = 1\nalign_reads = print", "bad", "has no `version` (text, one word)"),
        ("version = '1'\nalign_reads = 3", "bad", "has no function `align_reads`"),
    ],
)
def test_what_is_broken_is_told_and_the_rest_goes_on(install, text, where, fault):
    install("bad", text, (ALIGNERS, "broken", where))
    install("sound", SOUND, (ALIGNERS, "sound", "sound"))
    broken, sound = plugins(ALIGNERS)
    assert (broken.name, broken.package, broken.fault) == ("broken", "bad", fault)
    assert sound.fault == ""
    with pytest.raises(LingquError, match=r"broken: the aligner of bad is broken \(.*mend or"):
        plugin(ALIGNERS, "broken")


def test_names_are_given_once(install):
    install("a", SOUND, (ALIGNERS, "same", "a"), (ALIGNERS, "lingqu", "a"))
    install("b", SOUND.replace("2.1", "9"), (ALIGNERS, "same", "b"))
    told = [(one.name, one.package, one.fault) for one in plugins(ALIGNERS)]
    assert told == [
        ("lingqu", "a", "the name is taken"),
        ("same", "a", ""),
        ("same", "b", "the name is taken"),
    ]
    assert plugin(ALIGNERS, "same").version == "2.1"


def test_another_version_is_refused(install):
    install("sound", SOUND, (ALIGNERS, "one", "sound"))
    with pytest.raises(LingquError, match="one==2.0: sound has version 2.1 of it here"):
        plugin(ALIGNERS, "one==2.0")
    with pytest.raises(LingquError, match="two: no such aligner; `lingqu kernels` lists"):
        plugin(ALIGNERS, "two")
