"""What a person can do with the selection: its commands with their keys, editing, copying."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction, QGuiApplication, QKeySequence
from PySide6.QtWidgets import QMenu

from obdesk.domain.texts import tr, trn
from obdesk.gui.transactions.present import copied

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from PySide6.QtCore import QPoint

    from obdesk.app.interface import Reads
    from obdesk.gui.changes import Spawn
    from obdesk.gui.shell.screen import Navigator
    from obdesk.gui.theme.theme import Theme
    from obdesk.gui.transactions.chosen import Chosen
    from obdesk.gui.transactions.edits import Edits
    from obdesk.gui.transactions.inspector import Inspector
    from obdesk.gui.transactions.model import TransactionsModel
    from obdesk.gui.transactions.table import TransactionsTable
    from obdesk.gui.transactions.view import TransactionsView

COPIED_MAX = 20_000


class Doing(QObject):
    """The screen's commands; single letters work only while the list has the keyboard."""

    def __init__(
        self,
        *,
        theme: Theme,
        view: TransactionsView,
        table: TransactionsTable,
        model: TransactionsModel,
        inspector: Inspector,
        chosen: Chosen,
        edits: Edits,
        reads: Reads,
        spawn: Spawn,
        navigator: Navigator,
    ) -> None:
        super().__init__(view)
        self._theme, self._view, self._table, self._model = theme, view, table, model
        self._inspector, self._chosen, self.edits = inspector, chosen, edits
        self._reads, self._spawn, self._navigator = reads, spawn, navigator
        self._make_actions()
        table.key_asked.connect(self._key)
        table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        table.customContextMenuRequested.connect(self._open_menu)
        inspector.note_given.connect(self._set_note)
        inspector.category_given.connect(self._set_category)
        inspector.left.connect(table.setFocus)
        inspector.closed.connect(self.toggle_inspector)
        edits.failed.connect(self._say_trouble)
        edits.told.connect(lambda said: inspector.show_trouble(said, tone="muted"))
        edits.changed.connect(self._renew)
        chosen.none.connect(self._renew)
        chosen.one.connect(self._renew)
        chosen.many.connect(self._renew)
        self._renew()

    def _make_actions(self) -> None:
        # A letter is shown beside its command; the list itself hears it, so that a text field can too.
        self._note = self._action(tr("Edit the note"), self.edit_note, hint="N", icon="note")
        self._category = self._action(tr("Set the category"), self.edit_category, hint="C", icon="tag")
        self._panel = self._action(
            tr("Show or hide the inspector"), self.toggle_inspector, hint=tr("Space"), icon="columns"
        )
        self._copy = self._action(
            tr("Copy the amount"), lambda: self.copy(for_machines=False), "Ctrl+C", icon="copy"
        )
        self._copy_plain = self._action(
            tr("Copy the amount for machines"), lambda: self.copy(for_machines=True), "Ctrl+Shift+C"
        )
        self._all = self._action(tr("Select all"), self._table.selectAll, "Ctrl+A")
        self._undo = self._action(tr("Undo the last edit"), self.edits.undo, "Ctrl+Z")
        self._redo = self._action(tr("Redo the last edit"), self.edits.redo, "Ctrl+Shift+Z", "Ctrl+Y")

    def _action(
        self, text: str, act: Callable[[], object], *keys: str, hint: str = "", icon: str = ""
    ) -> QAction:
        action = QAction(f"{text}\t{hint}" if hint else text, self)
        action.setShortcuts([QKeySequence(key) for key in keys])
        action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        if icon:
            action.setIcon(self._theme.icon(icon))
            action.setIconVisibleInMenu(False)
        action.triggered.connect(lambda _checked=False: act())
        self._table.addAction(action)
        return action

    def actions(self) -> Sequence[QAction]:
        """Return the commands for the palette and the menus."""
        return (
            self._note, self._category, self._panel, self._copy, self._copy_plain, self._all,
            self._undo, self._redo,
        )  # fmt: skip

    def _renew(self) -> None:
        some = self._table.selectionModel().hasSelection()
        for action in (self._note, self._category, self._copy, self._copy_plain):
            action.setEnabled(some)
        self._undo.setEnabled(self.edits.undoable)
        self._redo.setEnabled(self.edits.redoable)

    def _open_menu(self, place: QPoint) -> None:
        menu = QMenu(self._table)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addActions([self._note, self._category])
        menu.addSeparator()
        menu.addActions([self._copy, self._copy_plain])
        menu.addSeparator()
        menu.addActions([self._undo, self._redo, self._panel])
        menu.popup(self._table.viewport().mapToGlobal(place))

    def _key(self, asked: str) -> None:
        match asked:
            case "inspector":
                self.toggle_inspector()
            case "note":
                self.edit_note()
            case "category":
                self.edit_category()
            case _:
                self._escape()

    def _escape(self) -> None:
        if self._view.narrow and self._view.inspector_open:
            self.toggle_inspector()
        else:
            self._table.clearSelection()

    def toggle_inspector(self) -> None:
        """Show the inspector or put it away."""
        self._view.set_inspector_open(wanted=not self._view.inspector_open)
        self._table.setFocus()

    def edit_note(self) -> None:
        """Begin to write a note on the selected transaction."""
        if self._table.selectionModel().hasSelection():
            self._view.set_inspector_open(wanted=True)
            self._inspector.edit_note(self._chosen.now())

    def edit_category(self) -> None:
        """Begin to choose a category for what is selected."""
        if self._table.selectionModel().hasSelection():
            self._view.set_inspector_open(wanted=True)
            self._inspector.edit_category(self._chosen.now())

    def _set_note(self, ids: Sequence[int], note: str) -> None:
        if len(ids) == 1:
            self.edits.set_note(ids[0], note)

    def _set_category(self, ids: Sequence[int], category: str) -> None:
        if ids:
            self.edits.set_category(ids, category)

    def _say_trouble(self, sentence: str) -> None:
        if self._view.inspector_open:
            self._inspector.show_trouble(sentence)
        else:
            self._navigator.toast(sentence)

    def copy(self, *, for_machines: bool) -> None:
        """Put the selected amounts on the clipboard, one a line."""
        if len(self._chosen.ids) > COPIED_MAX:
            self._navigator.toast(tr("Choose at most {n} transactions to copy their amounts.", n=COPIED_MAX))
        elif self._chosen.ids:
            self._spawn("transactions: copy", self._copied(for_machines=for_machines))

    async def _copied(self, *, for_machines: bool) -> None:
        presenter = self._model.presenter
        lines = [presenter.line(row) for row in await self._reads.transaction_rows(self._chosen.ids)]
        QGuiApplication.clipboard().setText(copied(lines, presenter.locale, for_machines=for_machines))
        self._navigator.toast(trn("{n} amount copied", "{n} amounts copied", len(lines)))
