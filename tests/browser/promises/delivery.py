"""That all that is told arrives, once and with its times: without a network, a collector or a page; and pauses of the worker."""

import threading
import time

import firefox
from stage import CLOCKS, FORM, digest, launch_chromium, notice, page


def batches_are_small(stage, tab):
    """However long names and numbers are: a page that goes can send no more than 64 KiB."""
    fields = "".join(f'<input aria-label="{chr(0x4e00 + at) * 200}" value="{"字" * 30} {at} b c d e f g">' for at in range(40))
    case = " ".join(chr(0x5000 + at) * 200 for at in range(10))
    settings = ('data-rules="none" ' + " ".join(f'data-casework-{what}="{"é" * 300}"' for what in ["record", "task", "taskid", "function"]))
    stage.pages["/form"] = page(fields, screen="名" * 300, case=case).replace("<body", f"<body {settings}")
    tab.goto(stage.url + "/form")
    stage.wait_for(lambda: len(stage.spans("view")) > 40, "the fields are not told")
    assert max(map(len, stage.bodies)) < 48_000, [len(body) for body in stage.bodies]


def nothing_is_lost_while_the_collector_is_away(stage, tab):
    """Down when pages are left and when they stay; what is sent again is sent with the same ids."""
    stage.pages |= {"/form": page(FORM), "/saved": page(FORM, screen="Saved")}
    tab.goto(stage.url + "/form")
    stage.wait_for(lambda: stage.spans("view"), "no view")
    stage.is_down = True
    for turn in range(3):
        tab.get_by_label("Notes").click()
        tab.keyboard.type("abcd"[: turn + 1])
        tab.get_by_role("button", name="Save contact").click()
        tab.wait_for_url("**/saved")
        tab.wait_for_timeout(300)
    tab.get_by_label("Date of birth").click()
    tab.keyboard.type("1/1/2000")
    tab.wait_for_timeout(6_000)
    tab.close(run_before_unload=False)
    stage.is_down = False
    again = tab.context.new_page()
    again.goto(stage.url + "/form")
    stage.wait_for(lambda: len(stage.spans("entry")) == 4, "entries are lost")
    assert [span.keys for span in stage.spans("entry")] == [1, 2, 3, 8]
    stage.wait_for(lambda: len(stage.spans("wait")) == 5, "waits are lost")
    assert len(stage.spans("action")) == 3


