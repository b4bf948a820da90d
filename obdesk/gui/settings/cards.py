"""What the settings are made of: the relay's card with its form, and when banks are checked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QIntValidator
from PySide6.QtWidgets import (
    QCheckBox,
    QFormLayout,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from obdesk.domain.texts import tr
from obdesk.gui.settings.present import hour_of
from obdesk.gui.widgets.basics import Card, ElidedLabel, button, clear, label, retone, rule
from obdesk.gui.widgets.glyph import StatusGlyph
from obdesk.gui.widgets.panels import ErrorPanel

if TYPE_CHECKING:
    from obdesk.domain.errors import ObdeskError
    from obdesk.domain.mailbox import Exposure
    from obdesk.gui.settings.present import RelayValues
    from obdesk.gui.theme.theme import Theme

FORM_WIDTH = 460
HOURS_MAX = 168
_INTERVAL, _SPARE = "sync.interval_h", "sync.spare"
_QUIET = ("sync.quiet_from", "sync.quiet_to")


class RelayCard(Card):
    """How the relay is, or how one is set up; `paired(url, code)`, `left()`, `replaced()`."""

    paired = Signal(str, str)
    left = Signal()
    replaced = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, name=tr("Relay"))
        self._theme_ = theme
        head = QHBoxLayout()
        head.setSpacing(7)
        head.addWidget(label(tr("Relay"), theme.fonts.section))
        self.glyph = StatusGlyph(theme)
        self.word = label("", theme.fonts.strong)
        head.addWidget(self.glyph)
        head.addWidget(self.word)
        head.addStretch(1)
        self.body.addLayout(head)
        self.host = ElidedLabel("", theme.fonts.medium)
        self.lines = label("", tone="muted", wrap=True, selectable=True)
        self.body.addWidget(self.host)
        self.body.addWidget(self.lines)
        self._alarm = QVBoxLayout()
        self.body.addLayout(self._alarm)
        self._facts = QGridLayout()
        self._facts.setHorizontalSpacing(24)
        self._facts.setVerticalSpacing(4)
        self._facts.setColumnStretch(2, 1)
        self.body.addLayout(self._facts)
        self._form_of_pairing()
        self._problem = QVBoxLayout()
        self.body.addLayout(self._problem)
        row = QHBoxLayout()
        self.again = button(tr("Pair again"), lambda: self.form.setVisible(True))
        self.leave = button(tr("Do without a relay"), self.left.emit)
        row.addWidget(self.again)
        row.addWidget(self.leave)
        row.addStretch(1)
        self.body.addLayout(row)
        self.body.addWidget(rule())
        self.body.addWidget(
            label(
                tr(
                    "What waits at a relay are sealed hints that something happened at a bank; no amount, no "
                    "name. Whoever runs it could still read what the aggregator sends through it: use your "
                    "own, or one of somebody you trust with that."
                ),
                theme.fonts.small,
                tone="muted",
                wrap=True,
            )
        )
        self._shown: object = ()
        for part in (self.glyph, self.word, self.host, self.again, self.leave, self.form):
            part.hide()  # until it is known how the relay is

    def _form_of_pairing(self) -> None:
        self.form = QWidget()
        self.form.setMaximumWidth(FORM_WIDTH)
        inside = QVBoxLayout(self.form)
        inside.setContentsMargins(0, 4, 0, 0)
        inside.setSpacing(10)
        fields = QFormLayout()
        fields.setVerticalSpacing(6)
        fields.setHorizontalSpacing(14)
        fields.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        self.url, self.code = QLineEdit(), QLineEdit()
        self.url.setPlaceholderText("https://relay.example.org")
        self.code.setEchoMode(QLineEdit.EchoMode.Password)
        for name, edit in ((tr("Address"), self.url), (tr("One-time code"), self.code)):
            edit.setAccessibleName(name)
            edit.returnPressed.connect(self._submit)
            caption = label(name)
            caption.setBuddy(edit)
            caption.setFixedHeight(edit.sizeHint().height())
            fields.addRow(caption, edit)
        inside.addLayout(fields)
        row = QHBoxLayout()
        self.go = button(tr("Pair this computer"), self._submit, kind="primary")
        row.addWidget(self.go)
        row.addStretch(1)
        inside.addLayout(row)
        self.body.addWidget(self.form)

    def show_values(self, values: RelayValues | None) -> None:
        """Show how the relay is, or that there is none."""
        if values == self._shown:
            return
        was = self._shown
        self._shown = values
        for part in (self.glyph, self.word, self.host, self.leave):
            part.setVisible(values is not None)
        clear(self._alarm)
        clear(self._facts)
        self.set_edge("danger" if values is not None and values.exposure is not None else "")
        if values is None:
            self.lines.setText(
                tr(
                    "None is set up: your banks are checked by the schedule. A relay is a small server of "
                    "yours or of somebody you trust; with one, what your banks send is here within seconds."
                )
            )
            self.again.hide()
            self.form.show()
            return
        self.glyph.set_glyph(values.glyph)
        self.word.setText(values.word)
        retone(self.word, values.tone)
        self.host.set_whole(values.host)
        self.lines.setText("\n".join(values.lines))
        self._show_facts(values.facts)
        if values.exposure is not None:
            self._alarm.addWidget(self._exposed(values.exposure))
        self.again.setVisible(values.wants_pairing)
        if was is None or not values.wants_pairing:
            self.form.setVisible(False)

    def _show_facts(self, facts: tuple[tuple[str, str], ...]) -> None:
        for row, (name, value) in enumerate(facts):
            self._facts.addWidget(label(name, tone="muted"), row, 0)
            self._facts.addWidget(label(value), row, 1)

    def _exposed(self, told: Exposure) -> QWidget:
        panel = QWidget()
        inside = QVBoxLayout(panel)
        inside.setContentsMargins(0, 4, 0, 4)
        inside.setSpacing(6)
        inside.addWidget(label(told.title, self._theme_.fonts.strong, tone="danger", wrap=True))
        inside.addWidget(label(told.cause, wrap=True))
        inside.addWidget(label(told.next_step, tone="muted", wrap=True))
        row = QHBoxLayout()
        row.addWidget(button(tr("Replace the token now"), self.replaced.emit, kind="danger"))
        row.addStretch(1)
        inside.addLayout(row)
        return panel

    def show_error(self, error: ObdeskError | None) -> None:
        """Show what went wrong with the last wish, or that nothing did."""
        clear(self._problem)
        if error is not None:
            self._problem.addWidget(ErrorPanel(self._theme_, error, None))

    def set_busy(self, *, busy: bool) -> None:
        """Let nothing be asked twice while it is under way."""
        for part in (self.go, self.leave, self.url, self.code):
            part.setEnabled(not busy)

    def _submit(self) -> None:
        self.paired.emit(self.url.text(), self.code.text())


class ChecksCard(Card):
    """When banks are checked by themselves; `wished(key, value)` with each change."""

    wished = Signal(str, str)

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, name=tr("Checks"))
        self.body.addWidget(label(tr("Checks"), theme.fonts.section))
        self.hours = QLineEdit()
        self.hours.setValidator(QIntValidator(1, HOURS_MAX, self.hours))
        self.hours.setAccessibleName(tr("Hours between two checks of each bank"))
        self.hours.setFixedWidth(76)
        self.hours.editingFinished.connect(lambda: self._wish(_INTERVAL, str(int(self.hours.text()))))
        self.body.addLayout(_line(tr("Each bank is checked every"), self.hours, tr("hours")))
        self.quiet = (QLineEdit(), QLineEdit())
        names = (tr("No bank is asked by itself from this local time"), tr("until this local time"))
        for edit, name, placeholder in zip(self.quiet, names, ("22:00", "07:00"), strict=True):
            edit.setFixedWidth(76)
            edit.setPlaceholderText(placeholder)
            edit.setAccessibleName(name)
            edit.editingFinished.connect(self._wish_quiet)
        begins, ends = self.quiet
        self.body.addLayout(_line(tr("Only you ask from"), begins, tr("until"), ends))
        self.hint = label(tr("Both times, such as 22:00, or none."), theme.fonts.small, tone="danger")
        self.hint.hide()
        self.body.addWidget(self.hint)
        self.spare = QCheckBox(tr("Wait on a metered network or a low battery"))
        self.spare.clicked.connect(lambda on: self._wish(_SPARE, "on" if on else "off"))
        self.body.addWidget(self.spare)
        self._kept: dict[str, str] = {}

    def show_settings(self, kept: dict[str, str]) -> None:
        """Show what is kept; what the person is typing stays."""
        self._kept = kept
        if not self.hours.hasFocus():
            self.hours.setText(kept[_INTERVAL])
        self.spare.setChecked(kept[_SPARE] == "on")
        for edit, key in zip(self.quiet, _QUIET, strict=True):
            if not edit.hasFocus():
                edit.setText(kept[key])

    def _wish(self, key: str, value: str) -> None:
        if self._kept.get(key) != value:
            self._kept[key] = value
            self.wished.emit(key, value)

    def _wish_quiet(self) -> None:
        hours = [hour_of(edit.text()) for edit in self.quiet]
        sound = None not in hours and (all(hours) or not any(hours))
        on_their_way = None not in hours and any(edit.hasFocus() for edit in self.quiet)
        self.hint.setVisible(not sound and not on_their_way)
        if sound:
            for edit, key, value in zip(self.quiet, _QUIET, hours, strict=True):
                edit.setText(value or "")
                self._wish(key, value or "")


def _line(*parts: str | QWidget) -> QHBoxLayout:
    line = QHBoxLayout()
    line.setSpacing(8)
    for part in parts:
        line.addWidget(label(part) if isinstance(part, str) else part, 0, Qt.AlignmentFlag.AlignVCenter)
    line.addStretch(1)
    return line
