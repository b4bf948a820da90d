"""Which account an unknown one is: the provider may number it anew, its IBAN stays.

Only equal evidence counts, and only where it points to one account: everything else is a new account.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from obdesk.domain.entities import AccountKind, AccountState
from obdesk.domain.money import NO_CURRENCY

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from obdesk.domain.ledger import StoredAccount
    from obdesk.domain.remote import RemoteAccount

    Evidence = tuple[str, ...]


@dataclass(slots=True)
class Identities:
    """What became known of the accounts of one answer."""

    renamed: dict[int, int] = field(default_factory=dict)
    """Our account id by the provider's new id."""
    shadows: set[int] = field(default_factory=set)
    """Ids that are listed although the account goes by another one: to be ignored."""
    successors: list[tuple[int, int]] = field(default_factory=list)
    """(our id of an account that vanished, the provider's id of one that came): perhaps its successor."""


def identify(
    stored: Sequence[StoredAccount], listed: Sequence[RemoteAccount], former: Mapping[int, int]
) -> Identities:
    """Return which listed accounts are stored ones under other ids.

    `former` holds our ids of accounts of this connection by provider ids that they had before.
    """
    found = Identities()
    current = {each.provider_id: each for each in stored if each.here}
    by_id = {each.id: each for each in stored}
    states = {remote.provider_id: remote.state for remote in listed}
    unknown = [remote for remote in listed if remote.provider_id not in current]
    for remote in unknown:
        if remote.provider_id in former:
            _return(found, remote, by_id[former[remote.provider_id]], states)
    strangers = [
        remote
        for remote in unknown
        if remote.provider_id not in former and remote.state is not AccountState.GONE
    ]
    free = [
        each
        for each in stored
        if each.id not in found.renamed.values()
        and (states.get(each.provider_id, AccountState.GONE) is AccountState.GONE if each.here else each.gone)
    ]
    for remote in strangers:
        _recognise(found, remote, strangers, free, states)
    _suspect_successor(found, strangers, free)
    return found


def reunions(stored: Sequence[StoredAccount], listed: Sequence[RemoteAccount]) -> list[tuple[int, int]]:
    """Return (our id of an account that is gone, our id of a listed one that continues it).

    Both were kept as accounts of their own, before the one was gone or before the other said who it is.
    """
    current = {each.provider_id: each for each in stored if each.here}
    alive = [each for each in listed if each.provider_id in current and each.state is not AccountState.GONE]
    lists = {each.provider_id for each in alive}
    free = [each for each in stored if each.gone and not (each.here and each.provider_id in lists)]
    evidence = {each.provider_id: _evidence_of(each, current[each.provider_id]) for each in alive}
    found: list[tuple[int, int]] = []
    for provider_id, told in evidence.items():
        alike = _alike(free, told)
        if len(alike) == 1 and list(evidence.values()).count(told) == 1:
            found.append((alike[0].id, current[provider_id].id))
    return found


def _evidence_of(remote: RemoteAccount, account: StoredAccount) -> Evidence | None:
    """Return what tells a known account apart, of which an answer may leave out what was told before."""
    code = remote.currency.code
    kind = account.kind if remote.kind is AccountKind.OTHER else remote.kind
    return _evidence(
        remote.iban or account.iban,
        remote.number or account.number,
        account.currency if code == NO_CURRENCY else code,
        kind,
    )


def _alike(free: Sequence[StoredAccount], evidence: Evidence | None) -> list[StoredAccount]:
    return [
        each
        for each in free
        if evidence is not None
        and _evidence(each.iban, each.number, each.currency, each.kind) == evidence
        and (each.iban or each.here or each.same_bank)
    ]


def _return(
    found: Identities, remote: RemoteAccount, account: StoredAccount, states: Mapping[int, AccountState]
) -> None:
    """Let an account go by a former id again, where it is alive under that one only."""
    now = states.get(account.provider_id)
    alive = remote.state is AccountState.ACTIVE and now is not AccountState.ACTIVE
    if account.id not in found.renamed.values() and (now is None or alive):
        found.renamed[remote.provider_id] = account.id
        found.shadows |= {account.provider_id} & states.keys()
    else:
        found.shadows.add(remote.provider_id)


def _recognise(
    found: Identities,
    remote: RemoteAccount,
    strangers: Sequence[RemoteAccount],
    free: Sequence[StoredAccount],
    states: Mapping[int, AccountState],
) -> None:
    evidence = _evidence(remote.iban, remote.number, remote.currency.code, remote.kind)
    if evidence is None:
        return
    rivals = [
        each
        for each in strangers
        if _evidence(each.iban, each.number, each.currency.code, each.kind) == evidence
    ]
    alike = _alike(free, evidence)
    if len(rivals) == len(alike) == 1:
        (account,) = alike
        found.renamed[remote.provider_id] = account.id
        if account.here:
            found.shadows |= {account.provider_id} & states.keys()


def _evidence(iban: str, number: str, currency: str, kind: AccountKind) -> Evidence | None:
    """Return what tells accounts apart; a number alone is only one within its kind and its bank."""
    if iban:
        return ("iban", iban, currency)
    return ("number", number, currency, kind.value) if number else None


def _suspect_successor(
    found: Identities, strangers: Sequence[RemoteAccount], free: Sequence[StoredAccount]
) -> None:
    """Name the one account that came in the very answer in which one of its IBAN, or of its kind, went.

    An IBAN in another currency may be another account beside the first: that is for the person to say.
    """
    went = [each for each in free if each.here and not each.gone and each.id not in found.renamed.values()]
    came = [each for each in strangers if each.provider_id not in found.renamed]
    for remote in came:
        for left, right in (
            (
                [each for each in went if remote.iban and each.iban == remote.iban],
                [each for each in came if each.iban == remote.iban],
            ),
            (
                [each for each in went if (each.kind, each.currency) == (remote.kind, remote.currency.code)],
                [each for each in came if (each.kind, each.currency) == (remote.kind, remote.currency)],
            ),
        ):
            if len(left) == len(right) == 1:
                found.successors.append((left[0].id, remote.provider_id))
                break