def two_tabs_that_cannot_send_lose_nothing(stage, tab):
    """They share what is kept: a minute without a collector, pages that are left and pages that stay, and each span once."""
    stage.pages |= {"/form": page(FORM), "/saved": page(FORM, screen="Saved")}
    tabs = [tab, tab.context.new_page()]
    for one in tabs:
        one.goto(stage.url + "/form")
    stage.wait_for(lambda: len(stage.spans("view")) == 4, "a view is missing")
    stage.is_down = True
    until = time.monotonic() + 60
    turns = 0
    while time.monotonic() < until:
        turns += 1
        for one in tabs:
            one.bring_to_front()
            one.get_by_label("Notes").click()
            one.keyboard.type("abc")
            if turns % 2:
                one.get_by_role("button", name="Save contact").click()
                one.wait_for_url("**/saved")
            else:
                one.get_by_label("Date of birth").click()
            one.wait_for_timeout(1_500)
    stage.is_down = False
    tabs[1].close()
    tabs[0].goto(stage.url + "/form")
    stage.wait_for(lambda: len(stage.spans("entry")) >= 2 * turns, "entries are lost", seconds=150)
    assert len(stage.spans("entry")) == 2 * turns, "an entry is told as two"
    assert {span.keys for span in stage.spans("entry")} == {3}
    assert len(stage.spans("action")) == 2 * -(-turns // 2)


def what_was_put_by_stays_where_there_is_no_database(stage, tab):
    """A browser may refuse IndexedDB: what a page that was left has put by is not given up for it."""
    stage.pages["/form"] = page(FORM)
    tab.add_init_script("Object.defineProperty(window, 'indexedDB', { get() { throw new DOMException('refused', 'SecurityError'); } })")
    tab.goto(stage.url + "/form")
    stage.wait_for(lambda: stage.spans("view"), "no view")
    stage.is_down = True
    tab.get_by_label("Notes").click()
    tab.keyboard.type("abc")
    tab.goto(stage.url + "/form")
    tab.wait_for_timeout(1_000)  # the next page has tried in vain
    stage.is_down = False
    tab.goto(stage.url + "/form")
    stage.wait_for(lambda: stage.spans("entry"), "the entry is lost")


def set_offline(tab, is_offline):
    of = tab.context.browser
    of.tools.set_offline(is_offline) if firefox.path() else tab.context.set_offline(is_offline)


def a_network_that_comes_back_is_used(stage, tab):
    stage.pages["/form"] = page(FORM)
    tab.goto(stage.url + "/form")
    stage.wait_for(lambda: stage.spans("view"), "no view")
    set_offline(tab, True)
    tab.get_by_label("Notes").click()
    tab.keyboard.type("abc")
    tab.get_by_label("Date of birth").click()
    tab.wait_for_timeout(6_000)
    assert not stage.spans("entry")
    set_offline(tab, False)
    stage.wait_for(lambda: stage.spans("entry"), "the entry is lost")


def a_collector_that_hangs_holds_up_nothing(stage, tab):
    """It takes requests and never answers: one connection is spent on it, and all is told once it answers again."""
    stage.pages |= {"/form": page(FORM), "/saved": page(FORM, screen="Saved")}
    stage.hanging = threading.Event()
    tab.goto(stage.url + "/form")
    for turn in range(3):
        tab.get_by_label("Notes").click()
        tab.keyboard.type("abcd"[: turn + 1])
        tab.get_by_role("button", name="Save contact").click()
        tab.wait_for_url("**/saved")
    tab.get_by_label("Date of birth").click()
    tab.keyboard.type("1/1/2000")
    tab.get_by_label("Notes").click()
    tab.wait_for_timeout(6_000)
    stage.hanging, hanging = None, stage.hanging
    hanging.set()
    stage.wait_for(lambda: len(stage.spans("entry")) == 4, "entries are lost", seconds=60)
    assert [span.keys for span in stage.spans("entry")] == [1, 2, 3, 8]
    stage.wait_for(lambda: len(stage.spans("wait")) == 4, "waits are lost")
    assert len(stage.spans("action")) == 3


def a_token_that_is_refused_is_kept_until_the_next_page(stage, tab):
    """Nothing is tried again by the page, and nothing is lost."""
    stage.pages["/form"] = page(FORM)
    tab.add_init_script(CLOCKS)
    stage.refusal = 401
    tab.goto(stage.url + "/form")
    stage.wait_for(lambda: stage.refused, "nothing is sent")
    tab.wait_for_timeout(500)  # whoever tries again begins after two seconds at most
    before = stage.refused
    tab.get_by_label("Notes").click()
    tab.keyboard.type("abc")
    tab.get_by_label("Date of birth").click()
    tab.wait_for_timeout(6_000)
    assert stage.refused == before, f"{stage.refused - before} more requests"
    stage.refusal = None
    tab.goto(stage.url + "/form")
    stage.wait_for(lambda: len(stage.spans("wait")) == 2 and stage.spans("entry"), "what was refused is lost")


def a_pause_splits_an_entry(stage, tab):
    """30 s without input end it at the last input; what follows continues it and has the value."""
    stage.pages["/form"] = page(FORM)
    tab.add_init_script(CLOCKS)
    tab.goto(stage.url + "/form")
    tab.get_by_label("Notes").click()
    tab.evaluate("pass(40_000)")  # looks before writing: not yet an entry
    tab.keyboard.type("ab", delay=20)
    tab.evaluate("pass(35_000)")
    tab.keyboard.type("cde", delay=20)
    tab.evaluate("pass(45_000)")
    tab.get_by_label("Date of birth").click()
    stage.wait_for(lambda: len(stage.spans("entry")) == 2, "an entry is missing")
    first, second = stage.spans("entry")
    assert (first.keys, second.keys) == (2, 3) and second.continues == first.id and first.continues is None
    assert first.digest is None and second.digest == digest("abcde")
    assert first.lasted < 10_000 and second.lasted < 10_000, (first.lasted, second.lasted)
    assert 35_000 <= second.start - first.end < 45_000


def a_clock_that_jumps_moves_no_time(stage, tab):
    """The machine sleeps, or its clock is set: what is open ends by the old clock, the rest has the new one."""
    stage.pages["/form"] = page(FORM)
    tab.add_init_script(CLOCKS)
    tab.goto(stage.url + "/form")
    began = time.time() * 1e3
    tab.get_by_label("Notes").click()
    tab.keyboard.type("ab", delay=20)
    tab.evaluate("jump(3_600_000)")
    tab.wait_for_timeout(250)
    tab.keyboard.type("c", delay=20)
    tab.get_by_label("Date of birth").click()
    stage.wait_for(lambda: len(stage.spans("entry")) == 2, "an entry is missing")
    first, second = stage.spans("entry")
    assert began <= first.start and first.lasted < 10_000 and second.lasted < 10_000
    assert 3_600_000 <= second.start - first.start < 3_620_000 and second.continues == first.id
    assert second.digest == digest("abc") and (first.keys, second.keys) == (2, 1)


def a_page_that_comes_back_goes_on(stage, tab):
    """Out of the cache of pages: nothing is told twice, and what is done then is told."""
    stage.pages["/form"] = page(FORM)
    tab.goto(stage.url + "/form")
    tab.get_by_label("Notes").click()
    tab.keyboard.type("abc")
    tab.evaluate("dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))")
    tab.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    tab.get_by_label("Date of birth").click()
    tab.keyboard.type("1/1/2000")
    tab.get_by_label("Notes").click()
    stage.wait_for(lambda: len(stage.spans("entry")) == 2, "an entry is missing")
    assert [span.field for span in stage.spans("entry")] == ["Notes", "Date of birth"]
    assert [span.outcome for span in stage.spans("navigation")] == [None, "lost", None]
    assert len(stage.spans("wait")) == 1


def go_back(tab):
    """Without Playwright, which would wait for a page that is loaded."""
    script = "setTimeout(() => history.back())"
    if firefox.path():
        tab.evaluate(script)
    else:
        tab.context.new_cdp_session(tab).send("Runtime.evaluate", {"expression": script})


def a_page_out_of_the_cache_of_pages_goes_on(stage, tab):
    """The same for real: the agent keeps no page out of the cache, and what it holds lives on there."""
    stage.pages |= {"/form": page(FORM + "<script>addEventListener('pageshow', (event) => event.persisted && navigator.sendBeacon('/back'))</script>"),
                    "/other": page("<p>Other", screen="Other"), "/back": ""}
    # Playwright has Chromium keep no pages.
    again = None if firefox.path() else launch_chromium(tab.context.browser.browser_type, ignore_default_args=["--disable-back-forward-cache"])
    try:
        tab = again.new_page() if again else tab
        tab.goto(stage.url + "/form")
        tab.get_by_label("Notes").click()
        tab.keyboard.type("abc")
        born, notes = [tab.get_by_label(label).bounding_box() for label in ["Date of birth", "Notes"]]
        tab.goto(stage.url + "/other")
        stage.wait_for(lambda: any(span.screen == "Other" for span in stage.spans("navigation")), "the next page is missing")
        go_back(tab)
        stage.wait_for(lambda: any(path == "/back" for _, path, _, _ in stage.requests), "the page did not come out of the cache")
        for box in [born, notes]:  # Playwright knows nothing of what stands in such a page
            tab.mouse.click(box["x"] + 5, box["y"] + 5)
            tab.keyboard.type("1/1/2000" if box is born else "")
        stage.wait_for(lambda: len(stage.spans("entry")) == 2, "an entry is missing")
    finally:
        if again:
            again.close()
    assert [(span.field, span.keys) for span in stage.spans("entry")] == [("Notes", 3), ("Date of birth", 8)]
    assert [(span.screen, span.outcome) for span in stage.spans("navigation")] == [("Contact", None), ("Contact", "lost"), ("Other", None), ("Contact", None)]
    assert len(stage.spans("wait")) == 2 and len({span.session for span in stage.spans()}) == 1


def two_tabs_are_two_sessions(stage, tab):
    stage.pages["/form"] = page(FORM)
    other = tab.context.new_page()
    for one in [tab, other]:
        one.goto(stage.url + "/form")
    for one, text in [(tab, "a"), (other, "bb"), (tab, "ccc")]:
        one.bring_to_front()
        one.get_by_label("Notes").fill("")
        one.keyboard.type(text)
        one.get_by_label("Surname").click()
    stage.wait_for(lambda: len(stage.spans("entry")) == 3, "an entry is missing")
    assert len({span.session for span in stage.spans("entry")}) == 2
    assert len({span.id for span in stage.seen}) == len(stage.seen)


def pages_by_plain_http_have_the_same_digests(stage, tab):
    stage.pages["/form"] = page(FORM)
    tab.goto(stage.plain_url + "/form")
    assert not tab.evaluate("isSecureContext"), "the page is a secure context"
    tab.get_by_label("Notes").click()
    tab.keyboard.type("Zo\u00eb")
    tab.get_by_label("Surname").click()
    stage.wait_for(lambda: stage.spans("entry"), "the entry is missing")
    assert stage.spans("entry")[0].digest == digest("zo\u00eb")


def a_strict_policy_of_the_page_is_kept(stage, tab):
    """Its policy allows the collector and nothing else: neither inline script or style, nor strings as scripts."""
    policy = f"default-src 'none'; script-src {stage.other_url}; connect-src {stage.other_url}; form-action 'self'; require-trusted-types-for 'script'"
    body = page(notice(stage.other_url) + FORM, agent=stage.other_url + "/agent.js")
    stage.pages["/form"] = lambda *_: (200, {"content-security-policy": policy}, body)
    complaints = []
    tab.on("console", lambda message: complaints.append(message.text))
    tab.goto(stage.url + "/form")
    tab.get_by_label("Notes").click()
    tab.keyboard.type("abc")
    tab.get_by_label("Surname").click()
    stage.wait_for(lambda: stage.spans("entry"), "the entry is missing")
    assert tab.get_by_text("This page is measured").is_visible()
    assert not [text for text in complaints if "Security" in text], complaints


def the_worker_can_pause(stage, tab):
    """Nothing is noted until they resume, on the next page neither."""
    stage.pages["/form"] = page(notice() + FORM)
    tab.goto(stage.url + "/form")
    tab.get_by_role("button", name="Pause").click()
    tab.get_by_label("Notes").click()
    tab.keyboard.type("abc")
    tab.goto(stage.url + "/form")
    tab.get_by_label("Date of birth").click()
    tab.keyboard.type("1/1/2000")
    tab.get_by_label("Notes").click()
    tab.get_by_role("button", name="Resume").click()
    tab.get_by_label("Notes").click()
    tab.keyboard.type("x")
    tab.get_by_label("Surname").click()
    stage.wait_for(lambda: stage.spans("entry"), "the entry is missing")
    assert [(span.field, span.keys) for span in stage.spans("entry")] == [("Notes", 1)]
    assert not stage.spans("action"), "the notice itself is told of"


def a_pause_holds_in_all_tabs_at_once(stage, tab):
    stage.pages["/form"] = page(notice() + FORM)
    other = tab.context.new_page()
    for one in [tab, other]:
        one.goto(stage.url + "/form")
    for name, label, text in [("Pause", "Notes", "abc"), ("Resume", "Date of birth", "1/1/2000")]:
        tab.bring_to_front()
        tab.get_by_role("button", name=name).click()
        other.get_by_role("button", name="Resume" if name == "Pause" else "Pause").wait_for()
        other.bring_to_front()
        other.get_by_label(label).click()
        other.keyboard.type(text)
    other.get_by_label("Surname").click()
    stage.wait_for(lambda: stage.spans("entry"), "the entry is missing")
    assert [span.field for span in stage.spans("entry")] == ["Date of birth"]


def a_page_that_clears_its_storage_resumes_nothing(stage, tab):
    """Applications do so as somebody signs out."""
    stage.pages["/form"] = page(notice() + FORM)
    other = tab.context.new_page()
    for one in [tab, other]:
        one.goto(stage.url + "/form")
    tab.get_by_role("button", name="Pause").click()
    other.get_by_role("button", name="Resume").wait_for()
    tab.evaluate("localStorage.clear()")
    other.wait_for_function("localStorage['gilbreth-paused']")
    for one in [other, tab]:
        one.bring_to_front()
        one.get_by_label("Notes").click()
        one.keyboard.type("abc")
        one.get_by_label("Surname").click()
    tab.get_by_role("button", name="Resume").click()
    tab.get_by_label("Date of birth").click()
    tab.keyboard.type("1")
    tab.get_by_label("Surname").click()
    stage.wait_for(lambda: stage.spans("entry"), "the entry is missing")
    assert [span.field for span in stage.spans("entry")] == ["Date of birth"]


def a_page_of_frames_shows_the_notice_in_the_largest(stage, tab):
    """And again in what that shows next; its button pauses."""
    stage.pages |= {
        "/top": f"""<!doctype html><script src="/agent.js" data-system="ndelius" data-worker="w1"></script>{notice()}
<frameset cols="100,*"><frame src="/menu"><frame src="/start" name="main"></frameset>""",
        "/menu": '<a href="/next" target="main">Next</a>', "/start": "<p>Begin", "/next": "<label>Notes <input></label>",
    }
    tab.goto(stage.url + "/top")
    tab.frame("main").get_by_role("button", name="Pause").wait_for()
    tab.frames[1].get_by_text("Next").click()
    tab.frame("main").get_by_label("Notes").click()
    tab.keyboard.type("abc")
    tab.frame("main").get_by_role("button", name="Pause").click()
    tab.frame("main").get_by_role("button", name="Resume").wait_for()
    tab.frame("main").get_by_label("Notes").click()
    tab.keyboard.type("defg")
    tab.frame("main").get_by_role("button", name="Resume").click()
    tab.frame("main").get_by_label("Notes").click()
    tab.keyboard.type("hi")
    tab.goto("about:blank")
    stage.wait_for(lambda: len(stage.spans("entry")) == 2, "an entry is missing")
    assert [span.keys for span in stage.spans("entry")] == [3, 2]
    assert [span.field for span in stage.spans("action")] == ["Next"], "the notice itself is told of"


def nothing_of_the_agent_fails_in_the_page(stage, tab):
    """Whatever the page calls its own."""
    stage.pages["/form"] = """<script>window.navigation = {}; const failed = [];
onerror = (what) => { failed.push(what); }; onunhandledrejection = ({ reason }) => { failed.push(String(reason)); };</script>""" + page(
        '<form><label>Odd <input name="name"> <input name="id"> <input name="submit"></label></form><label>Notes <input></label>')
    tab.goto(stage.url + "/form")
    for label in ["Odd", "Notes", "Odd"]:
        tab.get_by_label(label).click()
        tab.keyboard.type("abc")
    assert not tab.evaluate("failed")
    tab.goto("about:blank")
    stage.wait_for(lambda: any(span.field == "Notes" for span in stage.spans("entry")), "the other field is missing")
