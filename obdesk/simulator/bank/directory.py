"""The banks of the simulated country: invented ones, the test connector and the demo institution."""

from __future__ import annotations

from uuid import NAMESPACE_DNS, uuid5

from obdesk.simulator.bank.connectors import Choice, Connector, Language, LoginField, Sca, Source
from obdesk.simulator.bank.scripts import TEST_CHOICES

TEST_CONNECTOR_UUID = "338178e6-3d01-564f-9a7b-52ca442459bf"
DEMO_SLUG = "DEMO"

_FR = Language.FR
_EN = Language.EN

# name, slug, colour, code, country, language, SCA, town, account kinds, taglines
_INVENTED = (
    (
        ("Banque de l'Iroise", "IROISE", "0B5D7A", "30817", "fr", _FR, Sca.APP, "BREST"),
        ("checking", "card", "livret_a", "pel", "mortgage"),
        ("La banque du grand large", "Banking at the edge of the sea"),
    ),
    (
        ("Caisse d'Armor", "ARMOR", "B4472E", "14926", "fr", _FR, Sca.OTP, "RENNES"),
        ("joint", "ldds", "pea", "lifeinsurance"),
        ("Ensemble, tout simplement", "Together, simply"),
    ),
    (
        ("Harbour & Vale Bank", "HARBVALE", "22577A", "91340", "us", _EN, Sca.NONE, "PORTLAND"),
        ("usd_checking", "usd_savings", "jpy_savings"),
        ("Votre argent, partout", "Your money, anywhere"),
    ),
    (
        ("Néobanque Ruche", "RUCHE", "8F6300", "28417", "fr", _FR, Sca.NONE, "PARIS"),
        ("neo_checking", "savings"),
        ("Butinez malin", "Banking that buzzes"),
    ),
    (
        ("Crédit du Haut-Léon", "HAUTLEON", "3E5C2F", "17389", "fr", _FR, Sca.WEBAUTH, "MORLAIX"),
        ("checking", "livret_a", "loan"),
        ("Près de chez vous depuis 1893", "Close to you since 1893"),
    ),
    (
        ("Comptoir Patrimoine", "COMPTOIR", "4B3869", "41219", "fr", _FR, Sca.APP, "LYON"),
        ("cash", "pea", "lifeinsurance", "perp"),
        ("Investir, en confiance", "Invest with confidence"),
    ),
    (
        ("Thames & Tyne", "THAMES", "1D3461", "60162", "gb", _EN, Sca.APP, "LONDON"),
        ("gbp_checking", "gbp_savings"),
        ("La banque britannique", "A bank you can talk to"),
    ),
    (
        ("Banque des Deux Rives", "DEUXRIVES", "7A1E3A", "18707", "fr", _FR, Sca.OTP, "TOULOUSE"),
        ("checking", "card", "cel"),
        ("D'une rive à l'autre", "From one bank to the other"),
    ),
    (
        ("Rheinuferbank", "RHEINUFER", "2F2F2F", "37050", "de", _EN, Sca.APP, "KÖLN"),
        ("eur_checking", "savings"),
        ("La banque du Rhin", "The bank on the Rhine"),
    ),
    (
        ("Crédit Agraire de Beauce", "BEAUCE", "56731C", "14406", "fr", _FR, Sca.NONE, "CHARTRES"),
        ("checking", "livret_a", "csl"),
        ("Les pieds sur terre", "Down to earth"),
    ),
)

_COUNTRIES = {"fr": "France", "us": "États-Unis", "gb": "Royaume-Uni", "de": "Allemagne"}


def _login_fields(language: Language, sources: tuple[str, ...]) -> tuple[LoginField, ...]:
    login_fr = "Identifiant client" if language is _FR else "Nom d'utilisateur"
    login_en = "Customer number" if language is _FR else "Username"
    return (
        LoginField("login", "text", login_fr, login_en, sources=sources),
        LoginField("password", "password", "Code personnel", "Password", sources=sources),
    )


def _sources(first_id: int, sca: Sca) -> tuple[Source, ...]:
    mechanism = "webauth" if sca is Sca.WEBAUTH else "credentials"
    return (
        Source(first_id, "openapi", 1, mechanism, ("credentials", "webauth")),
        Source(first_id + 1, "directaccess", 2, "credentials", ("credentials",)),
    )


