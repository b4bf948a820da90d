"""What the pages say, in English and French."""

from __future__ import annotations

import re

_TEXTS = {
    "brand": ("Account link", "Liaison de comptes"),
    "simulated": (
        "Simulated service: every bank, name and amount is invented.",
        "Service simulé : banques, noms et montants sont inventés.",
    ),
    "secure": ("Read-only access", "Accès en lecture seule"),
    "cancel": ("Cancel", "Annuler"),
    "continue": ("Continue", "Continuer"),
    "back": ("Choose another bank", "Choisir une autre banque"),
    "retry": ("Try again", "Réessayer"),
    "choose.title": ("Choose your bank", "Choisissez votre banque"),
    "choose.lead": (
        "Search by name, or pick from the list.",
        "Cherchez par nom, ou choisissez dans la liste.",
    ),
    "choose.search": ("Search for a bank", "Rechercher une banque"),
    "choose.button": ("Search", "Rechercher"),
    "choose.none": ("No bank of that name.", "Aucune banque de ce nom."),
    "choose.terms": (
        "By continuing you allow this service to read your accounts.",
        "En continuant, vous autorisez ce service à lire vos comptes.",
    ),
    "choose.decline": ("I do not accept", "Je n'accepte pas"),
    "beta": ("test", "test"),
    "login.title": ("Sign in to {bank}", "Connectez-vous à {bank}"),
    "login.lead": (
        "Use the details you use on your bank's site. They go to the bank only.",
        "Utilisez vos identifiants habituels. Ils ne vont qu'à la banque.",
    ),
    "login.hint": (
        "Demo: any login will do. The password “wrong” is refused.",
        "Démo : n'importe quel identifiant convient. Le mot de passe « wrong » est refusé.",
    ),
    "login.hint.test": ("Demo: the password is 1234.", "Démo : le mot de passe est 1234."),
    "login.submit": ("Sign in", "Se connecter"),
    "optional": ("optional", "facultatif"),
    "otp.title": ("Enter your code", "Saisissez votre code"),
    "otp.lead": (
        "{bank} sent a code by text message to the phone ending in 42.",
        "{bank} a envoyé un code par SMS au téléphone finissant par 42.",
    ),
    "otp.hint": ("Demo: the code is {code}.", "Démo : le code est {code}."),
    "otp.label": ("Code from the text message", "Code reçu par SMS"),
    "otp.submit": ("Confirm", "Valider"),
    "otp.again": ("Send a new code", "Envoyer un nouveau code"),
    "app.title": ("Approve in your banking app", "Validez dans votre application"),
    "app.lead": (
        "Open the {bank} app on your phone and allow read access to your accounts.",
        "Ouvrez l'application {bank} sur votre téléphone et autorisez la lecture de vos comptes.",
    ),
    "app.waiting": ("Waiting for your approval", "En attente de votre validation"),
    "app.left": ("left", "restantes"),
    "app.nothing": (
        "No message? Open the app and pull down.",
        "Pas de message ? Ouvrez l'application et actualisez.",
    ),
    "app.approve": ("I approved in my bank app", "J'ai validé dans mon application"),
    "app.refuse": ("I refused in my bank app", "J'ai refusé dans mon application"),
    "bank.title": ("Give access to your accounts", "Donnez accès à vos comptes"),
    "bank.lead": (
        "This is {bank}'s own page. May this service read your accounts for {days} days?",
        "Vous êtes chez {bank}. Ce service peut-il lire vos comptes pendant {days} jours ?",
    ),
    "bank.scopes": (
        "Balances, transactions and account details",
        "Soldes, opérations et informations de compte",
    ),
    "bank.allow": ("Allow access", "Autoriser l'accès"),
    "bank.deny": ("Refuse", "Refuser"),
    "accounts.title": ("Choose your accounts", "Choisissez vos comptes"),
    "accounts.lead": (
        "Only the accounts you tick are read. You can change this later.",
        "Seuls les comptes cochés seront lus. Vous pourrez changer d'avis.",
    ),
    "accounts.submit": ("Link these accounts", "Relier ces comptes"),
    "accounts.locked": ("not asked for", "non demandé"),
    "more.title": ("{bank} is linked", "{bank} est reliée"),
    "more.lead": ("You may add another bank now.", "Vous pouvez ajouter une autre banque."),
    "more.add": ("Add another bank", "Ajouter une banque"),
    "more.finish": ("Finish", "Terminer"),
    "notice.fine": ("Everything is in order", "Tout est en ordre"),
    "notice.fine.lead": (
        "{bank} asks for nothing at the moment.",
        "{bank} ne demande rien pour le moment.",
    ),
    "notice.wait": ("{bank} does not answer for now", "{bank} ne répond pas pour l'instant"),
    "notice.wait.lead": (
        "There is nothing you need to do. It will be tried again by itself.",
        "Vous n'avez rien à faire. Un nouvel essai aura lieu tout seul.",
    ),
    "notice.act": ("{bank} needs you on its own site", "{bank} vous attend sur son site"),
    "notice.act.lead": (
        "Do what the bank asks on its site, then come back here.",
        "Faites ce que la banque demande sur son site, puis revenez ici.",
    ),
    "notice.act.done": ("I have done it", "C'est fait"),
    "done.title": ("You may close this window", "Vous pouvez fermer cette fenêtre"),
    "done.lead": ("The rest happens in your application.", "La suite se passe dans votre application."),
    "manage.title": ("Your banks", "Vos banques"),
    "manage.lead": (
        "Choose what is read, repair or remove.",
        "Choisissez ce qui est lu, réparez ou retirez.",
    ),
    "manage.save": ("Save", "Enregistrer"),
    "manage.repair": ("Repair", "Réparer"),
    "manage.remove": ("Remove", "Retirer"),
    "manage.add": ("Add a bank", "Ajouter une banque"),
    "manage.close": ("Close", "Fermer"),
    "manage.none": ("No bank is linked.", "Aucune banque n'est reliée."),
    "state.fine": ("up to date", "à jour"),
    "state.person": ("needs you", "vous attend"),
    "state.wait": ("delayed", "en attente"),
    "error.title": ("This link cannot be opened", "Ce lien ne peut pas être ouvert"),
    "error.domain": ("The domain is unknown.", "Le domaine est inconnu."),
    "error.client": ("The application is unknown.", "L'application est inconnue."),
    "error.redirect": (
        "The return address is not one the application registered. For your safety nothing was opened.",
        "L'adresse de retour n'est pas enregistrée. Par sécurité, rien n'a été ouvert.",
    ),
    "error.code": ("The link has expired or was already used.", "Le lien a expiré ou a déjà servi."),
    "error.connection": ("This connection does not exist.", "Cette connexion n'existe pas."),
    "error.visit": ("This page has expired.", "Cette page a expiré."),
    "error.lead": (
        "Go back to your application and start again.",
        "Revenez à votre application et recommencez.",
    ),
    "problem.wrongpass": (
        "The bank did not accept these details. Nothing was saved.",
        "La banque n'a pas accepté ces identifiants. Rien n'a été enregistré.",
    ),
    "problem.code": ("That code is not right.", "Ce code n'est pas le bon."),
    "problem.websiteUnavailable": (
        "The bank does not answer. Try again in a few minutes.",
        "La banque ne répond pas. Réessayez dans quelques minutes.",
    ),
    "problem.missing": ("Please fill in every field.", "Veuillez remplir tous les champs."),
    "problem.invalidValue": ("The bank does not know that choice.", "La banque ne connaît pas ce choix."),
    "problem.bug": ("Something went wrong on our side.", "Un incident s'est produit de notre côté."),
    "problem.app": (
        "The request was refused or ran out of time in your app.",
        "La demande a été refusée ou a expiré dans votre application.",
    ),
    "problem.denied": (
        "You refused access at your bank.",
        "Vous avez refusé l'accès auprès de votre banque.",
    ),
    "problem.accounts": ("Tick at least one account.", "Cochez au moins un compte."),
    "kind.checking": ("Current account", "Compte courant"),
    "kind.card": ("Deferred debit card", "Carte à débit différé"),
    "kind.loan": ("Loan", "Crédit"),
    "kind.pea": ("Share savings plan", "Plan d'épargne en actions"),
    "kind.lifeinsurance": ("Life insurance", "Assurance vie"),
    "kind.perp": ("Retirement plan", "Plan d'épargne retraite"),
    "kind.other": ("Savings account", "Compte d'épargne"),
}

_CLOSE = re.compile(" ([?!:;»])")
_OPEN = re.compile("« ")
LANGUAGES = ("en", "fr")


def text(lang: str, key: str, **values: object) -> str:
    """Return a text in `lang`; any language but French reads English."""
    chosen = _french(_TEXTS[key][1]) if lang == "fr" else _TEXTS[key][0]
    return chosen.format(**values) if values else chosen


def _french(sentence: str) -> str:
    """Return a French sentence whose spaces before punctuation do not break."""
    return _OPEN.sub("«\u00a0", _CLOSE.sub("\u00a0\\1", sentence))


def kind_text(lang: str, kind: str) -> str:
    """Return what an account type is called."""
    key = f"kind.{kind}"
    return text(lang, key if key in _TEXTS else "kind.other")


def problem_text(lang: str, problem: str) -> str:
    """Return the sentence for a problem; an unknown one is our own fault."""
    key = f"problem.{problem}"
    return text(lang, key if key in _TEXTS else "problem.bug")


def number_ending(number: str) -> str:
    """Return the last four characters of an account number, the way banks mask them."""
    return f"•••• {number[-4:]}"
