"""What the source of the embedded browser may not contain, read from its syntax tree."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import obdesk.gui.linking

FOLDER = Path(obdesk.gui.linking.__file__).parent
BRIDGES = {
    "runJavaScript",
    "setWebChannel",
    "webChannel",
    "scripts",
    "QWebChannel",
    "QWebEngineScript",
    "setDevToolsPage",
    "setInspectedPage",
    "installUrlSchemeHandler",
    "ignoreCertificateError",
    "acceptCertificate",
    "grant",
    "defer",
    "toHtml",
    "toPlainText",
    "printToPdf",
    "defaultProfile",
}


def names_in(source: str) -> set[str]:
    """Return every name and attribute a source uses."""
    nodes = list(ast.walk(ast.parse(source)))
    found = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    found |= {node.id for node in nodes if isinstance(node, ast.Name)}
    return found | {alias.name for node in nodes if isinstance(node, ast.ImportFrom) for alias in node.names}


def imports_at_once(path: Path, what: str) -> bool:
    """Tell whether a module imports `what` when it is imported itself, not only when it is used."""
    body = ast.parse(path.read_text("utf-8")).body
    return any(isinstance(node, ast.ImportFrom) and (node.module or "").startswith(what) for node in body)


def test_no_bridge_into_a_page_and_no_way_round_a_refusal() -> None:
    for path in FOLDER.glob("*.py"):
        assert not names_in(path.read_text("utf-8")) & BRIDGES, path


def test_a_bridge_would_be_noticed() -> None:
    assert names_in("page.runJavaScript('1')") & BRIDGES


def test_the_engine_is_imported_by_the_two_modules_that_show_a_page_only() -> None:
    found = {path.stem for path in FOLDER.glob("*.py") if imports_at_once(path, "PySide6.QtWebEngine")}
    assert found == {"guard", "webview"}


def test_the_flow_and_the_rules_need_no_qt() -> None:
    code = (
        "import sys, obdesk.gui.linking.flow, obdesk.gui.linking.policy, obdesk.gui.linking.engine;"
        "assert not [name for name in sys.modules if name.startswith('PySide6')]"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
