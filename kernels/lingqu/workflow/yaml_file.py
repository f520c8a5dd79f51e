"""A YAML file with the place of every key and value."""

from dataclasses import dataclass, field
from pathlib import Path

import yaml

from lingqu.workflow.faults import Fault

Keys = tuple[str | int, ...]


@dataclass
class YamlFile:
    """Parsed data; places: path of keys -> (line, column) of the key (or list item).

    whole is False where the file could not be read as YAML.
    """

    file: str
    whole: bool = True
    data: object = None
    places: dict[Keys, tuple[int, int]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def fault(self, keys: Keys, message: str) -> Fault:
        """A fault at `keys`, or at the nearest enclosing key that the file holds."""
        while keys and keys not in self.places:
            keys = keys[:-1]
        return Fault(self.file, *self.places.get(keys, (1, 1)), message)


def read_yaml(path: str | Path, folder: Path) -> YamlFile:
    """Read a file; syntax errors and doubled keys become its faults.

    It is named relative to `folder` where it lies below it.
    """
    path = folder / path
    result = YamlFile(str(path.relative_to(folder) if path.is_relative_to(folder) else path))
    try:
        _parse(result, path.read_text(encoding="utf-8"))
    except OSError as error:
        _broken(result, (1, 1), f"cannot be read ({error.strerror})")
    except UnicodeDecodeError:
        _broken(result, (1, 1), "is no UTF-8 text; save it as UTF-8")
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        problem = getattr(error, "problem", None) or "no YAML"
        _broken(result, place, f"{problem}; mend the YAML here or just above")
    return result


def _broken(result: YamlFile, place: tuple[int, int], message: str) -> None:
    result.whole = False
    result.faults.append(Fault(result.file, *place, message))


def _parse(result: YamlFile, text: str) -> None:
    loader = yaml.SafeLoader(text)
    try:
        node = loader.get_single_node()
        if node is not None:
            _note(result, node, ())
            result.data = loader.construct_document(node)
    finally:
        loader.dispose()


def _note(result: YamlFile, node: yaml.Node, keys: Keys) -> None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            inner = (*keys, key.value)
            place = (key.start_mark.line + 1, key.start_mark.column + 1)
            if inner in result.places:
                message = f"key {key.value!r} twice; keep one"
                result.faults.append(Fault(result.file, *place, message))
            result.places[inner] = place
            _note(result, value, inner)
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            inner = (*keys, number)
            result.places[inner] = (value.start_mark.line + 1, value.start_mark.column + 1)
            _note(result, value, inner)
