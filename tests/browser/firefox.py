"""Stock Firefox for Playwright: stands between the two, and reaches what neither can say in WebDriver BiDi.

Playwright drives a Firefox that it has not built by WebDriver BiDi, of a newer version than Firefox ESR speaks. Run as a
program, this is the Firefox that Playwright starts: it starts the real one, and answers itself what that does not know and
no test needs.
"""

import asyncio
import json
import os
import re
import shutil
import signal
import socket
import sys
import tempfile
import time

# Without these a test does not notice: Playwright keeps bodies of answers, and sets the screen's size, colours and downloads.
DISPENSABLE = {"network.addDataCollector", "browser.setDownloadBehavior", "emulation.setMediaFeaturesOverride",
               "emulation.setScreenOrientationOverride", "emulation.setScreenSettingsOverride"}

PREFS = {
    "devtools.debugger.remote-enabled": True,
    "devtools.debugger.prompt-connection": False,
    "devtools.chrome.enabled": True,
    # A name that is not this machine's, so that pages by plain http are no secure context.
    "network.dns.localDomains": "cases.example",
    "dom.events.testing.asyncClipboard": True,  # a test may write to the clipboard
    "browser.chrome.site_icons": False,  # no request that a page's policy forbids
    "xpinstall.signatures.required": False,  # Firefox ESR lets that be said
    # While it is offline: this machine is reached nevertheless, but not over a proxy that is not there.
    "network.proxy.allow_hijacking_localhost": True,
    "network.proxy.http": "127.0.0.1",
    "network.proxy.http_port": 1,
}


def path():
    """Where Firefox is, if the tests are to be run in it."""
    return os.environ.get("GILBRETH_TEST_FIREFOX")


def launch(start, **prefs):
    """Launches it by one of Playwright's ways to do so; gives what that gives, and the tools."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as beside:
        stub = os.path.join(beside, "firefox.sh")
        with open(stub, "w") as file:
            file.write(f'#!/bin/sh\nexec "{sys.executable}" "{os.path.abspath(__file__)}" "$@"\n')
        os.chmod(stub, 0o700)
        args = [f"--start-debugger-server={port}"]
        launched = start(channel="moz-firefox", executable_path=stub, args=args, firefox_user_prefs={**PREFS, **prefs})
    return launched, Tools(port)


def is_its_own(complaint):
    """Whether an error that a page is said to have is one of what drives it: Playwright puts in a script by `eval`."""
    return bool(path()) and "blocked a JavaScript eval" in complaint


class Console:
    """Runs scripts with the rights of the browser's developer tools: in the browser itself, or in one of its tabs."""

    def __init__(self, tools, actor):
        self.tools, self.actor = tools, actor

    def evaluate(self, function, *given):
        """What a function gives, which may be a promise; an expression gives its value."""
        text = f"""(async () => {{ const got = await ({function}); return typeof got === "function" ? got(...{json.dumps(given)}) : got; }})()
            .then((got) => JSON.stringify([got]), (error) => `${{error}} ${{error?.stack}}`)"""
        got = self.tools.result(self.actor, text)
        assert isinstance(got, str) and got.startswith("["), got
        return json.loads(got)[0]


class Tools:
    """The developer tools of a Firefox that was launched here."""

    def __init__(self, port):
        until = time.monotonic() + 30
        while True:
            try:
                self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
                break
            except ConnectionRefusedError:
                assert time.monotonic() < until, "no developer tools"
                time.sleep(0.05)
        self.read()  # who it is
        process = self.ask("root", "getProcess", id=0)["processDescriptor"]["actor"]
        self.browser = Console(self, self.ask(process, "getTarget")["process"]["consoleActor"])

    def tab(self, browser_id):
        """The tab of that number: also one of an extension, of which WebDriver BiDi knows nothing."""
        tab = self.ask("root", "getTab", browserId=browser_id)["tab"]["actor"]
        return Console(self, self.ask(tab, "getTarget")["frame"]["consoleActor"])

    def read(self):
        size = b""
        while not size.endswith(b":"):
            size += self.some(1)
        size = int(size[:-1])
        text = b""
        while len(text) < size:
            text += self.some(size - len(text))
        return json.loads(text)

    def some(self, many):
        got = self.socket.recv(many)
        assert got, "Firefox has gone"
        return got

    def tell(self, actor, what, **more):
        text = json.dumps({"to": actor, "type": what, **more}).encode()
        self.socket.sendall(b"%d:%s" % (len(text), text))

    def hear(self, fits):
        while True:
            answer = self.read()
            if fits(answer):
                assert "error" not in answer, answer
                return answer

    def ask(self, actor, what, **more):
        self.tell(actor, what, **more)
        return self.hear(lambda answer: answer.get("from") == actor and "type" not in answer)

    def result(self, actor, text):
        asked = self.ask(actor, "evaluateJSAsync", text=text, mapped={"await": True})["resultID"]
        got = self.hear(lambda answer: answer.get("resultID") == asked and "type" in answer)["result"]
        if isinstance(got, dict) and got.get("type") == "longString":
            got = self.ask(got["actor"], "substring", start=0, end=got["length"])["substring"]
        return got

    def set_offline(self, is_offline):
        self.browser.evaluate("""(isOffline) => {
            Services.prefs.setIntPref("network.proxy.type", isOffline ? 1 : 0);
            Services.io.offline = isOffline;
        }""", is_offline)

    def install(self, folder):
        """Installs an extension, if it is not there from before; gives where its pages are."""
        with open(os.path.join(folder, "manifest.json")) as file:
            name = json.load(file)["browser_specific_settings"]["gecko"]["id"]
        with tempfile.TemporaryDirectory() as beside:
            package = shutil.make_archive(os.path.join(beside, "extension"), "zip", folder)
            return self.browser.evaluate("""async (name, file) => {
                const { AddonManager } = ChromeUtils.importESModule("resource://gre/modules/AddonManager.sys.mjs");
                const { FileUtils } = ChromeUtils.importESModule("resource://gre/modules/FileUtils.sys.mjs");
                if (!(await AddonManager.getAddonByID(name))) await (await AddonManager.getInstallForFile(new FileUtils.File(file))).install();
                while (!WebExtensionPolicy.getByID(name)?.extension?.backgroundState) await new Promise((then) => setTimeout(then, 20));
                return WebExtensionPolicy.getByID(name).getURL("");
            }""", name, package)

    def open(self, url):
        """A tab that is no test's; stays in the background."""
        return self.tab(self.browser.evaluate("""async (url) => {
            const { gBrowser } = Services.wm.getMostRecentWindow("navigator:browser");
            const { linkedBrowser } = gBrowser.addTab(url, { triggeringPrincipal: Services.scriptSecurityManager.getSystemPrincipal() });
            while (linkedBrowser.currentURI.spec !== url || linkedBrowser.webProgress.isLoadingDocument) await new Promise((then) => setTimeout(then, 20));
            return linkedBrowser.browserId;
        }""", url))

    def stop_background(self, url):
        """Ends what runs of an extension behind its pages, as the browser does after some seconds without a task."""
        self.browser.evaluate("""async (url) => {
            const { extension } = WebExtensionPolicy.getByHostname(new URL(url).hostname);
            await extension.terminateBackground({ ignoreDevToolsAttached: true, disableResetIdleForTest: true });
        }""", url)


