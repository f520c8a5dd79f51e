"""Where the files beside the package are: in the wheel, or in the checkout it runs from."""

from pathlib import Path

from lingqu.base.errors import LingquError

_PLACES = {
    "workflows": "workflows",
    "config": "config",
    "envs": "envs",
    "demo": "tests/data/demo",
}

_PACKAGE = Path(__file__).resolve().parent.parent
_ROOTS = (_PACKAGE / "_house", _PACKAGE.parent.parent)


def house(name: str) -> Path:
    """The folder "workflows", "config", "envs" or "demo" (the demo's reads, reference and truth).

    Both homes have the same layout, so that relative paths between these folders hold in both.
    LingquError where the installation lacks the folder.
    """
    for root in _ROOTS:
        folder = root / _PLACES[name]
        if folder.is_dir():
            return folder
    raise LingquError(f"{_ROOTS[0]}: no {_PLACES[name]} in this installation; reinstall lingqu")
