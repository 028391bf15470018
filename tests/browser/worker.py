"""A worker does ten cases over the sample case systems, and writes down what they did.

    worker.py LOG NAME=ORIGIN…       (ndelius, oasys, cas, crc-a, desk)

LOG is a line of JSON for each thing done, in the order of their starts: `kind`, `system`, `start` and `end` (Unix
milliseconds by this script's clock; of waits by the browser's Navigation Timing and Resource Timing, and by when what came
was drawn), for what was keyed `screen`, `field`, `case`, `keys`, `corrections`, and in `is` what it was: `first_entry`,
`re_entry` or `rework`. Nothing of it comes from the agent.
"""

import json
import random
import sys
import time
from contextlib import suppress

from playwright.sync_api import Error

from stage import browser

CASES = 10
# Fields into which is keyed what another holds already: twelve. Which other, the test says.
AGAIN = {
    *(("oasys", "Case identification", field) for field in ["Family name", "Given name", "Date of birth", "PNC"]),
    *(("cas", "Allocate the case", field) for field in ["Date of sentence", "Court reference", "Risk score"]),
    *(("crc-a", "Referral", field) for field in ["Allocation ref", "Street", "Town", "Postcode", "Contact telephone"]),
}

# In every page and frame: when what was changed in it last had been drawn, that is, could be seen.
EYES = """(() => {
    let drawn = 0;
    const isNotice = (node) => node.closest?.("[data-casework-ignore]");
    const eyes = new MutationObserver((changes) => {
        // The notice is no part of what is waited for.
        if (changes.every(({ target, addedNodes }) => isNotice(target) || (addedNodes.length && [...addedNodes].every(isNotice)))) return;
        requestAnimationFrame(() => setTimeout(() => (drawn = performance.now())));
    });
    const watch = (root) => eyes.observe(root, { subtree: true, childList: true, characterData: true, attributes: true });
    const { attachShadow } = Element.prototype;
    Element.prototype.attachShadow = function (how) {
        const root = attachShadow.call(this, how);
        watch(root);
        return root;
    };
    watch(document);
    Object.defineProperty(window, "drawn", { get: () => drawn });
})()"""
# What was asked for, from request to usable: a page when it is read, a frame and an answer when they are drawn, too.
WAITED = """async () => {
    await new Promise((then) => requestAnimationFrame(() => setTimeout(() => setTimeout(then))));
    const unix = (at) => performance.timeOrigin + at;
    const own = (entry) => /fetch|xmlhttprequest/.test(entry.initiatorType) && new URL(entry.name).origin === location.origin;
    const pages = performance.getEntriesByType("navigation").map((entry) => [entry, entry.domContentLoadedEventEnd, parent !== window]);
    const answers = performance.getEntriesByType("resource").filter(own).map((entry) => [entry, entry.responseEnd, true]);
    return [...pages, ...answers].map(([entry, end, isDrawn]) => [unix(entry.startTime), unix(isDrawn ? Math.max(end, drawn) : end)]);
}"""

MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
SURNAMES = "Brodwick Carrowby Dunmarsh Ellerkin Fosgrave Gattenby Hurlstone Ickwell Jorvane Kelmarsh".split()
FORENAMES = "Adel Benno Carys Davin Edda Farid Greta Hamza Ilona Joby".split()
WAYS = "Orchard Mill Chapel Harbour Quarry Lantern Meadow Station Bishop Foundry".split()
TOWNS = "Oxcombe Pendrith Marsworth Lowmarsh Netherby Kelverton Ilsbury Hexworth Garstone Eastholme".split()


def person(number):
    """What is true of a case, as it is written first."""
    day, month, year = 3 + number * 2, 1 + number, 1961 + number * 3
    return {
        "surname": SURNAMES[number], "forename": FORENAMES[number],
        "born": (day, month, year), "sentenced": (27 - number, 12 - number, 2025),
        "pnc": f"{year % 100:02}/{4711_00 + number * 37:07}{'KLMNPQRSTU'[number]}",
        "house": f"{14 + number * 3} {WAYS[number]} Street", "town": TOWNS[number],
        "postcode": f"Q{number + 2} {number}{'XYZ'[number % 3]}{'ABCDEFGHJK'[number]}",
        "phone": f"07700 900{120 + number * 7}", "court": f"T2025-{7300 + number * 11}",
        "score": f"{2 + number}.{31 + number * 4}", "reference": f"AL-26-{5100 + number * 13}",
    }


