"""The shapes of a connector: what one bank is called, asks for and how it can be reached."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum


class Sca(Enum):
    """How a bank makes sure that the person is present."""

    NONE = "none"
    OTP = "otp"
    APP = "app"
    WEBAUTH = "webauth"
    SCRIPTED = "scripted"  # the choice of a list value decides, see `scripts.py`


class Language(Enum):
    """The language a bank prints its wordings and messages in."""

    FR = "fr"
    EN = "en"


@dataclass(frozen=True, slots=True)
class Choice:
    """One entry of a list field."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class LoginField:
    """One thing a bank asks for; `kind` is text, password, date or list."""

    name: str
    kind: str
    label_fr: str
    label_en: str
    required: bool = True
    regex: str | None = None
    choices: tuple[Choice, ...] = ()
    sources: tuple[str, ...] = ("openapi",)
    mechanisms: tuple[str, ...] = ("credentials",)

    def label(self, language: str) -> str:
        """Return the label in `language`, English for any language but French."""
        return self.label_fr if language == "fr" else self.label_en


@dataclass(frozen=True, slots=True)
class Source:
    """One way to reach a bank; the lowest priority number is used first."""

    id: int
    name: str
    priority: int
    mechanism: str = "credentials"
    mechanisms: tuple[str, ...] = ("credentials",)
    usages: tuple[str, ...] = ("PRIV",)
    disabled: bool = False


@dataclass(slots=True)
class Connector:
    """One bank as the API lists it. `hidden` and source settings can be changed through the API."""

    id: int
    uuid: str
    name: str
    code: str | None
    color: str
    slug: str
    country: str
    country_name: str
    language: Language
    sca: Sca
    fields: tuple[LoginField, ...]
    sources: tuple[Source, ...]
    kinds: tuple[str, ...]
    town: str = ""
    tagline_fr: str = ""
    tagline_en: str = ""
    capabilities: tuple[str, ...] = ("bank",)
    usages: tuple[str, ...] = ("PRIV",)
    products: tuple[str, ...] = ("bank",)
    months_to_fetch: int | None = 24
    beta: bool = False
    hidden: bool = False
    restricted: bool = False
    stable: bool = True
    never_fails: bool = False
    sync_frequency: int | None = None
    disabled_sources: set[int] = field(default_factory=set)

    @property
    def mechanism(self) -> str:
        """How the first source authenticates: credentials or webauth."""
        return self.sources[0].mechanism

    def source_named(self, name: str | None) -> Source:
        """Return the source called `name`, or the one with the lowest priority number in use."""
        usable = [item for item in self.sources if not item.disabled and item.id not in self.disabled_sources]
        chosen = [item for item in usable or self.sources if name in {None, item.name}]
        if not chosen:
            raise KeyError(name)
        return min(chosen, key=lambda item: item.priority)
