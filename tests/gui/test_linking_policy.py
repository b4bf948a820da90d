"""Where the embedded page may go, and the one address that ends it."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obdesk.gui.linking.engine import FLAGS, patched_on, prefers_browser, prepare, refusal
from obdesk.gui.linking.policy import Gate, Shown, Verdict, is_public_name, registrable, shown

STATE = "a-state-of-sixteen-chars"
BACK = f"https://obdesk.invalid/callback?connection_id=311&state={STATE}"


class Watch:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def gate(
    page: str = "https://webview.powens.com/en/connect",
    redirect: str = "https://obdesk.invalid/callback",
    watch: Watch | None = None,
) -> Gate:
    return Gate(page_url=page, redirect_uri=redirect, state=STATE, deadline_s=900.0, now_s=watch or Watch())


@pytest.mark.parametrize(
    "url",
    [
        "https://webview.powens.com/en/connect?x=1",
        "https://login.bank.co.uk/",
        "https://bank.fr:8443/path",
        "about:blank",
    ],
)
def test_https_to_public_names_is_allowed(url: str) -> None:
    assert gate().navigation(url, main_frame=True) is Verdict.ALLOW


@pytest.mark.parametrize(
    "url",
    [
        "http://bank.fr/",
        "file:///etc/passwd",
        "data:text/html,<h1>Your bank</h1>",
        "javascript:alert(1)",
        "blob:https://bank.fr/uuid",
        "ftp://bank.fr/",
        "chrome://settings",
        "qrc:/page.html",
        "view-source:https://bank.fr",
        "about:srcdoc",
        "myapp://callback?code=1",
        "tel:123",
        "mailto:a@bank.fr",
        "ws://bank.fr/",
        "https://localhost/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://10.0.0.1/",
        "https://192.168.1.1/",
        "https://172.16.0.1/",
        "https://169.254.169.254/latest/meta-data",
        "https://[fe80::1]/",
        "https://[fd00::2]/",
        "https://[::ffff:10.0.0.1]/",
        "https://8.8.8.8/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://router/",
        "https://nas.local/",
        "https://printer.lan./",
        "https://x.internal/",
        "https://1.0.168.192.in-addr.arpa/",
        "https://user:secret@bank.fr/",
        "https://bank.fr@evil.com/",
        "https://[bad/",
        "https:///no-host",
        "",
    ],
)
def test_everything_else_is_refused_at_the_top(url: str) -> None:
    assert gate().navigation(url, main_frame=True) is Verdict.REFUSE


def test_the_demo_may_use_http_on_loopback_and_nothing_else_on_http() -> None:
    demo = gate(page="http://127.0.0.1:8080/webview/en/connect")
    assert demo.navigation("http://127.0.0.1:8080/webview", main_frame=True) is Verdict.ALLOW
    assert demo.navigation("http://localhost:9090/bank", main_frame=True) is Verdict.ALLOW
    assert demo.navigation("http://192.168.1.1/", main_frame=True) is Verdict.REFUSE
    assert demo.navigation("http://bank.fr/", main_frame=True) is Verdict.REFUSE
    assert demo.resource("ws://127.0.0.1:8080/live")
    assert not demo.resource("ws://192.168.1.1/")


@pytest.mark.parametrize(
    ("url", "may"),
    [
        ("https://cdn.bank.fr/a.js", True),
        ("wss://live.bank.fr/", True),
        ("data:image/png;base64,AAAA", True),
        ("http://bank.fr/a.js", False),
        ("ws://bank.fr/", False),
        ("https://192.168.0.1/admin", False),
        ("https://nas.local/", False),
        ("file:///etc/passwd", False),
        (BACK, False),
    ],
)
def test_what_a_page_may_fetch(url: str, may: bool) -> None:  # noqa: FBT001 - a table
    assert gate().resource(url) is may


def test_our_address_with_the_right_state_ends_it_once() -> None:
    mine = gate()
    assert mine.navigation(BACK, main_frame=True) is Verdict.CAME_BACK
    assert mine.navigation(BACK, main_frame=True) is Verdict.REFUSE


def test_a_wrong_state_uses_the_only_answer_up() -> None:
    mine = gate()
    assert mine.navigation(BACK.replace(STATE, "guess"), main_frame=True) is Verdict.WRONG_STATE
    assert mine.navigation(BACK, main_frame=True) is Verdict.REFUSE


@pytest.mark.parametrize(
    "query", ["", "state=", f"state={STATE}&state={STATE}", f"state={STATE[:-1]}", f"State={STATE}", "state"]
)
def test_no_state_half_a_state_or_two_states_are_wrong(query: str) -> None:
    url = f"https://obdesk.invalid/callback?{query}"
    assert gate().navigation(url, main_frame=True) is Verdict.WRONG_STATE


def test_frames_and_pop_ups_cannot_answer_and_do_not_use_the_answer_up() -> None:
    mine = gate()
    assert mine.navigation(BACK, main_frame=False) is Verdict.REFUSE
    assert mine.navigation(BACK, main_frame=True, main_page=False) is Verdict.REFUSE
    assert mine.navigation(BACK, main_frame=True) is Verdict.CAME_BACK


@pytest.mark.parametrize(
    "url",
    [
        BACK.replace("https:", "http:"),
        BACK.replace("obdesk.invalid", "obdesk.invalid:444"),
        BACK.replace("obdesk.invalid", "x.obdesk.invalid"),
        BACK.replace("/callback", "/callback/"),
        BACK.replace("/callback", "/Callback"),
        BACK.replace("/callback", "/a/../callback"),
        BACK.replace("https://", "https://user@"),
    ],
)
def test_an_address_that_only_looks_like_ours_is_refused(url: str) -> None:
    assert gate().navigation(url, main_frame=True) is Verdict.REFUSE


def test_after_the_deadline_no_answer_counts() -> None:
    watch = Watch()
    mine = gate(watch=watch)
    watch.now_s = 900.0
    assert mine.navigation(BACK, main_frame=True) is Verdict.REFUSE


def test_a_loopback_redirect_is_compared_with_its_port() -> None:
    mine = gate(redirect="http://127.0.0.1:47611/callback")
    back = f"http://127.0.0.1:47612/callback?state={STATE}"
    assert mine.navigation(back, main_frame=True) is Verdict.REFUSE
    assert mine.navigation(back.replace("47612", "47611"), main_frame=True) is Verdict.CAME_BACK


@given(st.text(max_size=80))
def test_no_text_makes_the_rules_stumble_or_come_back(text: str) -> None:
    for url in (text, f"https://{text}", f"https://obdesk.invalid{text}"):
        assert gate().navigation(url, main_frame=True) is not Verdict.CAME_BACK
        gate().resource(url)


@pytest.mark.parametrize(
    ("host", "owned"),
    [
        ("login.alpina-bank.fr", "alpina-bank.fr"),
        ("www.bank.co.uk", "bank.co.uk"),
        ("a.b.bank.com.au", "bank.com.au"),
        ("evil.github.io", "evil.github.io"),
        ("bank.fr", "bank.fr"),
        ("127.0.0.1", "127.0.0.1"),
        ("localhost", "localhost"),
        ("co.uk", "co.uk"),
    ],
)
def test_the_owned_part_of_a_name(host: str, owned: str) -> None:
    assert registrable(host) == owned


def test_the_bar_shows_what_is_owned_and_whether_it_is_encrypted() -> None:
    assert shown("https://login.bank.co.uk/a?b=c") == Shown(True, "login.", "bank.co.uk")
    assert shown("http://127.0.0.1:9/x") == Shown(False, "", "127.0.0.1")
    assert shown("https://bank.fr.evil.com/").domain == "evil.com"
    assert shown("https://xn--bnk-rla.fr/").domain == "xn--bnk-rla.fr"


def test_public_names() -> None:
    assert is_public_name("bank.fr")
    assert not is_public_name("bank")
    assert not is_public_name("")


# The engine itself


def test_a_sandboxed_engine_may_be_used() -> None:
    assert refusal({}, ["obdesk"], is_root=False, root_demo=False) is None


@pytest.mark.parametrize(
    ("environ", "arguments"),
    [
        ({"QTWEBENGINE_DISABLE_SANDBOX": "1"}, []),
        ({"QTWEBENGINE_CHROMIUM_FLAGS": "--disable-gpu --no-sandbox"}, []),
        ({}, ["obdesk", "--no-sandbox"]),
        ({"QTWEBENGINE_CHROMIUM_FLAGS": "--remote-debugging-port=9222"}, []),
        ({"QTWEBENGINE_REMOTE_DEBUGGING": "9222"}, []),
        ({"QTWEBENGINE_CHROMIUM_FLAGS": "--ignore-certificate-errors"}, []),
        ({"SSLKEYLOGFILE": "/tmp/keys"}, []),  # noqa: S108 - never opened
    ],
)
def test_an_engine_in_an_unsafe_mode_is_refused_in_a_sentence(
    environ: dict[str, str], arguments: list[str]
) -> None:
    why = refusal(environ, arguments, is_root=False, root_demo=True)
    assert why is not None
    assert "browser" in why


def test_root_is_refused_except_in_the_demo() -> None:
    asked = {FLAGS: "--no-sandbox"}
    assert refusal({}, [], is_root=True, root_demo=False) is not None
    assert refusal(asked, [], is_root=True, root_demo=False) is not None
    assert refusal(asked, [], is_root=True, root_demo=True) is None
    assert refusal({"QTWEBENGINE_REMOTE_DEBUGGING": "1"}, [], is_root=True, root_demo=True) is not None


def test_the_engine_starts_with_our_switches_only() -> None:
    environ = {FLAGS: "--disable-gpu --lang=xx --proxy-pac-url=http://evil.example/"}
    prepare(environ, local=False, is_root=False, root_demo=False)
    words = environ[FLAGS].split(" ", 1)
    assert words[0] == "--disable-gpu"
    assert words[1].startswith('--host-resolver-rules="MAP ')
    assert "evil" not in environ[FLAGS]
    assert "--no-sandbox" not in environ[FLAGS]
    for reachable in ("MAP 192.168.* ~", "MAP 10.* ~", "MAP *.local ~", "MAP 127.* ~", "MAP localhost ~"):
        assert reachable in environ[FLAGS]


def test_the_demo_keeps_loopback_and_as_root_loses_the_sandbox() -> None:
    environ: dict[str, str] = {}
    prepare(environ, local=True, is_root=True, root_demo=True)
    assert "--no-sandbox" in environ[FLAGS]
    assert "MAP 127." not in environ[FLAGS]
    assert "MAP 192.168.* ~" in environ[FLAGS]


@pytest.mark.parametrize("demo", [False, True])
def test_what_was_prepared_for_one_page_does_not_refuse_the_next(demo: bool) -> None:  # noqa: FBT001 - a table
    environ: dict[str, str] = {}
    for _ in range(3):
        assert refusal(environ, [], is_root=demo, root_demo=demo) is None
        prepare(environ, local=demo, is_root=demo, root_demo=demo)
    environ[FLAGS] += ' --host-resolver-rules="MAP bank.example evil.example"'
    assert refusal(environ, [], is_root=demo, root_demo=demo) is not None


def test_the_age_of_an_engine_follows_the_release_calendar() -> None:
    assert patched_on("153.0.1.2") == date(2026, 9, 8)
    assert patched_on("155.0.8059.85") == date(2026, 10, 6)
    assert patched_on("152.0.7977.83") == date(2026, 8, 11)
    assert patched_on("unknown") is None


def test_an_old_engine_proposes_the_browser_first() -> None:
    assert not prefers_browser("155.0.8059.85", date(2026, 12, 5))
    assert prefers_browser("155.0.8059.85", date(2026, 12, 6))
    assert prefers_browser("", date(2026, 12, 6))