def slashes(of):
    return "{:02}/{:02}/{}".format(*of)


class Worker:
    """Keys and clicks as a hand does, and writes down what and when."""

    def __init__(self, context, origins, log):
        self.context, self.origins, self.log = context, origins, log
        self.random = random.Random(2016)
        self.open = None
        self.system = self.tab = self.at = None

    # ── what was done ─────────────────────────────────────────────────────────────────────────────────────────────

    def now(self):
        return time.time() * 1_000

    def wrote(self, kind, start, end, **about):
        self.log.append({"kind": kind, "system": self.system, "start": start, "end": end, **about})
        return self.log[-1]

    def close(self, at):
        """What is being keyed ends."""
        if self.open:
            self.open["end"] = at
        self.open = None

    # ── hands ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def pause(self, ms):
        time.sleep(self.random.lognormvariate(0, 0.25) * ms / 1_000)

    def press(self, of):
        """The mouse goes down and up over something; returns both instants. What had the focus loses it at the first. It may
        be that a window closes itself at the second."""
        of.wait_for()
        of.scroll_into_view_if_needed()
        box = of.bounding_box()
        mouse = self.tab.mouse
        mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        # What is told comes at once, and the answer that it has come later.
        down = self.now()
        mouse.down()
        self.close(down)
        up = self.now()
        with suppress(Error):
            mouse.up()
        return down, up

    def keys(self, text, slips=0):
        """Types a text, some letters wrong at first; returns how many keys that took, and how many of them to correct."""
        wrong = set(self.random.sample(range(1, len(text)), slips)) if slips else set()
        keys = corrections = 0
        for at, letter in enumerate(text):
            if at in wrong:
                self.tab.keyboard.press("x")
                self.pause(60)
                self.tab.keyboard.press("Backspace")
                keys, corrections = keys + 2, corrections + 1
            self.tab.keyboard.press(letter)
            keys += 1
            self.pause(28)
        return keys, corrections

    # ── errands ───────────────────────────────────────────────────────────────────────────────────────────────────

    def go(self, system):
        self.system, self.tab = system, self.tabs[system]
        self.at = self.tab.main_frame
        self.tab.bring_to_front()
        self.pause(120)

    def do(self, of, until, kind="action", start=None, **about):
        """Presses something and waits for what it brings."""
        down, up = self.press(of)
        self.wrote(kind, start or down, up, **about)
        self.wait(down, until)

    def wait(self, since, until):
        """Waits until something can be seen, and has the browser say how long that was."""
        until().wait_for()
        found = []
        for frame in self.tab.frames:
            if frame == self.at or frame.parent_frame or self.tab.main_frame == self.at:
                found += frame.evaluate(WAITED)
        found = [one for one in found if one[0] > since - 50 and one[1] > one[0]]
        # A view that an application makes by itself is not waited for.
        if found:
            self.wrote("wait", min(start for start, _ in found), max(end for _, end in found))
        # Nobody goes on at once; and waits so near to each other that they may count as one are told apart by nobody.
        self.pause(200)

    def reads(self):
        self.pause(250)

    def entry(self, screen, label, of, text, case, slips=0, rework=False, tabbed=False, over=False):
        """Keys a text into a field, reached by mouse or by Tab, over what stands there if so asked."""
        if tabbed:
            start = self.now()
            self.tab.keyboard.press("Tab")
            self.close(start)
        else:
            start, _ = self.press(of)
        place = (self.system, screen, label)
        what = "rework" if rework else "re_entry" if place in AGAIN else "first_entry"
        self.open = self.wrote("entry", start, start, screen=screen, field=label, case=case, **{"is": what})
        if over:
            self.tab.keyboard.press("Control+a")
        self.pause(80)
        self.open["keys"], self.open["corrections"] = self.keys(text, slips)

    def choice(self, screen, label, of, place, case):
        """Chooses from a list by the arrow key, from the field before it by Tab."""
        start = self.now()
        self.tab.keyboard.press("Tab")
        self.close(start)
        self.open = self.wrote("choice", start, start, screen=screen, field=label, case=case, keys=0, corrections=0, **{"is": "first_entry"})
        self.pause(60)
        for _ in range(place):
            self.tab.keyboard.press("ArrowDown")
            self.pause(40)
        assert of.evaluate("of => document.activeElement === of || of.getRootNode().activeElement === of"), label

    def mark(self, screen, label, of, case):
        """Chooses a radio button by the mouse."""
        start, _ = self.press(of)
        self.open = self.wrote("choice", start, start, screen=screen, field=label, case=case, keys=0, corrections=0, **{"is": "first_entry"})

    def sign_in(self, user, word, button, until):
        start, _ = self.press(user)
        for of, text in [(user, "pp01"), (word, "correct horse")]:
            if of is not user:
                self.tab.keyboard.press("Tab")
            self.pause(60)
            self.keys(text)
        self.do(button, until, kind="sign_in", start=start)

    def search(self, of, text, button, until):
        start, _ = self.press(of)
        keys, corrections = self.keys(text)
        self.do(button, until, kind="search", start=start, keys=keys, corrections=corrections)

    # ── nDelius ───────────────────────────────────────────────────────────────────────────────────────────────────

    def control(self, label):
        row = self.at.locator("tr").filter(has=self.at.locator("td:first-child", has_text=label)).last
        return row.locator("input:not([type=radio]), select, textarea").first

    def ndelius(self, number, about):
        self.go("ndelius")
        at, crn = self.at, f"X{340_101 + number}"
        if number:
            self.do(at.get_by_role("link", name="Case search"), lambda: at.locator("#ctl00_find"))
        self.search(at.locator("#ctl00_find input").first, crn, at.get_by_role("button", name="Search"), lambda: at.get_by_role("link", name=crn))
        self.do(at.get_by_role("link", name=crn), lambda: at.get_by_role("link", name="Personal details"))
        self.do(at.get_by_role("link", name="Personal details"), lambda: at.get_by_role("button", name="Save"))
        self.reads()
        screen = "Personal details"
        texts = [("Surname", about["surname"]), ("Forename", about["forename"]), ("Date of birth", slashes(about["born"])), ("PNC number", about["pnc"]),
                 ("Address", f"{about['house']}, {about['town']}"), ("Postcode", about["postcode"]), ("Telephone", about["phone"])]
        for place, (label, text) in enumerate(texts):
            self.entry(screen, label, self.control(label), text, crn, slips=(number + place) % 3 == 0, tabbed=place > 0)
        self.mark(screen, "Interpreter needed", at.get_by_label("No", exact=True), crn)
        self.save(at, lambda: at.locator(".done"))
        self.do(at.get_by_role("link", name="Event"), lambda: at.get_by_role("button", name="Save"))
        self.entry("Event", "Sentence date", self.control("Sentence date"), slashes(about["sentenced"]), crn)
        self.entry("Event", "Court reference", self.control("Court reference"), about["court"], crn, tabbed=True)
        self.choice("Event", "Order type", self.control("Order type"), 1 + number % 3, crn)
        months = "Order length in months"
        if number == 3:
            # It is refused, and keyed again: a correction.
            self.entry("Event", months, self.control(months), "a year", crn, tabbed=True)
            self.save(at, lambda: at.locator("ul.bad"))
            self.entry("Event", months, self.control(months), "12", crn, rework=True, over=True)
        else:
            self.entry("Event", months, self.control(months), str(6 + number), crn, tabbed=True)
        self.save(at, lambda: at.locator(".done"))
        self.do(at.get_by_role("link", name="Contact"), lambda: at.get_by_role("button", name="Save"))
        self.entry("Contact", "Date of contact", self.control("Date of contact"), time.strftime("%d/%m/%Y"), crn)
        self.choice("Contact", "Contact type", self.control("Contact type"), 1, crn)
        self.choice("Contact", "Office", self.control("Office"), 2, crn)
        self.save(at, lambda: at.locator(".done"))

    def save(self, at, until, button=None):
        """Saves, and again where the system was not there."""
        button = button or at.get_by_role("button", name="Save")
        failed = at.get_by_text("The system is not available")
        self.do(button, lambda: until().or_(failed).first)
        if failed.count():
            self.log[-1]["outcome"] = "failed"  # the wait
            self.reads()
            self.do(button, until)

    # ── OASys ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def oasys_case(self, number):
        at, crn = self.at, f"X{340_101 + number}"
        self.search(at.locator("#q"), crn, at.get_by_role("button", name="Find", exact=True), lambda: at.get_by_role("link", name=crn))
        self.do(at.get_by_role("link", name=crn), lambda: at.get_by_role("link", name="Case identification"))
        return crn

    def identify(self, at, crn, about, rework=False):
        screen = "Case identification"
        day, month, year = about["born"]
        texts = [("Family name", about["surname"].upper()), ("Given name", about["forename"]),
                 ("Date of birth", f"{day} {MONTHS[month - 1]} {year}"), ("PNC", about["pnc"].replace("/", "").lower())]
        for place, (label, text) in enumerate(texts):
            self.entry(screen, label, at.get_by_label(label, exact=True), text, crn, rework=rework, tabbed=place > 0)
        if not rework:
            self.mark(screen, "Interpreter needed", at.get_by_label("No", exact=True), crn)

    def oasys(self, number, about):
        self.go("oasys")
        at = self.at
        if number:
            self.do(at.get_by_role("link", name="Find an offender"), lambda: at.locator("#q"))
        crn = self.oasys_case(number)
        form = at.get_by_role("link", name="Case identification")
        self.do(form, lambda: at.get_by_role("button", name="Save"))
        self.identify(at, crn, about)
        if number == 5:
            # The session has timed out: what was keyed is lost, and keyed again.
            self.context.request.post(self.origins["desk"] + "/time-out", form={"system": "oasys"})
            self.do(at.get_by_role("button", name="Save"), lambda: at.locator("#word"))
            self.sign_in(at.locator("#user"), at.locator("#word"), at.get_by_role("button", name="Sign in"), lambda: at.get_by_role("button", name="Save"))
            self.identify(at, crn, about, rework=True)
        self.save(at, lambda: at.locator(".done"))
        self.do(at.get_by_role("link", name="Risk of serious recidivism"), lambda: at.get_by_role("button", name="Save"))
        screen = "Risk of serious recidivism"
        self.entry(screen, "Assessment date", at.get_by_label("Assessment date"), time.strftime("%-d.%-m.%Y"), crn)
        self.entry(screen, "RSR score", at.get_by_label("RSR score"), about["score"], crn, tabbed=True)
        self.choice(screen, "Likelihood", at.get_by_label("Likelihood"), 1 + number % 4, crn)
        self.entry(screen, "Analysis", at.get_by_label("Analysis"), "seen " + "abcdefghij"[number], crn, tabbed=True)
        self.save(at, lambda: at.locator(".done"))

    # ── Case allocation ───────────────────────────────────────────────────────────────────────────────────────────

    def cas(self, number, about):
        self.go("cas")
        at, crn, screen = self.at, f"X{340_101 + number}", "Allocate the case"
        if number:
            self.do(at.get_by_role("link", name="Unallocated cases"), lambda: at.locator("#q"))
        self.search(at.locator("#q"), crn, at.get_by_role("button", name="Search"), lambda: at.get_by_role("link", name=crn))
        self.do(at.get_by_role("link", name=crn), lambda: at.get_by_role("link", name=screen))
        self.do(at.get_by_role("link", name=screen), lambda: at.get_by_role("button", name="Save"))
        day, month, year = about["sentenced"]
        self.entry(screen, "Date of sentence", at.get_by_label("Date of sentence"), f"{year}-{month:02}-{day:02}", crn)
        self.entry(screen, "Court reference", at.get_by_label("Court reference"), about["court"].replace("-", " "), crn, slips=number % 4 == 1, tabbed=True)
        self.entry(screen, "Risk score", at.get_by_label("Risk score"), about["score"] + "0", crn, tabbed=True)
        self.choice(screen, "Tier", at.get_by_label("Tier"), 1 + number % 4, crn)
        self.entry(screen, "Allocation reference", at.get_by_label("Allocation reference"), about["reference"], crn, tabbed=True)
        self.save(at, lambda: at.locator(".done"))

    # ── The company's own ─────────────────────────────────────────────────────────────────────────────────────────

    def crc(self, number, about):
        self.go("crc-a")
        crn, no = f"X{340_101 + number}", f"NM{8_101 + number}"
        menu, self.at = self.tab.frame("menu"), self.tab.frame("main")
        at = self.at
        self.do(menu.get_by_role("link", name="Find a client"), lambda: at.locator("#finder"))
        self.search(at.locator("#finder input").first, no, at.get_by_role("button", name="Find"), lambda: at.get_by_role("link", name=no))
        self.do(at.get_by_role("link", name=no), lambda: at.get_by_role("link", name="Referral"))
        with self.context.expect_page() as opened:
            down, up = self.press(at.get_by_role("link", name="Referral"))
            self.wrote("action", down, up)
        desk, self.tab = self.tab, opened.value
        self.at = window = self.tab.main_frame
        self.wait(down, lambda: window.get_by_role("button", name="Save"))
        texts = [("Allocation ref", about["reference"].replace("-", "").lower()), ("Street", about["house"].lower()), ("Town", about["town"].upper()),
                 ("Postcode", about["postcode"].replace(" ", "").lower()), ("Contact telephone", "+44 " + about["phone"][1:])]
        for place, (label, text) in enumerate(texts):
            self.entry("Referral", label, self.control(label), text, crn, slips=(number + place) % 5 == 2, tabbed=place > 0)
        self.save(window, lambda: window.locator(".done"))
        down, up = self.press(window.get_by_role("button", name="Close"))
        self.wrote("action", down, up)
        self.tab, self.at = desk, at
        if number % 3 == 0:
            self.do(at.get_by_role("link", name="Appointment"), lambda: at.get_by_role("button", name="Save"))
            self.entry("Appointment", "Appointment date", self.control("Appointment date"), time.strftime("%d-%m-%Y"), crn)
            self.choice("Appointment", "Place", self.control("Place"), 1 + number % 3, crn)
            self.save(at, lambda: at.locator(".done"))

    # ── The day ───────────────────────────────────────────────────────────────────────────────────────────────────

    def begin(self):
        """Opens the four systems, each in a tab, and signs in."""
        self.tabs = {}
        for system, user in [("ndelius", "#ctl00_txt1"), ("oasys", "#user"), ("cas", "#user"), ("crc-a", "input[name=user]")]:
            self.tabs[system] = self.context.new_page()
            self.go(system)
            since, at = self.now(), self.at
            self.tab.goto(self.origins[system] + "/")
            self.wait(since, lambda: at.locator(user))
            button = at.get_by_role("button", name="Log on").or_(at.get_by_role("button", name="Sign in"))
            home = {"ndelius": "#ctl00_find", "oasys": "#q", "cas": "#q"}.get(system)
            until = (lambda: at.locator(home)) if home else (lambda: self.tab.frame_locator("frame[name=main]").locator("#welcome"))
            self.sign_in(at.locator(user), at.locator("input[type=password]"), button, until)

    def day(self, cases):
        self.begin()
        for number in range(cases):
            about = person(number)
            self.ndelius(number, about)
            self.oasys(number, about)
            self.cas(number, about)
            self.crc(number, about)
            print(f"case {number + 1} of {cases}", file=sys.stderr, flush=True)
        # What is not sent yet is sent some seconds after it happened.
        time.sleep(10)
        for tab in self.tabs.values():
            tab.close(run_before_unload=True)


def main():
    path, *named = sys.argv[1:]
    cases = CASES
    if named[0].isdigit():
        cases = int(named.pop(0))
    log = []
    with browser() as chromium:
        context = chromium.new_context(viewport={"width": 1280, "height": 1000})
        context.set_default_timeout(60_000)
        context.add_init_script(EYES)
        try:
            Worker(context, dict(one.split("=", 1) for one in named), log).day(cases)
            context.new_page().wait_for_timeout(3_000)
        finally:
            with open(path, "w") as file:
                for line in sorted(log, key=lambda one: one["start"]):
                    print(json.dumps(line), file=file)


if __name__ == "__main__":
    main()
