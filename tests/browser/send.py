"""A worker fills in a form that is measured for a real collector: by a line in its page, or by the extension.

    send.py COLLECTOR [extension | away]

prints the page's origin, reads a page token from standard input, works, and ends once the page was closed. With `away` it
prints another line once the collector is to go, works on when it has read one, and goes on with two tabs until it reads the
next, which says that the collector is there again.
"""

import os
import sys
import time

from playwright.sync_api import sync_playwright

from extension import Desk
from stage import Stage, browser

collector, *ways = sys.argv[1:]
stage = Stage(b"")
print(stage.url, flush=True)
token = sys.stdin.readline().strip()
line = "" if "extension" in ways else f'<script src="{collector}/agent.js" data-system="ndelius" data-token="{token}"></script>'
stage.pages["/form"] = f"""<!doctype html><body data-casework-screen="Contact" data-casework-case="X123456" data-casework-worker="jsmith">{line}
<form action="/saved" method="post"><label>Surname <input></label><label>Date of birth <input></label><button>Save</button></form>"""
stage.pages["/saved"] = stage.pages["/form"].replace('"Contact"', '"Saved"')


def work(tab):
    tab.goto(stage.url + "/form")
    for label, text in [("Surname", "Canary"), ("Date of birth", "11/03/1986")]:
        tab.get_by_label(label).click()
        tab.keyboard.type(text, delay=10)
    tab.get_by_role("button").click()
    tab.wait_for_url("**/saved")
    tab.get_by_label("Surname").click()
    tab.keyboard.type("ab")
    tab.wait_for_timeout(6_000)
    tab.close()


def key_in(tab, label, text):
    tab.bring_to_front()
    tab.get_by_label(label).click()
    tab.keyboard.type(text, delay=10)


def work_without_collector(context):
    """One tab leaves its page again and again, one stays; and both are there when the collector is."""
    tabs = [context.new_page(), context.new_page()]
    for tab in tabs:
        tab.goto(stage.url + "/form")
        key_in(tab, "Surname", "Canary")
        tab.get_by_label("Date of birth").click()  # a window that loses the focus ends no entry
    tabs[0].wait_for_timeout(6_000)
    print("all is well", flush=True)
    sys.stdin.readline()
    for turn in range(4):
        key_in(tabs[0], "Surname", "Canary"[: turn + 2])
        tabs[0].get_by_role("button").click()
        tabs[0].wait_for_url("**/saved")
        key_in(tabs[1], "Date of birth", str(turn))
        key_in(tabs[1], "Surname", str(turn))
        tabs[1].wait_for_timeout(3_000)
    print("worked", flush=True)
    sys.stdin.readline()
    for tab in tabs:
        tab.goto(stage.url + "/form")
    tabs[0].wait_for_timeout(8_000)
    for tab in tabs:
        tab.close()


if "extension" in ways:
    with sync_playwright() as playwright:
        desk = Desk(playwright, os.path.abspath(f"{os.path.dirname(__file__)}/../../collector/agent"))
        desk.allow(collector, {"origin": stage.url, "system": "ndelius", "token": token})
        work(desk.tab())
        # What the page had as it went comes to the worker by itself, and is sent.
        time.sleep(2)
        desk.until("""async () => {
            if (Object.keys(await chrome.storage.local.get()).some((key) => key.startsWith("left "))) return false;
            const count = await new Promise((resolve) => {
                indexedDB.open("gilbreth").onsuccess = ({ target: { result } }) => {
                    result.transaction("batches").objectStore("batches").count().onsuccess = ({ target }) => resolve(target.result);
                    result.close();
                };
            });
            return !count;
        }""", "not everything is sent")
        desk.close()
else:
    with browser() as chromium:
        context = chromium.new_context()
        work_without_collector(context) if ways else work(context.new_page())
        context.new_page().goto("about:blank")
stage.close()
