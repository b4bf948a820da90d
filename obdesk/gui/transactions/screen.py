"""The transactions screen as the window knows it: search, filters, list, selection and inspector, joined."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject

from obdesk.domain.changes import Kind
from obdesk.domain.filters import Sort, TransactionFilter, parse_search
from obdesk.domain.texts import tr
from obdesk.gui import format as fmt
from obdesk.gui.transactions.anchor import Anchor
from obdesk.gui.transactions.chosen import Chosen
from obdesk.gui.transactions.doing import Doing
from obdesk.gui.transactions.edits import Edits
from obdesk.gui.transactions.facts import oldest_data
from obdesk.gui.transactions.feed import Feed
from obdesk.gui.transactions.filterbar import FilterBar
from obdesk.gui.transactions.filters import Part, sentence, without
from obdesk.gui.transactions.inspector import Inspector
from obdesk.gui.transactions.model import TransactionsModel
from obdesk.gui.transactions.present import Empty, Presenter, empty_sentence, why_empty
from obdesk.gui.transactions.table import TransactionsTable
from obdesk.gui.transactions.twins import Joined, Twin
from obdesk.gui.transactions.view import TransactionsView

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import date

    from PySide6.QtCore import QSettings
    from PySide6.QtGui import QAction
    from PySide6.QtWidgets import QWidget

    from obdesk.app.interface import Commands, FirstScreen, Reads
    from obdesk.domain.changes import ChangeSet
    from obdesk.domain.clock import Clock
    from obdesk.domain.entities import Account, Selection, TransactionDetail
    from obdesk.domain.ids import AccountId, TransactionId
    from obdesk.domain.money import Money
    from obdesk.gui.changes import Spawn
    from obdesk.gui.shell.screen import Navigator, StatusTeller
    from obdesk.gui.standing import Piece
    from obdesk.gui.theme.theme import Theme

GROUP = "transactions"


class TransactionsScreen(QObject):
    """Answers the window's search field and account rows; see `obdesk.gui.shell.screen`."""

    key = GROUP
    icon = "list"

    def __init__(
        self,
        *,
        theme: Theme,
        locale: fmt.Locale,
        clock: Clock,
        reads: Reads,
        commands: Commands,
        spawn: Spawn,
        settings: QSettings,
        navigator: Navigator,
    ) -> None:
        super().__init__()
        self._locale, self._clock, self._reads, self._spawn = locale, clock, reads, spawn
        self._kept_current = -1
        self._settings, self._navigator = settings, navigator
        self._accounts: tuple[Account, ...] = ()
        self._accounts_known = False
        self._typed, self._base = "", TransactionFilter()
        self._status = ["", ""]
        self._tell: StatusTeller | None = None
        self._asked = False
        self.model = TransactionsModel(Presenter(locale, self._today()), self)
        self.table = TransactionsTable(theme, self.model)
        self.anchor = Anchor(self.table, self.model)
        self.feed = Feed(self.model, reads, spawn, self._base)
        self.chosen = Chosen(self.table, self.model, reads, spawn)
        self.twin = Twin(theme, locale, reads, commands, spawn)
        self.joined = Joined(theme, locale, reads, commands, spawn)
        self.inspector = Inspector(theme, locale, (self.twin, self.joined))
        self.bar = FilterBar(theme, locale, self._today())
        self.view = TransactionsView(theme, self.bar, self.table, self.inspector)
        self.doing = Doing(
            theme=theme, view=self.view, table=self.table, model=self.model, inspector=self.inspector,
            chosen=self.chosen, edits=Edits(commands, reads, spawn, self), reads=reads, spawn=spawn,
            navigator=navigator,
        )  # fmt: skip
        self._connect()
        self._restore()

    @property
    def title(self) -> str:
        """Return the name in the sidebar."""
        return tr("Transactions")

    @property
    def widget(self) -> QWidget:
        """Return the screen's widget."""
        return self.view

    @property
    def wanted(self) -> TransactionFilter:
        """Return what is asked for now: what was chosen, narrowed by what was typed."""
        return parse_search(self._typed, self._base)

    def _today(self) -> date:
        return fmt.today(self._clock.now(), self._locale)

    def _connect(self) -> None:
        self.feed.answered.connect(self._answered)
        self.feed.completing.connect(self.anchor.hold)
        self.feed.completed.connect(self._completed)
        self.feed.counted.connect(self._counted)
        self.table.header.sort_wanted.connect(self._sort)
        self.chosen.none.connect(self._none_chosen)
        self.chosen.one.connect(self._one_chosen)
        self.chosen.many.connect(self._many_chosen)
        self.bar.changed.connect(self._filtered)
        self.bar.taken_away.connect(self._take_away)
        self.bar.cleared.connect(self.clear_filter)
        self.inspector.settled.connect(self.chosen.reread)
        for aside in (self.twin, self.joined):
            aside.failed.connect(self.inspector.show_trouble)
        self.view.installEventFilter(self)

    def _restore(self) -> None:
        self.table.header.restore(self._settings, GROUP)
        self.view.restore(self._settings, GROUP)
        sort, descending = self.table.header.sort
        self._base = replace(self._base, sort=sort, descending=descending)
        self.table.header.show_sort(sort, descending=descending)
        self.table.set_banded(banded=sort is Sort.DATE)

    def save(self) -> None:
        """Keep columns, sort and the inspector for the next time."""
        self.table.header.save(self._settings, GROUP)
        self.view.save(self._settings, GROUP)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Override QObject.eventFilter: what is hidden may not come back, so it is saved now."""
        if event.type() == QEvent.Type.Hide:
            self.save()
        return super().eventFilter(watched, event)

    # What the window asks.

    def touched(self, changes: ChangeSet) -> None:
        """Read again after a commit; rows keep their place by id."""
        if changes.touches(Kind.TRANSACTIONS, Kind.EDITS) and self._asked:
            self.feed.reread()
            self.chosen.reread()
        if changes.touches(Kind.ACCOUNTS, Kind.BALANCES, Kind.CONNECTIONS, Kind.EDITS) or not self._accounts:
            self._spawn("transactions: accounts", self._read_accounts())

    def shown(self) -> None:
        """Ask for the first rows when the screen is first seen."""
        if not self._asked:
            self._ask()

    def show_first(self, first: FirstScreen) -> None:
        """Show the newest rows from the first read, until the screen reads for itself."""
        self._know_accounts(first.accounts)
        if not self._asked and first.newest and self._base == TransactionFilter():
            self.model.show_rows(first.newest)

    def search(self, text: str) -> None:
        """Narrow to what was typed."""
        if text.strip() != self._typed.strip() or not self._asked:
            self._typed = text
            self._ask()

    def show_accounts(self, accounts: frozenset[AccountId]) -> None:
        """Narrow to some accounts; an empty set shows all."""
        self._base = replace(self._base, accounts=accounts)
        self._ask()

    def on_status(self, tell: StatusTeller) -> None:
        """Keep where the status line goes."""
        self._tell = tell
        self._say()

    def set_narrow(self, *, narrow: bool) -> None:
        """Lay the inspector over the list, or put it beside it."""
        self.view.set_narrow(narrow=narrow)

    def set_private(self, *, private: bool) -> None:
        """Hide the amounts from onlookers, or show them again."""
        self.model.set_private(private=private)
        self.inspector.set_private(private=private)
        for aside in (self.twin, self.joined):
            aside.set_private(private=private)
        self._answered_texts()

    def minute_passed(self) -> None:
        """Use the new day's words after midnight."""
        if self._today() != self.model.presenter.today:
            self.model.presenter = Presenter(self._locale, self._today())
            self._ask()

    def standing(self) -> Iterable[Piece]:
        """Return where the list stands."""
        return self.table.standing()

    def actions(self) -> Sequence[QAction]:
        """Return the screen's commands for the palette and the menus."""
        return self.doing.actions()

    # Asking

    def _ask(self) -> None:
        if not self._asked:
            self._asked = True
            self._spawn("transactions: accounts", self._read_accounts())
        wanted = self.wanted
        self.table.set_banded(banded=wanted.sort is Sort.DATE)
        self.table.set_account_column(shown=len(wanted.accounts) != 1 and len(self._accounts) != 1)
        self._say_filter(wanted)
        self.bar.panel.show_filter(wanted)
        self.chosen.totals = None
        self._kept_current = self.anchor.current_id()
        self.feed.ask(wanted)

    def _answered(self) -> None:
        row = self.model.row_of(self._kept_current)
        if row >= 0:
            self.table.choose(row)
        self._answered_texts()

    def _answered_texts(self) -> None:
        known = self.chosen.totals
        count = self.model.rowCount() if known is None else known.count
        narrowed = self.wanted.narrows
        presenter = self.model.presenter
        if not self.feed.complete:
            self.bar.show_found("", "")
        else:
            sums = None if known is None or self.model.private else known.sums
            self.bar.show_found(presenter.found(count, sums, narrowed=narrowed), self._age())
        self._show_emptiness()

    def _completed(self) -> None:
        self.anchor.release()
        self._answered_texts()

    def _counted(self, totals: Selection) -> None:
        self.chosen.totals = totals
        self._answered_texts()

    def _age(self) -> str:
        chosen = self.wanted.accounts
        parts = [a for a in self._accounts if not chosen or a.id in chosen]
        return oldest_data(parts, self._clock.now(), self._locale)

    def _show_emptiness(self) -> None:
        self.table.set_waiting(waiting=not self.feed.complete)
        if self.model.rowCount() or not self.feed.complete:
            self.view.hide_empty()
            return
        reason = why_empty(self.wanted, self._accounts)
        said = empty_sentence(reason, linked=bool(self._accounts))
        action: tuple[str, Callable[[], object]] | None = None
        if reason is Empty.NO_MATCH:
            action = (tr("Clear filter"), self.clear_filter)
        elif not self._accounts and self._accounts_known:
            action = (tr("Link a bank"), self._navigator.link_bank)
        self.view.show_empty("magnifying-glass" if reason is Empty.NO_MATCH else "tray", said, action)

    async def _read_accounts(self) -> None:
        self._know_accounts(await self._reads.accounts())
        categories = await self._reads.categories()
        self.bar.set_categories(categories)
        self.inspector.set_categories(categories)

    def _know_accounts(self, accounts: tuple[Account, ...]) -> None:
        self._accounts, self._accounts_known = accounts, True
        self.bar.set_accounts(self._names())
        self.table.set_account_column(shown=len(self.wanted.accounts) != 1 and len(accounts) != 1)
        if self._asked:
            self._say_filter(self.wanted)
            self._answered_texts()

    def _say_filter(self, wanted: TransactionFilter) -> None:
        self.bar.show_filter(wanted)
        self._status[1] = sentence(wanted, self._names(), self._locale)
        self._say()

    def _names(self) -> dict[AccountId, str]:
        return {account.id: account.name for account in self._accounts}

    # Narrowing and sorting

    def _sort(self, sort: Sort, descending: bool) -> None:  # noqa: FBT001 - a slot
        self._base = replace(self._base, sort=sort, descending=descending)
        self.save()
        self._ask()

    def _filtered(self, wanted: TransactionFilter) -> None:
        self._settle(replace(wanted, text=self.wanted.text))

    def _take_away(self, part: Part) -> None:
        self._settle(without(self.wanted, part))

    def clear_filter(self) -> None:
        """Show everything again."""
        self._settle(TransactionFilter(sort=self._base.sort, descending=self._base.descending))

    def _settle(self, wanted: TransactionFilter) -> None:
        """Take a whole filter: what was typed as `key:value` is a chosen part from now on."""
        self._base = replace(wanted, text="", sort=self._base.sort, descending=self._base.descending)
        if self._typed != wanted.text:
            self._typed = wanted.text
            self._navigator.show_search(wanted.text)
        self._ask()

    # Selection

    def _none_chosen(self) -> None:
        self._status[0] = ""
        self.inspector.show_nothing()
        self._ask_beside(None)
        self._say()

    def _ask_beside(self, shown: TransactionId | None) -> None:
        for aside in (self.twin, self.joined):
            aside.ask_about(shown)

    def _one_chosen(self, detail: TransactionDetail) -> None:
        amount = detail.row.amount
        self._status[0] = self._selected(1, None if amount is None else (amount,))
        self.inspector.show_one(detail, self._clock.now())
        self._ask_beside(detail.row.id)
        self._say()

    def _many_chosen(self, count: int, found: Selection | None) -> None:
        sums = None if found is None else found.sums
        self._status[0] = self._selected(count, sums)
        presenter = self.model.presenter
        self.inspector.show_many(
            self.chosen.ids,
            presenter.selected(count, None),
            "…" if sums is None else presenter.sums(sums),
            self._age(),
        )
        self._ask_beside(None)
        self._say()

    def _selected(self, count: int, sums: Sequence[Money] | None) -> str:
        return self.model.presenter.selected(count, None if self.model.private else sums)

    def _say(self) -> None:
        if self._tell is not None:
            self._tell("     ".join(part for part in self._status if part))
