"""What the agent costs a page: the same work in the same page, in turns, with the agent and without.

    cost.py AGENT.JS [rounds]

prints the time of the page's own thread (Chromium's ScriptDuration and TaskDuration) that the agent adds for each field
that is filled in (focus, eight keys, blur), at full speed and on a processor made six times slower, and the longest task
of a page of 10,000 fields. A benchmark: it asserts nothing.
"""

import statistics
import sys
import urllib.request

from stage import Stage, browser, page

FIELDS = 40
KEYS = "12345678"
EVENTS = 2 + 2 * len(KEYS)  # focus, keydown and input of each key, blur
BOUNDS_MS = {1: 0.1, 6: 0.5}


def form(agent):
    fields = "".join(f'<label>Name of field {n} <input name="f{n}"></label><br>' for n in range(FIELDS))
    body = f'<form action="/saved" method="post">{fields}<button>Save</button></form>'
    return page(body) if agent else page(body).replace("<script", "<!--").replace("</script>", "-->")


def measured(chromium, stage, path, slower):
    """Milliseconds of script, and of all tasks, that filling in the form took."""
    context = chromium.new_context()
    tab = context.new_page()
    session = context.new_cdp_session(tab)
    session.send("Performance.enable")
    tab.goto(stage.url + path)
    tab.wait_for_timeout(300)
    session.send("Emulation.setCPUThrottlingRate", {"rate": slower})

    def read():
        metrics = {metric["name"]: metric["value"] * 1e3 for metric in session.send("Performance.getMetrics")["metrics"]}
        return metrics["ScriptDuration"], metrics["TaskDuration"]

    before = read()
    for field in tab.locator("input").all():
        field.focus()
        tab.keyboard.type(KEYS)
    tab.get_by_role("button").focus()
    after = read()
    context.close()
    return tuple(after - before for before, after in zip(before, after))


def longest_task(chromium, stage, path):
    tab = chromium.new_page()
    tab.add_init_script("""window.longest = 0; new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) longest = Math.max(longest, entry.duration); }).observe({ type: "longtask", buffered: true });""")
    tab.goto(stage.url + path)
    tab.wait_for_timeout(1_500)
    longest = tab.evaluate("longest")
    tab.close()
    return longest


def main():
    where, rounds = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 5
    stage = Stage(urllib.request.urlopen(where).read() if where.startswith("http") else open(where, "rb").read())
    large = "".join(f'<label>F{n % 97} <input value="v{n}"></label>' for n in range(10_000))
    stage.pages |= {"/with": form(True), "/without": form(False), "/large-with": page(large),
                    "/large-without": page(large).replace("<script", "<!--").replace("</script>", "-->")}
    with browser() as chromium:
        measured(chromium, stage, "/with", 1)
        for slower, bound in BOUNDS_MS.items():
            runs = [(measured(chromium, stage, "/without", slower), measured(chromium, stage, "/with", slower)) for _ in range(rounds)]
            for name, at in [("script", 0), ("all tasks", 1)]:
                added = [(after[at] - before[at]) / FIELDS for before, after in runs]
                ratios = [after[at] / before[at] for before, after in runs if before[at] > 0]
                times = f", {statistics.median(ratios):.2f} times the page without" if ratios else ""
                print(f"{slower} times slower, {name:9}: {statistics.median(added):7.3f} ms added a field ({min(added):.3f} to {max(added):.3f}), "
                      f"{statistics.median(added) / EVENTS:.3f} for each of its {EVENTS} events (bound {bound} ms){times}")
        longest = [(longest_task(chromium, stage, "/large-without"), longest_task(chromium, stage, "/large-with")) for _ in range(rounds)]
        print("10,000 fields, longest task: " + ", ".join(f"{without:.0f} ms without and {having:.0f} with" for without, having in longest))
    stage.close()


if __name__ == "__main__":
    main()