def _invented(number: int) -> Connector:
    (name, slug, color, code, country, language, sca, town), kinds, taglines = _INVENTED[
        number % len(_INVENTED)
    ]
    if number >= len(_INVENTED):
        name, slug = f"{name} {number // len(_INVENTED) + 1}", f"{slug}{number // len(_INVENTED) + 1}"
    sources = _sources(101 + 2 * number, sca)
    wealth = "pea" in kinds or "lifeinsurance" in kinds
    return Connector(
        id=51 + number,
        uuid=str(uuid5(NAMESPACE_DNS, f"{slug.lower()}.bank.invalid")),
        name=name,
        code=code,
        color=color,
        slug=slug,
        country=country,
        country_name=_COUNTRIES[country],
        language=language,
        sca=sca,
        fields=_login_fields(language, tuple(source.name for source in sources)),
        sources=sources,
        kinds=kinds,
        town=town,
        tagline_fr=taglines[0],
        tagline_en=taglines[1],
        capabilities=("bank", "bankwealth") if wealth else ("bank",),
        products=("bank", "wealth") if wealth else ("bank",),
    )


def _test_connector() -> Connector:
    sources = (
        Source(81, "openapi", 1, "credentials", ("credentials", "webauth"), ("PRIV", "ORGA")),
        Source(82, "directaccess", 2),
    )
    names = tuple(source.name for source in sources)
    websites = (
        LoginField("openapiwebsite", "list", "Scénario", "Scenario", choices=TEST_CHOICES),
        LoginField(
            "directaccesswebsite",
            "list",
            "Scénario (accès direct)",
            "Scenario (direct access)",
            required=False,
            choices=TEST_CHOICES,
            sources=("directaccess",),
        ),
    )
    return Connector(
        id=40,
        uuid=TEST_CONNECTOR_UUID,
        name="Connecteur de test",
        code="00000",
        color="D22B2B",
        slug="TST",
        country="fr",
        country_name="France",
        language=_FR,
        sca=Sca.SCRIPTED,
        fields=(
            *websites,
            LoginField("login", "text", "Identifiant", "Login", sources=names),
            LoginField("password", "password", "Mot de passe (1234)", "Password (1234)", sources=names),
        ),
        sources=sources,
        kinds=("checking", "card", "livret_a"),
        town="BREST",
        tagline_fr="Tous les états, à la demande",
        tagline_en="Every state, on demand",
        capabilities=("bank", "bankwealth", "document", "profile"),
        usages=("PRIV", "ORGA"),
        products=("bank", "wealth", "bill"),
        months_to_fetch=None,
        beta=True,
    )


def _demo_institution() -> Connector:
    sources = (Source(91, "openapi", 1), Source(92, "directaccess", 2))
    return Connector(
        id=41,
        uuid=str(uuid5(NAMESPACE_DNS, "demo.bank.invalid")),
        name="Demo Institution",
        code=None,
        color="0E6B57",
        slug=DEMO_SLUG,
        country="fr",
        country_name="France",
        language=_FR,
        sca=Sca.NONE,
        fields=(
            *_login_fields(_EN, ("openapi", "directaccess")),
            LoginField(
                "website",
                "list",
                "Espace",
                "Area",
                required=False,
                choices=(Choice("par", "Particuliers"), Choice("pro", "Professionnels")),
                sources=("openapi", "directaccess"),
            ),
        ),
        sources=sources,
        kinds=("checking", "livret_a", "pea"),
        town="PARIS",
        tagline_fr="Toujours d'accord",
        tagline_en="Never says no",
        capabilities=("bank", "bankwealth", "document"),
        products=("bank", "wealth", "bill"),
        never_fails=True,
    )


def _hidden() -> Connector:
    bank = _invented(3)
    bank.id, bank.uuid = 45, str(uuid5(NAMESPACE_DNS, "retired.bank.invalid"))
    bank.name, bank.slug, bank.hidden = "Comptoir fermé", "FERME", True
    bank.sources = (Source(95, "openapi", 1, disabled=True), Source(96, "directaccess", 2))
    return bank


def all_banks(invented: int) -> list[Connector]:
    """Return the connectors of a domain with `invented` banks, in the order the API lists them."""
    return [
        _test_connector(),
        _demo_institution(),
        _hidden(),
        *(_invented(number) for number in range(invented)),
    ]
