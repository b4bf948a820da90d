"""Exporting to CSV: what, where to, then progress with a way to cancel; the window stays usable."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QStandardPaths, Signal
from PySide6.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QProgressBar,
    QRadioButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from obdesk.app.interface import Cancelled
from obdesk.domain.errors import ObdeskError
from obdesk.domain.exports import CsvOptions
from obdesk.domain.filters import TransactionFilter
from obdesk.domain.texts import tr, trn
from obdesk.gui.format import count
from obdesk.gui.widgets.basics import label

if TYPE_CHECKING:
    from obdesk.app.interface import Commands
    from obdesk.domain.exports import CsvReport
    from obdesk.gui.changes import Spawn
    from obdesk.gui.format import Locale
    from obdesk.gui.theme.theme import Theme


class _Progress(QObject):
    """Carries progress from the storage's thread to the window's."""

    moved = Signal(int, int)


class ExportDialog(QDialog):
    """Asks what to export, then for the file, then shows how far it is."""

    done_with = Signal(object)
    """CsvReport"""
    failed = Signal(object)
    """ObdeskError"""

    def __init__(
        self,
        theme: Theme,
        locale: Locale,
        commands: Commands,
        spawn: Spawn,
        narrowed: TransactionFilter,
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self._locale, self._commands, self._spawn = locale, commands, spawn
        self._narrowed = narrowed
        self._stop = False
        self._running = False
        self._progress = _Progress(self)
        self._progress.moved.connect(self._show_progress)
        self.setWindowTitle(tr("Export transactions"))
        self.setMinimumWidth(440)
        inside = QVBoxLayout(self)
        inside.setContentsMargins(24, 20, 24, 16)
        inside.setSpacing(10)
        inside.addWidget(label(tr("Export transactions"), theme.fonts.section))
        words = tr("One CSV file with exact amounts, dates, raw labels and ids. It is not encrypted.")
        inside.addWidget(label(words, tone="muted", wrap=True))
        self.listed = QRadioButton(tr("What the list shows now"))
        self.everything = QRadioButton(tr("All transactions"))
        self._choice = QButtonGroup(self)
        for choice in (self.listed, self.everything):
            self._choice.addButton(choice)
            choice.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
            inside.addWidget(choice)
        self.listed.setEnabled(narrowed.narrows)
        (self.listed if narrowed.narrows else self.everything).setChecked(True)
        self.bom = QCheckBox(tr("Mark the file as UTF-8, for older spreadsheets"))
        self.bom.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        inside.addWidget(self.bom)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(tr("Progress"))
        self.told = label("", tone="muted", wrap=True)
        inside.addWidget(self.bar)
        inside.addWidget(self.told)
        self.bar.hide()
        self.told.hide()
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.go = self.buttons.addButton(tr("Choose a file…"), QDialogButtonBox.ButtonRole.AcceptRole)
        self.go.setDefault(True)
        inside.addWidget(self.buttons)
        self.buttons.accepted.connect(self._choose)
        self.buttons.rejected.connect(self.reject)

    def reject(self) -> None:
        """Override QDialog.reject: stop the writing first; the dialog closes when that has ended."""
        if self._running:
            self._stop = True
            self.told.setText(tr("Stopping…"))
            return
        super().reject()

    def _choose(self) -> None:
        documents = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)
        start = str(Path(documents or str(Path.home())) / tr("transactions.csv"))
        chooser = QFileDialog(self, tr("Export transactions"), start, "CSV (*.csv)")
        chooser.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        chooser.setDefaultSuffix("csv")
        chooser.fileSelected.connect(self.write_to)
        chooser.finished.connect(chooser.deleteLater)
        chooser.open()

    def write_to(self, path: str) -> None:
        """Write to a file; it appears whole or not at all."""
        self._running, self._stop = True, False
        self.go.setEnabled(False)
        self.bar.setRange(0, 0)
        self.bar.show()
        self.told.setText(tr("Writing…"))
        self.told.show()
        wanted = self._narrowed if self.listed.isChecked() else TransactionFilter()
        self._spawn("window: export", self._write(Path(path), wanted, CsvOptions(bom=self.bom.isChecked())))

    async def _write(self, path: Path, wanted: TransactionFilter, options: CsvOptions) -> None:
        report: CsvReport | None = None
        error: ObdeskError | None = None
        try:
            report = await self._commands.export_csv(
                path, wanted, options, self._progress.moved.emit, lambda: self._stop
            )
        except Cancelled:
            pass
        except ObdeskError as raised:
            error = raised
        finally:
            self._running = False
        if report is not None:
            self.done_with.emit(report)
        elif error is not None:
            self.failed.emit(error)
        self.close()

    def _show_progress(self, done: int, total: int) -> None:
        if not self._running or self._stop:
            return
        self.bar.setRange(0, max(1, total))
        self.bar.setValue(done)
        text = tr("{done} of {total} rows", done=count(done, self._locale), total=count(total, self._locale))
        self.told.setText(text)


def exported_sentence(report: CsvReport, locale: Locale) -> str:
    """Return what was written, for the toast."""
    rows = trn("{n} transaction", "{n} transactions", report.rows)
    if report.rows > 999:
        rows = tr("{count} transactions", count=count(report.rows, locale))
    return tr("{rows} written to {file}", rows=rows, file=Path(report.path).name)
