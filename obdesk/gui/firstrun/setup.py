"""Setting up the person's own Powens application: three fields, checked here and then at Powens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFormLayout, QHBoxLayout, QLineEdit, QScrollArea, QVBoxLayout, QWidget

from obdesk.app.loopback import PATH, PORTS
from obdesk.domain.errors import Action, ObdeskError
from obdesk.domain.texts import tr
from obdesk.gui.firstrun.present import WEBVIEW_URL, FormField, PowensSettings, checked
from obdesk.gui.remedies import REPEATS
from obdesk.gui.widgets.basics import Card, button, label
from obdesk.gui.widgets.panels import ErrorPanel

if TYPE_CHECKING:
    from PySide6.QtWidgets import QLabel

    from obdesk.app.interface import Commands
    from obdesk.gui.changes import Spawn
    from obdesk.gui.theme.theme import Theme

CONSOLE_URL = "https://console.powens.com"
EMBEDDED_REDIRECT = "https://obdesk.invalid/callback"
WIDTH = 620


class PowensSetup(QScrollArea):
    """`done()` when Powens accepted the application, `left()` when the person goes back."""

    done = Signal()
    left = Signal()

    def __init__(self, theme: Theme, commands: Commands, spawn: Spawn) -> None:
        super().__init__()
        self._theme, self._commands, self._spawn = theme, commands, spawn
        self.setWidgetResizable(True)
        self.setFrameShape(QScrollArea.Shape.NoFrame)
        self.setAccessibleName(tr("Set up Powens"))
        self.fields: dict[FormField, QLineEdit] = {}
        self.hints: dict[FormField, QLabel] = {}
        self.card = Card(theme, name=tr("Set up Powens"))
        self.card.setFixedWidth(WIDTH)
        self.card.body.setContentsMargins(28, 24, 28, 24)
        self.card.body.setSpacing(10)
        self._problem = QVBoxLayout()
        self._fill()
        inner = QWidget()
        inner.setObjectName("content")
        column = QVBoxLayout(inner)
        column.setContentsMargins(24, 24, 24, 24)
        # Stretches at both sides and no alignment: only so the card is as high as its wrapped lines need.
        middle = QHBoxLayout()
        middle.addStretch(1)
        middle.addWidget(self.card)
        middle.addStretch(1)
        column.addStretch(1)
        column.addLayout(middle)
        column.addStretch(2)
        self.setWidget(inner)
        self.setFocusProxy(self.fields[FormField.DOMAIN])

    def _fill(self) -> None:
        body, fonts = self.card.body, self._theme.fonts
        body.addWidget(label(tr("Set up Powens"), fonts.title))
        why = tr(
            "Banks are read through Powens. You use it with an application of your own, so that nobody "
            "stands between you and your data. Create one in the Powens console (a sandbox is free), "
            "then copy three values from there."
        )
        body.addWidget(label(why, fonts.base, tone="muted", wrap=True))
        console = button(tr("Open the Powens console"), open_console, kind="link")
        body.addWidget(console, 0, Qt.AlignmentFlag.AlignLeft)
        self._form = QFormLayout()
        self._form.setVerticalSpacing(6)
        self._form.setHorizontalSpacing(14)
        self._form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        self._add(FormField.DOMAIN, tr("Domain"), "acme-sandbox")
        self._add(FormField.CLIENT_ID, tr("Client ID"), "12345678")
        self._add(FormField.CLIENT_SECRET, tr("Client secret"), "")
        self.fields[FormField.CLIENT_SECRET].setEchoMode(QLineEdit.EchoMode.Password)
        self._add(FormField.API_URL, tr("API address"), tr("from the domain"))
        self._add(FormField.WEBVIEW_URL, tr("Page address"), WEBVIEW_URL)
        self._show_more(shown=False)
        body.addLayout(self._form)
        self.more = button(tr("Other addresses"), lambda: self._show_more(shown=True), kind="link")
        body.addWidget(self.more, 0, Qt.AlignmentFlag.AlignLeft)
        redirects = "\n".join([EMBEDDED_REDIRECT, *(f"http://127.0.0.1:{port}{PATH}" for port in PORTS)])
        body.addWidget(label(tr("Add these redirect addresses to the application:"), tone="muted", wrap=True))
        body.addWidget(label(redirects, fonts.small, selectable=True))
        kept = tr(
            "The secret is kept in the system's keyring, or in your encrypted data where there is none."
        )
        body.addWidget(label(kept, fonts.small, tone="muted", wrap=True))
        body.addLayout(self._problem)
        row = QHBoxLayout()
        self.go_on = button(tr("Save and go on"), self.submit, kind="primary")
        self.go_on.setDefault(True)
        row.addWidget(self.go_on)
        row.addWidget(button(tr("Back"), self.left.emit, kind="ghost"))
        row.addStretch(1)
        body.addLayout(row)

    def _add(self, field: FormField, name: str, placeholder: str) -> None:
        edit = QLineEdit()
        edit.setPlaceholderText(placeholder)
        edit.setAccessibleName(name)
        edit.returnPressed.connect(self.submit)
        hint = label("", self._theme.fonts.small, tone="danger")
        hint.hide()
        cell = QVBoxLayout()
        cell.setSpacing(2)
        cell.addWidget(edit)
        cell.addWidget(hint)
        caption = label(name)
        caption.setBuddy(edit)
        self._form.addRow(caption, cell)
        self.fields[field], self.hints[field] = edit, hint

    def _show_more(self, *, shown: bool) -> None:
        for row in (3, 4):
            self._form.setRowVisible(row, shown)
        if shown:
            self.more.hide()

    def submit(self) -> None:
        """Check what was typed, keep it, and see whether Powens knows it."""
        answer = checked({field: edit.text() for field, edit in self.fields.items()})
        wrong = answer if isinstance(answer, dict) else {}
        for field, hint in self.hints.items():
            hint.setText(wrong.get(field, ""))
            hint.setVisible(field in wrong)
        if isinstance(answer, PowensSettings):
            self._busy(busy=True)
            self._spawn("powens: set up", self._keep(answer))
        else:
            self.fields[next(iter(wrong))].setFocus()

    async def _keep(self, settings: PowensSettings) -> None:
        self._show_problem(None)
        try:
            await self._commands.configure_powens(
                api_url=settings.api_url,
                webview_url=settings.webview_url,
                domain=settings.domain,
                client_id=settings.client_id,
                client_secret=settings.client_secret,
            )
            await self._commands.connectors()
        except ObdeskError as error:
            self._show_problem(error)
        else:
            self.fields[FormField.CLIENT_SECRET].clear()
            self.done.emit()
        finally:
            self._busy(busy=False)

    def _busy(self, *, busy: bool) -> None:
        self.go_on.setEnabled(not busy)
        self.go_on.setText(tr("Asking Powens…") if busy else tr("Save and go on"))

    def _show_problem(self, error: ObdeskError | None) -> None:
        while (item := self._problem.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.deleteLater()
        if error is not None:
            helps = error.action in REPEATS | {Action.CONFIGURE_PROVIDER}
            self._problem.addWidget(ErrorPanel(self._theme, error, self._act if helps else None))

    def _act(self, action: Action) -> None:
        if action is Action.CONFIGURE_PROVIDER:
            self.fields[FormField.DOMAIN].setFocus()
        else:
            self.submit()


def open_console() -> None:
    """Show where a Powens application is made."""
    QDesktopServices.openUrl(QUrl(CONSOLE_URL))
