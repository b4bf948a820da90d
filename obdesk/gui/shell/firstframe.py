"""The first frame: accounts, balances and the newest rows where the window showed them last, at once.

One widget with one paint event stands in for some sixty, while those are still being made. It fills the
places of `obdesk.gui.standing` with what the ledger holds now, in the same fonts, colours and words, and
goes when the window's own parts are there. What it leaves out (glyphs, notes, buttons) appears then in
its place. It imports nothing of the screens: docs/decisions/0012-first-frame.md.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, NamedTuple

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter
from PySide6.QtWidgets import QWidget

from obdesk.domain.texts import tr
from obdesk.gui import format as fmt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QPaintEvent

    from obdesk.domain.glance import AccountGlance, Glance, RowGlance
    from obdesk.gui.standing import Piece
    from obdesk.gui.theme.theme import Theme

SECTIONS = {"overview": "Overview", "transactions": "Transactions", "connections": "Connections"}
HIDDEN = "•" * 5
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine
_AVATAR, _ACCOUNT_INSET, _ACCOUNT_H, _END = 20, 38, 34, 31
_INSET, _DATE_INSET, _AMOUNT_INSET, _CATEGORY_INSET = 10, 34, 18, 25


class Worth(NamedTuple):
    """Net worth in the currency that most accounts have."""

    total: str
    as_of: str


class Drawn(NamedTuple):
    """A text as it was drawn: for tests, which compare it with what the window shows."""

    kind: str
    text: str


class FirstFrame(QWidget):
    """Draws a glance into the places of the window."""

    def __init__(
        self,
        theme: Theme,
        locale: fmt.Locale,
        now: datetime,
        glance: Glance,
        pieces: Sequence[Piece],
        *,
        front: str,
        private: bool,
    ) -> None:
        super().__init__()
        # It fills itself, so that Qt need not fill it before.
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self._theme, self._locale, self._now = theme, locale, now
        self._glance, self._pieces = glance, pieces
        self._front, self._private = front, private
        self._accounts = {str(account.account_id): account for account in glance.accounts}
        self._banks = {str(account.connection_id): account.bank for account in glance.accounts}
        self._columns = [(int(p.ref), p.x, p.width) for p in pieces if p.kind == "column"]
        self._measures: dict[int, QFontMetrics] = {}
        self._italic = QFont(theme.fonts.base)
        self._italic.setItalic(True)
        self.drawn: list[Drawn] = []

    def paintEvent(self, event: QPaintEvent) -> None:
        """Override QWidget.paintEvent."""
        del event
        self.drawn.clear()
        painter = QPainter(self)
        try:
            self._fill(painter, self.rect(), "canvas")
            for piece in self._pieces:
                self._draw(painter, piece, QRect(piece.x, piece.y, piece.width, piece.height))
        finally:
            painter.end()

    def _draw(self, painter: QPainter, piece: Piece, place: QRect) -> None:
        match piece.kind:
            case "ground":
                self._fill(painter, place, piece.ref)
            case "section":
                self._section(painter, place, piece.ref)
            case "bank":
                heading = place.adjusted(10, 8, -26, 0)
                self._text(
                    painter,
                    heading,
                    self._banks.get(piece.ref, ""),
                    self._theme.fonts.small_strong,
                    "ink_muted",
                )
            case "account":
                if (account := self._accounts.get(piece.ref)) is not None:
                    self._account(painter, place, account)
            case "worth":
                self._amount(painter, place, self.worth().total, self._theme.fonts.headline)
            case "worth_as_of":
                self._text(painter, place, self.worth().as_of, self._theme.fonts.base, "ink_muted")
            case "checked":
                words = self._checked()
                self._text(painter, place, words, self._theme.fonts.small, "ink_muted", side=_RIGHT)
            case "list":
                self._list(painter, place, *(int(each) for each in piece.ref.split(":")))
            case _:
                pass  # a place that another version wrote, or one of a column

    def _fill(self, painter: QPainter, place: QRect, colour: str) -> None:
        # `fillRect` would take two milliseconds of the start: its many forms make PySide6 load gradients.
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.colour(colour))
        painter.drawRect(place)

    # Words

    def worth(self) -> Worth:
        """Return net worth with the date of its oldest part; empty where no balance is known."""
        groups: dict[tuple[str, int], list[AccountGlance]] = {}
        for account in self._glance.accounts:
            if account.counted and account.balance_minor is not None:
                groups.setdefault((account.currency, account.exponent), []).append(account)
        if not groups:
            return Worth("", "")
        (code, exponent), front = min(groups.items(), key=lambda each: (-len(each[1]), each[0]))
        total_minor = sum(account.balance_minor or 0 for account in front)
        dates_ms = [account.data_as_of_ms for account in front if account.data_as_of_ms is not None]
        as_of = ""
        if len(dates_ms) == len(front):
            as_of = tr(
                "Complete as of {when}", when=fmt.instant(_instant(min(dates_ms)), self._now, self._locale)
            )
        return Worth(fmt.minor_money(total_minor, code, exponent, self._locale), as_of)

    def _checked(self) -> str:
        asked_ms = [each.asked_at_ms for each in self._glance.accounts if each.asked_at_ms is not None]
        if not asked_ms:
            return ""
        return tr("Last check {when}", when=fmt.time_today(_instant(max(asked_ms)), self._now, self._locale))

    # Drawing

    def _measure(self, font: QFont) -> QFontMetrics:
        found = self._measures.get(id(font))
        if found is None:
            found = self._measures[id(font)] = QFontMetrics(font)
        return found

    def _text(
        self,
        painter: QPainter,
        place: QRect,
        text: str,
        font: QFont,
        ink: str,
        *,
        side: Qt.AlignmentFlag | Qt.TextFlag = _LEFT,
        cut: Qt.TextElideMode = Qt.TextElideMode.ElideRight,
    ) -> None:
        measure, shown = self._measure(font), text
        if measure.horizontalAdvance(text) > place.width():
            shown = measure.elidedText(text, cut, max(0, place.width()))
        painter.setFont(font)
        painter.setPen(self._theme.colour(ink))
        painter.drawText(place, side, shown)
        self.drawn.append(Drawn("text", text))

    def _amount(
        self,
        painter: QPainter,
        place: QRect,
        amount: str,
        font: QFont,
        ink: str = "ink",
        *,
        right: bool = False,
    ) -> int:
        """Draw a figure and return its width; one that does not fit is not drawn at all."""
        shown = HIDDEN if self._private and amount else amount
        width = self._measure(font).horizontalAdvance(shown)
        if width <= place.width():
            painter.setFont(font)
            painter.setPen(self._theme.colour("ink" if self._private else ink))
            painter.drawText(place, _RIGHT if right else _LEFT, shown)
            self.drawn.append(Drawn("amount", shown))
        return width

    def _section(self, painter: QPainter, place: QRect, key: str) -> None:
        front = key == self._front
        if front:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._theme.colour("accent_soft"))
            painter.drawRoundedRect(place, 6, 6)
        fonts = self._theme.fonts
        words = place.adjusted(37, 0, -8, 0)
        self._text(
            painter,
            words,
            tr(SECTIONS[key]) if key in SECTIONS else "",
            fonts.strong if front else fonts.base,
            "accent" if front else "ink",
        )

    def _account(self, painter: QPainter, place: QRect, account: AccountGlance) -> None:
        base = self._theme.fonts.base
        if (colour := QColor(account.color)).isValid():
            avatar = QRectF(place.x() + 10, place.y() + (_ACCOUNT_H - _AVATAR) / 2, _AVATAR, _AVATAR)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour)
            painter.drawRoundedRect(avatar, 5.6, 5.6)
        line = QRect(place.x() + _ACCOUNT_INSET, place.y(), place.width() - _ACCOUNT_INSET - _END, _ACCOUNT_H)
        ink = "danger" if (account.balance_minor or 0) < 0 else "ink"
        taken = self._amount(painter, line, self._money(account), base, ink, right=True)
        name = line.adjusted(0, 0, -taken - 8, 0)
        self._text(painter, name, account.name, base, "ink", cut=Qt.TextElideMode.ElideMiddle)

    def _money(self, account: AccountGlance) -> str:
        if account.balance_minor is None:
            return fmt.DASH
        return fmt.minor_money(account.balance_minor, account.currency, account.exponent, self._locale)

    def _list(self, painter: QPainter, place: QRect, row_h: int, band_h: int) -> None:
        """Draw the newest rows with a band before the first of each day, as the list does."""
        painter.save()
        painter.setClipRect(place)
        self._fill(painter, place, "surface")
        y, section = place.y(), ""
        for row in self._glance.newest:
            if y >= place.bottom():
                break
            opens = "pending" if row.pending else row.booked_on
            if opens != section:
                section = opens
                self._band(painter, QRect(place.x(), y, place.width(), band_h), row)
                y += band_h
            self._fill(painter, QRect(place.x(), y + row_h - 1, place.width(), 1), "line")
            for column, x, width in self._columns:
                self._cell(painter, QRect(x, y, width, row_h), column, row)
            y += row_h
        painter.restore()

    def _band(self, painter: QPainter, place: QRect, row: RowGlance) -> None:
        self._fill(painter, place.adjusted(0, 0, 0, -1), "canvas")
        self._fill(painter, QRect(place.x(), place.bottom(), place.width(), 1), "line")
        words = tr("Pending · not in booked balance")
        if not row.pending:
            day, today = date.fromisoformat(row.booked_on), fmt.today(self._now, self._locale)
            words = fmt.day_heading(day, today, self._locale)
        self._text(painter, place.adjusted(18, 0, 0, 0), words, self._theme.fonts.small_strong, "ink_muted")

    def _cell(self, painter: QPainter, place: QRect, column: int, row: RowGlance) -> None:
        """Draw one cell; the columns are those of the transactions list, in its numbers."""
        fonts = self._theme.fonts
        match column:
            case 0:
                day, today = date.fromisoformat(row.booked_on), fmt.today(self._now, self._locale)
                words = fmt.column_date(day, today, self._locale)
                self._text(painter, place.adjusted(_DATE_INSET, 0, 0, 0), words, fonts.base, "ink_muted")
            case 1:
                self._payee(painter, place.adjusted(_INSET, 0, -_INSET, 0), row)
            case 2 if category := fmt.clean(row.category):
                self._text(
                    painter, place.adjusted(_CATEGORY_INSET, 0, -_INSET, 0), category, fonts.base, "ink"
                )
            case 2:
                self._text(painter, place.adjusted(_INSET, 0, 0, 0), fmt.DASH, fonts.base, "ink_muted")
            case 3:
                words = fmt.clean(row.account)
                self._text(painter, place.adjusted(_INSET, 0, -_INSET, 0), words, fonts.base, "ink_muted")
            case _:
                income = (row.amount_minor or 0) > 0
                room = place.adjusted(0, 0, -_AMOUNT_INSET, 0)
                font, ink = (fonts.strong, "income") if income else (fonts.base, "ink")
                self._amount(painter, room, self._signed(row), font, ink, right=True)

    def _payee(self, painter: QPainter, place: QRect, row: RowGlance) -> None:
        fonts = self._theme.fonts
        payee, label = fmt.clean(row.payee), fmt.clean(row.label)
        font = self._italic if row.pending else fonts.medium
        if not (payee and label):
            self._text(painter, place, payee or label or tr("Without a label"), font, "ink")
            return
        upper = QRect(place.x(), place.y() + 4, place.width(), self._measure(fonts.base).height())
        lower = QRect(place.x(), upper.bottom() + 1, place.width(), self._measure(fonts.small).height())
        self._text(painter, upper, payee, font, "ink")
        self._text(painter, lower, label, fonts.small, "ink_muted")

    def _signed(self, row: RowGlance) -> str:
        if row.amount_minor is None:
            return fmt.DASH
        text = fmt.minor_money(row.amount_minor, row.currency, row.exponent, self._locale)
        return f"+{text}" if row.amount_minor > 0 else text


def _instant(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)
