"""What tests with a window share: the stage that QtWebEngine wants before the application is made."""

from __future__ import annotations

import gc
import os
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from obdesk.gui.garbage import collect_due
from obdesk.gui.linking.engine import prepare
from tests.gui.theme_fixtures import shown, theme
from tests.gui.transactions_desk import desk, filled

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["desk", "filled", "shown", "theme"]

QCoreApplication.setAttribute(Qt.ApplicationAttribute.AA_ShareOpenGLContexts)
# The engine reads its switches once per process, so all tests share those of the demo.
_IS_ROOT = os.name == "posix" and os.geteuid() == 0
prepare(os.environ, local=True, is_root=_IS_ROOT, root_demo=True)


@pytest.fixture(autouse=True, scope="module")
def _nothing_left() -> Iterator[None]:
    """Leave no Qt object as garbage: the next tests' threads would end it, far from where Qt looks for it.

    What other tests left before is not looked through each time; it takes a second when it is much.
    """
    gc.freeze()
    yield
    gc.collect()
    gc.unfreeze()
    gc.enable()


@pytest.fixture(autouse=True)
def _keys_let_go() -> Iterator[None]:
    """Let go of the keys that a test held down, which Qt would remember for the next one."""
    yield
    if isinstance(QCoreApplication.instance(), QApplication):
        QTest.keyRelease(QWidget(), Qt.Key.Key_Control)
        assert QApplication.keyboardModifiers() == Qt.KeyboardModifier.NoModifier


@pytest.fixture(autouse=True)
def _collected_here() -> Iterator[None]:
    """Collect in this thread only, as the program does: a storage thread must not end Qt's objects."""
    gc.disable()
    yield
    gc.disable()  # a program that ran in the test gave collecting back
    collect_due()
