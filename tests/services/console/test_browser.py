"""Every job of the page in a real Chromium, over a small installation that runs and in which one record was refused."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator

import pytest
from browsing import (
    REASON,
    SCHEMES,
    WIDTHS,
    Installation,
    Seen,
    chromium,
    installation,
    signed_in,
    watched,
)
from playwright.sync_api import Browser, expect
from servers import Unavailable

pytestmark = pytest.mark.slow
CLICKS = 5
PAGE_SECONDS = float(os.environ.get("VISABUS_TEST_PAGE_SECONDS", "12"))
BLOCKED_MS = 200 if "VISABUS_TEST_PAGE_SECONDS" in os.environ else 1000  # beside other tests a thread waits for a core
GROWTH_BYTES = 1_000_000
LETTER = re.compile(REASON)
PLAIN = ("operations:read", "records:read", "operations:write", "status:read", "timeline:read")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    try:
        with chromium() as opened:
            yield opened
    except Unavailable as error:
        if os.environ.get("CI") == "true":
            pytest.fail(str(error))
        pytest.skip(f"not run, a server is missing: {error}")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installation(tmp_path_factory.mktemp("console")) as opened:
        yield opened


@pytest.fixture
def seen(browser: Browser, running: Installation) -> Iterator[Seen]:
    """The page at 1280, signed in."""
    with signed_in(browser, running) as opened:
        yield opened


@pytest.fixture
def narrow(browser: Browser, running: Installation) -> Iterator[Seen]:
    """The page at 390, signed in."""
    with signed_in(browser, running, width=390) as opened:
        yield opened


def status(at: Installation) -> str:
    """What the view says of the stay whose end was refused."""
    return at.visabus("trace", f"i94/{at.spoilt.number}")


# --- signing in ---------------------------------------------------------------------------------------------------


def test_a_token_opens_the_page_and_leaving_closes_it(browser: Browser, running: Installation) -> None:
    with watched(browser, running) as seen:
        page = seen.page
        page.goto(running.address)
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        seen.expected = {401}
        page.get_by_label("Token").fill("nonsense")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("status").first).to_have_text("The token is not valid.")
        seen.expected = set()
        page.get_by_label("Token").fill(running.token())
        page.get_by_label("What look-ups are for").select_option("overstay-review")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", name="Flow")).to_be_visible()
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        page.reload()
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_a_token_in_the_address_does_not_stay_there(seen: Seen) -> None:
    assert "token" not in seen.page.url
    assert not [url for url in seen.requests if "token" in url]
    assert seen.page.evaluate("Object.keys(localStorage).length + document.cookie.length") == 0


def test_a_scope_that_is_missing_is_named(browser: Browser, running: Installation) -> None:
    with watched(browser, running) as seen:
        seen.expected = {403}
        seen.page.goto(f"{running.address}#token={running.token('operations:read')}&purpose=audit")
        expect(seen.page.get_by_role("heading", name="Flow")).to_be_visible()
        seen.go("matches")
        expect(seen.page.get_by_role("status").first).to_have_text("This needs the scope records:read.")


# --- the flow and systems -----------------------------------------------------------------------------------------


def test_the_flow_is_drawn_and_says_what_wants_attention(seen: Seen, running: Installation) -> None:
    page = seen.page
    expect(page.get_by_role("list", name="Wants attention")).to_contain_text(REASON)
    tiles = page.locator(".tile")
    expect(tiles.filter(has_text="Dead letters")).to_have_text("Dead letters2")
    expect(tiles.filter(has_text="Correlators")).to_have_text("Correlators1")
    picture = page.get_by_role("group", name="The flow from the systems to the subscribers")
    expect(picture).to_be_visible()
    expect(picture).to_contain_text("2 refused")
    expect(picture.locator("text", has_text=re.compile(r"0\.0/s"))).to_have_count(0)
    expect(page.locator(".flow-list")).to_be_hidden()
    box = picture.bounding_box()
    assert box is not None
    assert box["width"] <= 1280
    published = picture.locator("g", has_text=re.compile("^arrival")).locator("text").nth(1).text_content()
    assert int((published or "").replace(",", "")) > 100


def test_a_narrow_screen_has_a_list_in_place_of_the_picture(narrow: Seen) -> None:
    expect(narrow.page.get_by_role("table", name="Systems")).to_contain_text("CLAIMS3")
    expect(narrow.page.locator("svg.flow")).to_be_hidden()


def test_what_has_focus_keeps_it_while_the_page_is_refreshed(seen: Seen) -> None:
    page = seen.page
    page.get_by_role("link", name=re.compile("^CLAIMS3:")).focus()
    with page.expect_response("**/console/api/overview"):
        pass
    with page.expect_response("**/console/api/overview"):
        pass
    page.wait_for_timeout(200)
    assert page.evaluate("document.activeElement.getAttribute('aria-label')").startswith("CLAIMS3:")


def test_a_system_has_its_page(seen: Seen, running: Installation) -> None:
    page = seen.page
    page.get_by_role("link", name=re.compile("^I94:")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("^I94: "))
    feed = page.get_by_role("region", name="Feed nightly")
    expect(feed).to_contain_text("2 refused")
    expect(page.get_by_role("table", name="What it vouches for")).to_be_visible()
    expect(page.get_by_role("table", name="Dead letters that wait")).to_contain_text(REASON)
    expect(page.get_by_role("table", name="Last files, polls and messages")).to_contain_text("I94.D2026")
    page.go_back()
    expect(page.get_by_role("heading", name="Flow")).to_be_visible()


def test_a_feed_is_held_and_let_go_on_and_what_is_written_meanwhile_stays(seen: Seen, running: Installation) -> None:
    page = seen.page
    seen.go("systems/CLAIMS3")
    feed = page.get_by_role("region", name="Feed actions")
    why = feed.get_by_label("Why (shown")
    why.click()
    page.keyboard.type("they mend their ")
    with page.expect_response("**/console/api/systems/CLAIMS3"):
        pass
    page.wait_for_timeout(200)
    page.keyboard.type("table")
    feed.get_by_role("button", name="Pause").click()
    expect(feed.get_by_role("status")).to_have_text("Nothing more is read until it is resumed.")
    expect(feed).to_contain_text("by operator")
    why.fill("it is mended")
    feed.get_by_role("button", name="Resume").click()
    expect(feed.get_by_role("status")).to_have_text("It goes on from where it stopped.")
    expect(feed.get_by_role("button", name="Pause")).to_be_visible()
    reasons = [reason for verb, reason in running.audited() if "pause" in verb or "resume" in verb]
    assert [text for text in reasons if "they mend their table" in text]
    assert [text for text in reasons if "it is mended" in text]


def test_a_file_is_withdrawn_after_it_was_shown_what_that_is(seen: Seen, running: Installation) -> None:
    page = seen.page
    seen.go("systems/CLAIMS3")
    withdraw = page.get_by_role("region", name="Withdraw a file")
    batch = page.get_by_role("table", name="Last files, polls and messages").locator("tbody tr a").first.text_content()
    withdraw.get_by_label("File, poll or message").fill(batch or "")
    withdraw.get_by_label("Why (kept").fill("the owner tries it out")
    expect(withdraw.get_by_role("button", name="Withdraw it")).to_be_hidden()
    page.keyboard.press("Enter")
    expect(withdraw.get_by_role("status")).to_contain_text("Would be withdrawn: ")
    expect(withdraw.get_by_role("button", name="Withdraw it")).to_be_focused()
    withdraw.get_by_label("File, poll or message").fill("another")
    expect(withdraw.get_by_role("button", name="Withdraw it")).to_be_hidden()
    assert [verb for verb, why in running.audited() if why == "the owner tries it out"] == [
        "console retract batch (dry run) confidential:read"
    ]


def test_a_system_that_is_none_is_told(seen: Seen) -> None:
    seen.expected = {404}
    seen.go("systems/NONE")
    expect(seen.page.get_by_role("status").first).to_have_text("There is no such system.")


def test_a_broken_address_breaks_nothing(seen: Seen) -> None:
    seen.expected = {404, 422}
    seen.go("trace/%")
    expect(seen.page.get_by_label(re.compile("^System and key"))).to_have_value("%")


# --- trace, persons, matches --------------------------------------------------------------------------------------


def test_one_paste_follows_a_record(seen: Seen, running: Installation) -> None:
    page = seen.page
    page.get_by_role("search").get_by_role("textbox").fill(f"I94 {running.spoilt.record}")
    page.keyboard.press("Enter")
    steps = page.get_by_role("region", name=f"I94 {running.spoilt.record}")
    expect(steps).to_contain_text("refused")
    expect(steps).to_contain_text(running.spoilt.file)


@pytest.mark.parametrize("what", ["number", "file"])
def test_one_paste_follows_a_number_and_a_file(seen: Seen, running: Installation, what: str) -> None:
    pasted = f"i94/{running.spoilt.number}" if what == "number" else running.spoilt.file
    seen.page.get_by_role("search").get_by_role("textbox").fill(f"  {pasted} ")
    seen.page.keyboard.press("Enter")
    expect(seen.page.locator("ol.steps").first).to_be_visible()


def test_a_person_is_one_paste_away_and_the_slider_goes_back_in_time(seen: Seen, running: Installation) -> None:
    page = seen.page
    seen.go(f"persons/i94%2F{running.spoilt.number}")
    person = page.get_by_role("region", name=re.compile("^Person "))
    expect(person.get_by_role("img", name="Stays over time")).to_be_visible()
    expect(person.locator(".badge").first).not_to_have_text("")
    now = person.locator("p").first.text_content()
    slider = page.get_by_label("How things stood")
    slider.focus()
    page.keyboard.press("Home")
    expect(person.locator("p").first).to_have_text("No stay had begun then.")
    page.keyboard.press("End")
    expect(person.locator("p").first).not_to_have_text("No stay had begun then.")
    assert now
    assert re.search("[0-9a-f]{32}", page.url) is None
    id = (person.get_attribute("aria-label") or "").partition(" ")[2]
    page.get_by_role("search").get_by_role("textbox").fill(id)
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name=f"Person {id}")).to_be_visible()


def test_two_who_may_be_one_are_side_by_side_and_a_word_is_taken(seen: Seen, running: Installation) -> None:
    page = seen.page
    page.get_by_role("link", name="Matches").click()
    match = page.get_by_role("region", name="Match 1", exact=True)
    sides = match.locator(".sides > dl")
    expect(sides).to_have_count(2)
    left, right = (sides.nth(at).bounding_box() for at in (0, 1))
    assert left is not None
    assert right is not None
    assert left["y"] == right["y"]
    assert left["x"] + left["width"] <= right["x"]
    match.get_by_role("button", name="Two persons").click()
    assert match.get_by_label("What it rests on").evaluate("node => node.validity.valueMissing")
    match.get_by_label("What it rests on").fill("other passports were seen")
    match.get_by_role("button", name="Two persons").click()
    expect(match.get_by_role("status")).to_have_text("told: two persons")
    expect(match.get_by_role("button", name="One person")).to_be_disabled()
    assert ("console matches decide different", "other passports were seen") in running.audited()


# --- what everyone can use ----------------------------------------------------------------------------------------


def parts(seen: Seen, at: Installation) -> list[str]:
    """Each part of the page, with something in it."""
    seen.go("dead-letters")
    link = seen.page.get_by_role("link", name=LETTER)
    letters = [(link.get_attribute("href") or "").removeprefix("#/")] if link.count() else []
    return [
        "",
        "systems/I94",
        "dead-letters",
        *letters,
        f"trace/I94%20{at.spoilt.record}",
        "trace",
        f"persons/i94%2F{at.spoilt.number}",
        "matches",
    ]


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_axe_finds_nothing_grave(browser: Browser, running: Installation, width: int, scheme: str) -> None:
    grave = []
    with watched(browser, running, width, scheme) as seen:
        seen.page.goto(running.address)
        seen.page.get_by_role("heading", name="Sign in").wait_for()
        grave += [("sign-in", each) for each in seen.grave()]
    with signed_in(browser, running, width, scheme) as seen:
        for part in parts(seen, running):
            seen.go(part)
            grave += [(part, each) for each in seen.grave()]
            wide = seen.page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, f"{part} is {wide} wide"
    assert grave == []


def test_what_axe_calls_grave_is_found(seen: Seen) -> None:
    seen.page.evaluate("document.querySelector('#q').previousElementSibling.remove(); q.placeholder = ''")
    assert [each for each in seen.grave() if each.startswith("label")]


def test_what_goes_wrong_on_the_page_is_heard(browser: Browser, running: Installation) -> None:
    with signed_in(browser, running) as seen:
        seen.page.evaluate("document.body.insertAdjacentHTML('beforeend', '<p style=\"color:red\">x</p>')")
        seen.page.evaluate("fetch('http://127.0.0.2:9/').catch(() => 0)")
        seen.page.evaluate("setTimeout(() => { throw new Error('planted'); })")
        seen.page.wait_for_timeout(300)
        said = " ".join(seen.said)
        assert "style-src" in said or "inline style" in said
        assert "127.0.0.2" in said  # the policy of the page stops it
        assert "planted" in said
        with pytest.raises(AssertionError):
            seen.sound()
        seen.said.clear()
        seen.requests = [url for url in seen.requests if "127.0.0.2" not in url]


# --- left open for long -------------------------------------------------------------------------------------------

_BLOCKED = """
window.__blocked = [];
new PerformanceObserver((list) => { for (const task of list.getEntries()) window.__blocked.push(task.duration); })
  .observe({ entryTypes: ['longtask'] });
