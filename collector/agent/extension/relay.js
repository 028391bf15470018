// @ts-check
/**
 * Stands between the agent in the page's world and the worker. Whatever comes from the page may be forged by the page:
 * the worker looks at it. No token comes here.
 */
(() => {
  "use strict";
  const { runtime, storage } = /** @type {any} */ (globalThis).chrome;
  const BYTES_MAX = 48_000;
  const AGREE_MS = 250; // another page of the origin may learn of a pause by the origin's storage before it is heard here
  const BUTTON = "aside[data-casework-ignore=notice] > button";
  const encoder = new TextEncoder();

  const tell = (/** @type {string} */ what, /** @type {any} */ detail) => document.dispatchEvent(new CustomEvent("gilbreth-" + what, { detail: JSON.stringify(detail) }));
  const hear = (/** @type {string} */ what, /** @type {(detail: string) => void} */ then) =>
    document.addEventListener("gilbreth-" + what, (event) => then(String(/** @type {CustomEvent} */ (event).detail)));
  /** Fails where the extension was replaced while the page stayed: the agent keeps what it has for the next page. */
  const ask = async (/** @type {any} */ message) => runtime.sendMessage(message);

  // A message of a page that is left is lost if the worker must first wake up. So then it also lies where the worker looks
  // when it wakes; this wakes it.
  let isLeaving = false;
  /** Of what tab, frame and page this is: the worker knows. @type {any} */
  let place = {};
  addEventListener("pagehide", () => (isLeaving = true), true);
  addEventListener("pageshow", () => (isLeaving = false), true);
  const leave = (/** @type {string} */ spans) => storage.local.set({ ["left " + crypto.randomUUID()]: { spans, place, origin: location.origin } });

  /** Has a batch kept; says whether it needs no more sending. */
  const keep = async (/** @type {any} */ spans) => {
    if (typeof spans !== "string" || encoder.encode(spans).length >= BYTES_MAX) {
      // It would be again, and the agent would send nothing else any more.
      console.warn("Gilbreth dropped a batch that is too large, or none");
      return true;
    }
    try {
      if (isLeaving) leave(spans);
      return await ask({ spans, place });
    } catch {
      return false;
    }
  };
  hear("spans", async (detail) => {
    if (!runtime.id) return; // the relay of a version that was replaced is silent
    let told;
    try {
      told = JSON.parse(detail);
    } catch {}
    if (typeof told?.id === "number") tell("kept", { id: told.id, isKept: await keep(told.body) });
  });

  let isStarted = false;
  /** Whether measuring is paused in this browser profile, once that is known. @type {boolean | undefined} */
  let isPaused;
  /** Has the button of the toolbar say what is now. */
  const greet = () => ask({}).then((answer) => (place = answer), () => {});

  /** Starts the agent, once both it and what it needs are there. */
  const begin = async () => {
    const { pages, paused } = await storage.local.get(["pages", "paused"]);
    const page = pages?.[location.origin];
    if (!page) return;
    isPaused ??= !!paused;
    tell("start", { ...page, isPaused });
    if (!isStarted) greet();
    isStarted = true;
  };
  hear("ready", begin);
  begin();

  // A pause is the profile's. The agent knows one that its origin stores; any script of the page may change that, so that
  // the agent is told again what holds. Nothing is measured meanwhile that is paused.
  const hold = (/** @type {any} */ value) => {
    isPaused = !!value;
    if (!isStarted) return;
    tell("hold", isPaused);
    greet();
  };
  hear("held", (detail) => {
    const again = () => tell("hold", isPaused);
    if (!isStarted || detail === String(isPaused)) return;
    isPaused ? again() : setTimeout(again, AGREE_MS);
  });
  storage.onChanged.addListener((/** @type {any} */ changes, /** @type {string} */ area) => {
    if (area !== "local") return;
    if (changes.paused) hold(changes.paused.newValue);
    if (changes.pages && !isStarted) begin();
  });
  // A page that comes back out of the browser's cache has not heard of it.
  addEventListener("pageshow", async (event) => event.persisted && hold((await storage.local.get("paused")).paused));
  /** A page of frames shows its notice in one of them. */
  const mayShowNotice = () => {
    try {
      return parent === window || parent.document.body.localName === "frameset";
    } catch {
      return false; // of another origin
    }
  };
  // The button of the notice, when the worker presses it. It comes here before the agent hears of it.
  addEventListener(
    "click",
    (event) => {
      const on = event.composedPath()[0];
      if (!isStarted || !event.isTrusted || !(on instanceof Element) || !on.matches(BUTTON) || !mayShowNotice()) return;
      isPaused = !isPaused;
      if (runtime.id) storage.local.set({ paused: isPaused });
    },
    true,
  );
})();
