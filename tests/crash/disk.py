"""A disk that loses power: what a file system promises to keep, and nothing more.

Bytes are safe once their file is synced, names once their folder is. What was not synced may be there or not,
in any combination, and a write may be torn at any sector. Names change in order, as journals keep them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, assert_never

from tests.crash.trace import Acknowledged, Cut, Opened, Removed, Renamed, Synced, Written

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping

    from tests.crash.trace import Act

Names = dict[str, "File"]
SECTORS = (512, 4096)


@dataclass(eq=False, slots=True)
class File:
    """Bytes that are safe, what was done to them since, and how long the program thinks the file is."""

    safe: bytearray = field(default_factory=bytearray)
    unsafe: list[Written | Cut] = field(default_factory=list)
    size: int = 0

    def do(self, act: Written | Cut) -> None:
        self.unsafe.append(act)
        match act:
            case Written():
                assert act.offset is not None
                self.size = max(self.size, act.offset + len(act.data))
            case Cut():
                self.size = act.size

    def sync(self) -> None:
        for act in self.unsafe:
            _apply(self.safe, act)
        self.unsafe.clear()

    def after_a_crash(self, rng: random.Random) -> bytes:
        """Return what may be found: everything safe, and some of the rest."""
        if not self.unsafe:
            return bytes(self.safe)
        found = bytearray(self.safe)
        for act in _some(self.unsafe, rng):
            if isinstance(act, Written) and rng.random() < 0.3:
                _apply_torn(found, act, rng)
            else:
                _apply(found, act)
        return bytes(found)


def _some(acts: list[Written | Cut], rng: random.Random) -> list[Written | Cut]:
    """Return none, all, the first few, or any of some acts."""
    match rng.randrange(4):
        case 0:
            return []
        case 1:
            return acts
        case 2:
            return acts[: rng.randint(0, len(acts))]
        case _:
            kept = rng.random()
            return [act for act in acts if rng.random() < kept]


def _apply(content: bytearray, act: Written | Cut) -> None:
    match act:
        case Written(_, offset, data):
            assert offset is not None
            if len(content) < offset:
                content.extend(bytes(offset - len(content)))
            content[offset : offset + len(data)] = data
        case Cut(_, size):
            del content[size:]
            content.extend(bytes(size - len(content)))
        case _:
            assert_never(act)


def _apply_torn(content: bytearray, act: Written, rng: random.Random) -> None:
    """Let only some sectors of a write arrive."""
    assert act.offset is not None
    sector, begin, end = rng.choice(SECTORS), act.offset, act.offset + len(act.data)
    edges = [begin, *range((begin // sector + 1) * sector, end, sector), end]
    for left, right in pairwise(edges):
        if rng.random() < 0.5:
            _apply(content, Written(act.path, left, act.data[left - begin : right - begin]))


class Disk:
    """The files of a folder while a program works on them."""

    def __init__(self, before: Mapping[str, bytes] | None = None) -> None:
        """Begin with files that were safe long before, by path."""
        self._live: Names = {
            path: File(bytearray(content), size=len(content)) for path, content in (before or {}).items()
        }
        self._safe: Names = dict(self._live)
        self._unsafe: list[Opened | Renamed | Removed] = []
        self._made: dict[int, File] = {}
        self.acknowledged = -1

    def do(self, act: Act) -> None:
        """Let the program do something."""
        match act:
            case Acknowledged():
                self.acknowledged = act.number
            case Opened():
                self._open(act)
            case Written() | Cut():
                file = self._live.get(act.path)
                if file is not None:  # else its name was removed: nobody will find it
                    file.do(act if isinstance(act, Cut) else _placed(act, file))
            case Synced():
                self._sync(act.path)
            case Renamed() | Removed():
                self._change(self._live, act)
                self._unsafe.append(act)
            case _:
                assert_never(act)

    def _open(self, act: Opened) -> None:
        if act.path not in self._live and act.makes:
            self._made[id(act)] = File()
            self._change(self._live, act)
            self._unsafe.append(act)
        elif act.empties and act.path in self._live:
            self._live[act.path].do(Cut(act.path, 0))

    def _sync(self, path: str) -> None:
        file = self._live.get(path)
        if file is not None:
            file.sync()
            return
        for act in self._unsafe:  # a folder; there is only one
            self._change(self._safe, act)
        self._unsafe.clear()

    def _change(self, names: Names, act: Opened | Renamed | Removed) -> None:
        match act:
            case Opened():
                names[act.path] = self._made[id(act)]
            case Renamed():
                names[act.new] = names.pop(act.old)
            case Removed():
                names.pop(act.path, None)
            case _:
                assert_never(act)

    def after_a_crash(self, rng: random.Random) -> Mapping[str, bytes]:
        """Return what may be found by the next start, by path."""
        names = dict(self._safe)
        for act in self._unsafe[: rng.randint(0, len(self._unsafe))]:
            self._change(names, act)
        return {path: file.after_a_crash(rng) for path, file in names.items()}


def _placed(act: Written, file: File) -> Written:
    return act if act.offset is not None else Written(act.path, file.size, act.data)