"""


def left_open(seen: Seen, seconds: float) -> tuple[int, int, float]:
    """How many bytes and nodes the page grew by while it refreshed itself, and the longest task in milliseconds."""
    page = seen.page
    protocol = page.context.new_cdp_session(page)

    def size() -> tuple[int, int]:
        for _ in range(3):
            protocol.send("HeapProfiler.collectGarbage")
        heap = protocol.send("Runtime.getHeapUsage")["usedSize"]
        return int(heap), int(protocol.send("Memory.getDOMCounters")["nodes"])

    page.evaluate(_BLOCKED)
    page.wait_for_timeout(5_000)  # what is made once is made
    heap, nodes = size()
    page.evaluate("window.__blocked = []")
    page.wait_for_timeout(seconds * 1000)
    longest = page.evaluate("Math.max(0, ...window.__blocked)")
    after, nodes_after = size()
    return after - heap, nodes_after - nodes, longest


def test_a_page_left_open_does_not_grow_and_never_stalls(seen: Seen, record_property: Callable[..., None]) -> None:
    asked = len(seen.requests)
    heap, nodes, longest = left_open(seen, PAGE_SECONDS)
    looks = len([url for url in seen.requests[asked:] if url.endswith("/overview")])
    assert looks >= PAGE_SECONDS / 4  # it did refresh itself
    record_property(
        "told", f"{looks} looks in {PAGE_SECONDS:.0f} s: {heap:+,} bytes, {nodes:+} nodes, {longest:.0f} ms"
    )
    assert heap < GROWTH_BYTES
    assert nodes < 200
    assert longest < BLOCKED_MS


def test_a_page_that_grows_or_stalls_is_caught(seen: Seen) -> None:
    seen.page.evaluate("window.kept = []; setInterval(() => kept.push(new Array(50_000).fill(0.5)), 200); 0")
    seen.page.evaluate("setInterval(() => document.body.append(new Text('x')), 10); 0")
    seen.page.evaluate("setTimeout(() => { const end = Date.now() + 1200; while (Date.now() < end); }, 7000); 0")
    heap, nodes, longest = left_open(seen, 6)
    assert heap > GROWTH_BYTES
    assert nodes > 200
    assert longest > BLOCKED_MS


# --- from a refusal to the corrected status -----------------------------------------------------------------------


def test_a_plain_operator_sees_where_and_why_and_no_bytes(browser: Browser, running: Installation) -> None:
    """Without the right to what is confidential: I-94 records may be, so that bytes, key and values are not told."""
    with watched(browser, running) as seen:
        page = seen.page
        page.goto(f"{running.address}#token={running.token(*PLAIN)}&purpose=audit")
        page.get_by_role("navigation").get_by_role("link", name="Dead letters").click()
        page.get_by_role("link", name=LETTER).click()
        expect(page.get_by_role("heading", name="Replay", exact=True)).to_be_visible()
        expect(page.get_by_role("main")).to_contain_text(running.spoilt.file)
        expect(page.get_by_role("main")).to_contain_text("need the scope confidential:read")
        expect(page.get_by_label("Bytes of the record")).to_have_count(0)
        assert running.spoilt.record not in (page.get_by_role("main").text_content() or "")
        page.get_by_role("button", name="Check").click()
        expect(page.locator("form .badge")).to_contain_text("still refused")
        page.get_by_label("Why (kept").fill("its adapter was mended")
        page.get_by_role("button", name="Replay all with this reason").click()
        expect(page.locator("form .badge")).to_have_text("2 still refused")
        assert seen.grave() == []


def focused(seen: Seen) -> str:
    return str(seen.page.evaluate("(document.activeElement.textContent || document.activeElement.id).trim()"))


def tab_to(seen: Seen, wanted: re.Pattern[str] | str, most: int = 40) -> None:
    """Press Tab until what has focus says so."""
    for _ in range(most):
        seen.page.keyboard.press("Tab")
        if re.search(wanted, focused(seen)):
            return
    raise AssertionError(f"no way by Tab to {wanted}; last {focused(seen)}")


def test_from_a_refusal_to_the_corrected_status_in_five_clicks(seen: Seen, running: Installation) -> None:
    page = seen.page
    assert "DEPARTED_IN_TIME" not in status(running)
    page.get_by_role("navigation").get_by_role("link", name="Dead letters").click()
    page.get_by_role("link", name=LETTER).click()
    expect(page.locator("pre.record mark").first).to_contain_text("EVENT-DATE")
    page.get_by_role("button", name="Edit the marked field").click()
    day = running.spoilt.day.encode("cp037").hex(" ")
    selected = "(node) => node.value.slice(node.selectionStart, node.selectionEnd).replace(/\\s/g, ' ')"
    assert page.get_by_label("Bytes of the record").evaluate(selected) != day
    page.keyboard.type(day)
    page.get_by_role("button", name="Check").click()
    expect(page.locator("form .badge")).to_contain_text("can be read")
    page.keyboard.type("month mended by the port's log")  # the field has focus by itself
    page.get_by_role("button", name="Replay this one").click()
    steps = page.get_by_role("region", name=f"I94 {running.spoilt.record}")
    expect(steps).to_contain_text("DEPARTED_IN_TIME", timeout=40_000)
    clicks = page.evaluate("window.__clicks")
    assert 1 < clicks <= CLICKS
    assert "DEPARTED_IN_TIME" in status(running)
    why = "month mended by the port's log"
    (verb,) = (verb for verb, reason in running.audited() if reason == why)
    assert verb.startswith("console dead-letters replay mended")


def test_with_the_keyboard_alone_to_the_replay(browser: Browser, running: Installation) -> None:
    """The second of the two refusals: signed in, opened, a wrong day refused by the check, the right one replayed."""
    with watched(browser, running) as seen:
        page, keys = seen.page, seen.page.keyboard
        page.goto(running.address)
        page.get_by_role("heading", name="Sign in").wait_for()
        keys.type(running.token())  # the field has focus by itself
        keys.press("Enter")
        expect(page.get_by_role("heading", name="Flow")).to_be_visible()
        page.reload()
        expect(page.get_by_role("heading", name="Flow")).to_be_visible()
        tab_to(seen, "Skip to the content")
        keys.press("Enter")
        tab_to(seen, "^show it$")
        keys.press("Enter")
        expect(page.get_by_role("heading", name="Dead letter", exact=True)).to_be_visible()
        tab_to(seen, "^Edit the marked field$", 6)
        keys.press("Enter")
        assert page.evaluate("document.activeElement.id") == "editor"
        keys.type(running.second.day[:4].encode("cp037").hex(" ") + " f0 f0 f0 f1")  # a day that is none either
        tab_to(seen, "^why$", 2)
        tab_to(seen, "^Check$", 2)
        keys.press("Enter")
        expect(page.locator("form .badge")).to_contain_text("still refused")
        assert page.evaluate("document.activeElement.id") == "editor"
        for _ in range(8 * 3 - 1):
            keys.press("Shift+ArrowLeft")
        keys.type(running.second.day.encode("cp037").hex(" "))
        tab_to(seen, "^why$", 2)
        tab_to(seen, "^Check$", 2)
        keys.press("Enter")
        expect(page.locator("form .badge")).to_contain_text("can be read")
        assert page.evaluate("document.activeElement.id") == "why"
        keys.type("by keyboard, from the port's log")
        tab_to(seen, "^Replay this one$", 3)
        keys.press("Enter")
        steps = page.get_by_role("region", name=f"I94 {running.second.record}")
        expect(steps).to_contain_text("DEPARTED_IN_TIME", timeout=40_000)
        assert page.evaluate("window.__clicks") <= 8  # those that Enter makes of links and buttons
        seen.go("dead-letters")
        expect(page.get_by_text("No dead letter waits.")).to_be_visible(timeout=20_000)
    (verb,) = (verb for verb, reason in running.audited() if reason == "by keyboard, from the port's log")
    assert verb.startswith("console dead-letters replay mended")
