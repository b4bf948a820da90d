"""The guarded page: a browser page that can show a bank's login and do nothing else.

Every request of a page that a browser would put to its person or its system (permissions, files, downloads,
printing, full screen, protocol handlers, certificates) is answered with no, here and without a dialog.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, Qt, QTimer, QUrl, Signal
from PySide6.QtWebEngineCore import (
    QWebEngineLoadingInfo,
    QWebEnginePage,
    QWebEnginePermission,
    QWebEngineProfile,
    QWebEngineSettings,
    QWebEngineUrlRequestInfo,
    QWebEngineUrlRequestInterceptor,
)

from obdesk.domain.texts import tr
from obdesk.gui.linking.policy import Verdict
from obdesk.gui.linking.stages import PageFault

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from PySide6.QtCore import QObject
    from PySide6.QtWebEngineCore import (
        QWebEngineCertificateError,
        QWebEngineClientCertificateSelection,
        QWebEngineDesktopMediaRequest,
        QWebEngineDownloadRequest,
        QWebEngineFileSystemAccessRequest,
        QWebEngineFullScreenRequest,
        QWebEngineRegisterProtocolHandlerRequest,
        QWebEngineWebAuthUxRequest,
    )

    from obdesk.gui.linking.policy import Gate

    Opener = Callable[["GuardedPage"], bool]

QUESTIONS_MAX = 20
_ABORTED = -3  # net::ERR_ABORTED: a navigation that gave way to another, or became a download
_ATTRIBUTE = QWebEngineSettings.WebAttribute

_log = logging.getLogger(__name__)

ATTRIBUTES: dict[QWebEngineSettings.WebAttribute, bool] = {
    _ATTRIBUTE.LocalContentCanAccessFileUrls: False,
    _ATTRIBUTE.LocalContentCanAccessRemoteUrls: False,
    _ATTRIBUTE.PluginsEnabled: False,
    _ATTRIBUTE.PdfViewerEnabled: False,
    _ATTRIBUTE.ErrorPageEnabled: False,
    _ATTRIBUTE.DnsPrefetchEnabled: False,
    _ATTRIBUTE.WebRTCPublicInterfacesOnly: True,
    _ATTRIBUTE.AllowRunningInsecureContent: False,
    _ATTRIBUTE.AllowGeolocationOnInsecureOrigins: False,
    _ATTRIBUTE.FullScreenSupportEnabled: False,
    _ATTRIBUTE.ScreenCaptureEnabled: False,
    _ATTRIBUTE.HyperlinkAuditingEnabled: False,
    _ATTRIBUTE.JavascriptCanAccessClipboard: False,
    _ATTRIBUTE.JavascriptCanPaste: False,
    _ATTRIBUTE.JavascriptCanOpenWindows: True,  # banks open their own page in one; it is shown guarded
    _ATTRIBUTE.AllowWindowActivationFromJavaScript: False,
    _ATTRIBUTE.NavigateOnDropEnabled: False,
    _ATTRIBUTE.PlaybackRequiresUserGesture: True,
    _ATTRIBUTE.TouchIconsEnabled: False,
    _ATTRIBUTE.AutoLoadIconsForPage: False,
}


class Interceptor(QWebEngineUrlRequestInterceptor):
    """Blocks what a page may not fetch; it sees pictures, calls and sockets, redirected ones too."""

    def __init__(self, gate: Gate, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._gate = gate
        self.blocked = 0
        self.cancelled = 0

    def interceptRequest(self, info: QWebEngineUrlRequestInfo) -> None:
        """Override QWebEngineUrlRequestInterceptor.interceptRequest."""
        kind = info.resourceType()
        if kind is QWebEngineUrlRequestInfo.ResourceType.ResourceTypeMainFrame:
            return  # judged with its frame in GuardedPage.acceptNavigationRequest
        if not self._gate.resource(text_of(info.requestUrl())):
            self.blocked += 1
            info.block(True)

    def cancel_download(self, request: QWebEngineDownloadRequest) -> None:
        """Refuse a file before a byte of it is written."""
        request.cancel()
        self.cancelled += 1
        _log.info("a download of the embedded page was refused")


def new_profile(gate: Gate, language: str) -> tuple[QWebEngineProfile, Interceptor]:
    """Return a profile that lives in memory only, with its interceptor."""
    profile = QWebEngineProfile()
    assert profile.isOffTheRecord(), "a bank's login must leave nothing on the disk"
    profile.setHttpCacheType(QWebEngineProfile.HttpCacheType.MemoryHttpCache)
    profile.setPersistentCookiesPolicy(QWebEngineProfile.PersistentCookiesPolicy.NoPersistentCookies)
    profile.setPersistentPermissionsPolicy(QWebEngineProfile.PersistentPermissionsPolicy.AskEveryTime)
    profile.setPushServiceEnabled(False)
    profile.setSpellCheckEnabled(False)
    profile.setHttpAcceptLanguage(f"{language},en;q=0.5" if language != "en" else "en")
    interceptor = Interceptor(gate, profile)
    profile.setUrlRequestInterceptor(interceptor)
    profile.downloadRequested.connect(interceptor.cancel_download)
    settings = profile.settings()
    for attribute, wanted in ATTRIBUTES.items():
        settings.setAttribute(attribute, wanted)
    settings.setUnknownUrlSchemePolicy(QWebEngineSettings.UnknownUrlSchemePolicy.DisallowUnknownUrlSchemes)
    return profile, interceptor


class GuardedPage(QWebEnginePage):
    """One page of an attempt: the main one, or a pop-up of it that lives under the same rules.

    Signals come after the engine's own call has returned, so whoever hears them may delete the page.
    """

    cameBack = Signal(str)
    broke = Signal(object)
    said = Signal(str)

    def __init__(self, profile: QWebEngineProfile, gate: Gate, *, main: bool, opener: Opener) -> None:
        super().__init__(profile)
        self._gate = gate
        self._main = main
        self._opener = opener
        self._questions = 0
        self.refused = 0
        self.setBackgroundColor(Qt.GlobalColor.white)
        self._refuse_requests()
        self.loadingChanged.connect(self._loading)
        self.renderProcessTerminated.connect(self._terminated)
        self.certificateError.connect(self._certificate)
        if main:
            self.windowCloseRequested.connect(lambda: self._break(PageFault.CLOSED))

    def acceptNavigationRequest(
        self,
        url: QUrl | str,
        navigation: QWebEnginePage.NavigationType,
        is_main: bool,  # noqa: FBT001 - Qt
    ) -> bool:
        """Override QWebEnginePage.acceptNavigationRequest: asked before any name is looked up."""
        del navigation
        address = text_of(url)
        match self._gate.navigation(address, main_frame=is_main, main_page=self._main):
            case Verdict.ALLOW:
                return True
            case Verdict.CAME_BACK:
                self._later(lambda: self.cameBack.emit(address))
            case Verdict.WRONG_STATE:
                self._break(PageFault.WRONG_STATE)
            case Verdict.REFUSE:
                self.refused += 1
                if is_main:
                    self._say(tr("The page wanted to go to an address that is not allowed; it stayed here."))
        return False

    def createWindow(self, kind: QWebEnginePage.WebWindowType) -> QWebEnginePage | None:  # type: ignore[override]
        """Override QWebEnginePage.createWindow: a child window, or none when there are too many."""
        del kind
        page = GuardedPage(self.profile(), self._gate, main=False, opener=self._opener)
        if self._opener(page):
            return page
        self.refused += 1
        page.deleteLater()
        return None

    def chooseFiles(
        self, mode: QWebEnginePage.FileSelectionMode, old: Sequence[str], types: Sequence[str]
    ) -> list[str]:
        """Override QWebEnginePage.chooseFiles: a bank's login needs none of the person's files."""
        del mode, old, types
        self._refuse(tr("The page asked for a file; obdesk gave none."))
        return []

    def javaScriptAlert(self, origin: QUrl | str, message: str) -> None:
        """Override QWebEnginePage.javaScriptAlert: the words appear in the window, nothing waits."""
        del origin
        if self._question():
            self._say(tr("The page says: {words}", words=plain(message)))

    def javaScriptConfirm(self, origin: QUrl | str, message: str) -> bool:
        """Override QWebEnginePage.javaScriptConfirm: only leaving a page is agreed to."""
        del origin
        if message == QCoreApplication.translate(
            "QWebEnginePage",
            "Are you sure you want to leave this page? Changes that you made may not be saved.",
        ):
            return True
        if self._question():
            self._say(
                tr(
                    "The page asked: {words}. obdesk answered no; in your own browser you can answer.",
                    words=plain(message),
                )
            )
        return False

    def javaScriptPrompt(self, origin: QUrl | str, message: str, default: str) -> tuple[bool, str]:
        """Override QWebEnginePage.javaScriptPrompt: nothing is typed outside the page itself."""
        del origin, message, default
        self._question()
        return False, ""

    def javaScriptConsoleMessage(
        self, level: QWebEnginePage.JavaScriptConsoleMessageLevel, message: str, line: int, source: str
    ) -> None:
        """Override QWebEnginePage.javaScriptConsoleMessage: a bank's page may print secrets there."""

    def _refuse_requests(self) -> None:
        self.permissionRequested.connect(self._permission)
        self.fullScreenRequested.connect(self._full_screen)
        self.registerProtocolHandlerRequested.connect(self._handler)
        self.fileSystemAccessRequested.connect(self._file_system)
        self.selectClientCertificate.connect(self._client_certificate)
        self.desktopMediaRequested.connect(self._desktop)
        self.webAuthUxRequested.connect(self._web_auth)
        self.printRequested.connect(self._printing)

    def _permission(self, permission: QWebEnginePermission) -> None:
        self.refused += 1
        permission.deny()

    def _full_screen(self, request: QWebEngineFullScreenRequest) -> None:
        self.refused += 1
        request.reject()

    def _handler(self, request: QWebEngineRegisterProtocolHandlerRequest) -> None:
        self.refused += 1
        request.reject()

    def _file_system(self, request: QWebEngineFileSystemAccessRequest) -> None:
        self.refused += 1
        request.reject()

    def _client_certificate(self, selection: QWebEngineClientCertificateSelection) -> None:
        self.refused += 1
        selection.selectNone()

    def _desktop(self, request: QWebEngineDesktopMediaRequest) -> None:
        self.refused += 1
        request.cancel()

    def _web_auth(self, request: QWebEngineWebAuthUxRequest) -> None:
        self._refuse(tr("The bank wants a security key; your own browser can use one."))
        request.cancel()

    def _printing(self) -> None:
        self.refused += 1

    def _certificate(self, error: QWebEngineCertificateError) -> None:
        main = error.isMainFrame()
        error.rejectCertificate()
        self.refused += 1
        _log.info("a site with a bad certificate was left")
        if main:
            self._break(PageFault.CERTIFICATE)

    def _loading(self, info: QWebEngineLoadingInfo) -> None:
        if info.status() is not QWebEngineLoadingInfo.LoadStatus.LoadFailedStatus:
            return
        domain = info.errorDomain()
        network = {
            QWebEngineLoadingInfo.ErrorDomain.ConnectionErrorDomain,
            QWebEngineLoadingInfo.ErrorDomain.HttpErrorDomain,
            QWebEngineLoadingInfo.ErrorDomain.DnsErrorDomain,
        }
        if self._main and domain in network and info.errorCode() != _ABORTED:
            self._break(PageFault.LOAD_FAILED)

    def _terminated(self, status: QWebEnginePage.RenderProcessTerminationStatus, code: int) -> None:
        del code
        if status is not QWebEnginePage.RenderProcessTerminationStatus.NormalTerminationStatus:
            self._break(PageFault.CRASHED)

    def _question(self) -> bool:
        """Count a dialog; a page that does not stop asking is closed."""
        self.refused += 1
        self._questions += 1
        if self._questions == QUESTIONS_MAX:
            self._break(PageFault.NAGGING)
        return self._questions < QUESTIONS_MAX

    def _refuse(self, sentence: str) -> None:
        self.refused += 1
        self._say(sentence)

    def _say(self, sentence: str) -> None:
        self._later(lambda: self.said.emit(sentence))

    def _break(self, fault: PageFault) -> None:
        self._later(lambda: self.broke.emit(fault))

    def _later(self, call: Callable[[], None]) -> None:
        QTimer.singleShot(0, self, call)


def text_of(url: QUrl | str) -> str:
    """Return an address as it goes over the wire."""
    if isinstance(url, str):
        return url
    return bytes(url.toEncoded().data()).decode("ascii", "replace")


def plain(words: str) -> str:
    """Return a page's words as one short line without control or direction marks."""
    kept = "".join(sign if sign.isprintable() else " " for sign in words)
    return " ".join(kept.split())[:200]