EVALUATE = "(utilityScript, ...args) => utilityScript.evaluate(...args)"


def without_eval(params):
    """Has the page run what Playwright says without `eval`, which many a page does not allow."""
    expression = params["arguments"][3]["value"]
    of = "Object.create(utilityScript, { global: { value: { eval: () => (" + expression + "\n) } } })"
    return {**params, "functionDeclaration": f"(utilityScript, ...args) => utilityScript.evaluate.call({of}, ...args)"}


# `browsingContext.locateNodes` by context, which Firefox ESR does not know: frames with their windows, of which one fits.
FRAMES = """() => {
    const within = (root) => [...root.querySelectorAll("*")].flatMap((of) => [
        ...(/^i?frame$/.test(of.localName) ? [[of, of.contentWindow]] : []), ...(of.shadowRoot ? within(of.shadowRoot) : [])]);
    return within(document);
}"""


def frames_of(params):
    return {"functionDeclaration": FRAMES, "awaitPromise": False, "target": {"context": params["context"], "sandbox": "gilbreth"}}


def frame_in(answer, wanted):
    pairs = [one["value"] for one in answer.get("result", {}).get("result", {}).get("value", [])]
    found = [node for node, window in pairs if window.get("value", {}).get("context") == wanted]
    return {"type": "success", "id": answer["id"], "result": {"nodes": found}}


async def between(address):
    """Serves one client; what it asks goes to Firefox."""
    from websockets.asyncio.client import connect
    from websockets.asyncio.server import serve

    async def meet(client):
        asked = {}
        async with connect(address + "/session", max_size=None, ping_interval=None) as browser:

            async def there():
                async for text in client:
                    message = json.loads(text)
                    method, params = asked[message["id"]] = message["method"], message["params"]
                    if method == "browsingContext.locateNodes" and params["locator"]["type"] == "context":
                        text = json.dumps({"id": message["id"], "method": "script.callFunction", "params": frames_of(params)})
                    elif params.get("functionDeclaration") == EVALUATE and "sandbox" not in params["target"]:
                        text = json.dumps({**message, "params": without_eval(params)})
                    await browser.send(text)
                await browser.close()

            async def back():
                async for text in browser:
                    message = json.loads(text)
                    method, params = asked.pop(message.get("id"), ("", {}))
                    if message.get("error") == "unknown command" and method in DISPENSABLE:
                        text = json.dumps({"type": "success", "id": message["id"], "result": {}})
                    elif method == "browsingContext.locateNodes" and params["locator"]["type"] == "context":
                        text = json.dumps(frame_in(message, params["locator"]["value"]["context"]))
                    await client.send(text)
                await client.close()

            await asyncio.gather(there(), back(), return_exceptions=True)

    async with serve(meet, "127.0.0.1", 0, max_size=None, ping_interval=None) as server:
        port = server.sockets[0].getsockname()[1]
        print(f"WebDriver BiDi listening on ws://127.0.0.1:{port}", file=sys.stderr, flush=True)
        await asyncio.Future()


async def main():
    firefox = await asyncio.create_subprocess_exec(path(), *sys.argv[1:], stdout=sys.stderr, stderr=asyncio.subprocess.PIPE)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, firefox.terminate)
    serving = None
    async for line in firefox.stderr:
        found = re.search(rb"WebDriver BiDi listening on (ws://\S+)", line)
        if found:
            serving = asyncio.create_task(between(found[1].decode()))
        else:
            sys.stderr.buffer.write(line)
            sys.stderr.flush()
    await firefox.wait()


if __name__ == "__main__":
    asyncio.run(main())
