"""A site that tries what a hijacked bank's page might: one page per trick, and a book of what worked.

Each page has one focused button; pressing Enter is the gesture browsers ask for. A trick that gets through
calls `won(...)`, reaches the forbidden server, or moves the window; a page that has tried calls `tried()`.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

STATE = "the-right-state-of-this-attempt"
REDIRECT = "https://obdesk.invalid/callback"

PAGE = """<!doctype html><html><head><meta charset="utf-8"><title>trick</title>
<link rel="icon" href="data:,"><script>
const LAN = "{lan}", TLS = "{tls}", BACK = "{back}", RIGHT = BACK + "?state={state}";
function report(kind, what) {{ return fetch("/" + kind + "/{name}?what=" + encodeURIComponent(what || "")); }}
function won(what) {{ return report("won", what); }}
function tried() {{ return report("tried"); }}
function frame(src) {{ document.body.append(Object.assign(document.createElement("iframe"), {{src}})); }}
function soon(ms) {{ return new Promise(r => setTimeout(r, ms)); }}
function add(tag, attributes) {{
  const made = document.createElement(tag);
  for (const key in attributes) made.setAttribute(key, attributes[key]);
  return new Promise(done => {{
    made.onload = () => {{ won(tag); done(); }}; made.onerror = () => done();
    document.body.appendChild(made); setTimeout(done, 300);
  }});
}}
async function trick() {{ {script} }}
let begun = false;
async function go() {{
  if (begun) return;
  begun = true; report("begun");
  try {{ await trick(); }} catch (error) {{ }}
  tried();
}}
</script></head><body><button autofocus onclick="go()">Go</button></body></html>"""


def _scripts(file: str) -> dict[str, str]:
    """Return the scripts of a file by their titles."""
    parts = Path(__file__).with_name(file).read_text("utf-8").split("\n/// ")[1:]
    return {title: body for title, _, body in (part.partition("\n") for part in parts)}


TRICKS = _scripts("linking_hostile_tricks.js")
SPECIALS = _scripts("linking_hostile_specials.js")


class Book:
    """What happened, seen from the servers."""

    def __init__(self) -> None:
        self.begun: set[str] = set()
        self.tried: set[str] = set()
        self.won: list[str] = []
        self.forbidden: list[str] = []
        self.cookies: list[str] = []


class HostileSite:
    """The site on loopback, a forbidden server on the local network, and one with a bad certificate."""

    def __init__(self, folder: Path) -> None:
        self.book = Book()
        self._servers: list[ThreadingHTTPServer] = []
        self.lan_host = _own_address()
        lan = self._serve(self.lan_host or "127.0.0.1", _forbidden(self.book))
        # Without a network the address is one that nobody answers; the rules refuse it all the same.
        self.lan = f"http://{self.lan_host}:{lan}" if self.lan_host else "http://10.254.254.254:9"
        self.tls = f"https://127.0.0.1:{self._serve('127.0.0.1', _forbidden(self.book), _bad_tls(folder))}"
        self.root = f"http://127.0.0.1:{self._serve('127.0.0.1', _pages(self))}"

    def url(self, name: str) -> str:
        return f"{self.root}/trick/{list(TRICKS).index(name)}"

    def special(self, name: str) -> str:
        return f"{self.root}/trick/{name}"

    def page(self, name: str) -> str:
        script = list(TRICKS.values())[int(name)] if name.isdigit() else SPECIALS[name]
        return PAGE.format(lan=self.lan, tls=self.tls, back=REDIRECT, state=STATE, name=name, script=script)

    def close(self) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()

    def _serve(
        self, host: str, handler: type[BaseHTTPRequestHandler], tls: ssl.SSLContext | None = None
    ) -> int:
        server = _QuietServer((host, 0), handler)
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        self._servers.append(server)
        return int(server.server_address[1])


class _QuietServer(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Override BaseServer.handle_error: a browser that hangs up is what this is about."""


class _Quiet(BaseHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
        """Override BaseHTTPRequestHandler.log_message."""

    def answer(self, body: bytes, kind: str = "text/html; charset=utf-8", **headers: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)


def _forbidden(book: Book) -> type[BaseHTTPRequestHandler]:
    class Forbidden(_Quiet):
        def do_GET(self) -> None:
            book.forbidden.append(f"{self.command} {self.path}")
            self.answer(b"got through", Access_Control_Allow_Origin="*")

        do_POST = do_GET

    return Forbidden


def _pages(site: HostileSite) -> type[BaseHTTPRequestHandler]:
    class Pages(_Quiet):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            site.book.cookies.append(self.headers.get("Cookie", "none"))
            kind, _, rest = parts.path.strip("/").partition("/")
            match kind:
                case "trick":
                    self.answer(site.page(rest).encode())
                case "begun" | "tried" | "won":
                    self.note(kind, rest)
                case "to":
                    self.send_response(302)
                    self.send_header("Location", parts.query)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                case "file" | "attachment":
                    self.answer(b"MZ...", "application/octet-stream", Content_Disposition="attachment")
                case "document.pdf":
                    self.answer(b"%PDF-1.4", "application/pdf")
                case "worker.js":
                    self.answer(b"", "text/javascript")
                case _:
                    self.answer(b"<!doctype html><title>blank</title>")

        def note(self, kind: str, name: str) -> None:
            book = site.book
            {"begun": book.begun.add, "tried": book.tried.add, "won": book.won.append}[kind](name)
            self.answer(b"")

        do_POST = do_GET

    return Pages


def _own_address() -> str | None:
    """Return an address of this machine on the local network, without sending anything."""
    for _, name in socket.if_nameindex() if hasattr(socket, "if_nameindex") else ():
        address = _address_of(name)
        if address and not ipaddress.ip_address(address).is_loopback:
            return address
    return None


def _address_of(interface: str) -> str | None:
    try:
        import fcntl
        import struct
    except ImportError:
        return None
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            raw = fcntl.ioctl(probe.fileno(), 0x8915, struct.pack("256s", interface[:15].encode()))
        except OSError:
            return None
    return socket.inet_ntoa(raw[20:24])


def _bad_tls(folder: Path) -> ssl.SSLContext:
    """Return a server's context with a certificate that nobody vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=9))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    chain = folder / "chain.pem"
    chain.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    return context
