// @ts-check
/**
 * Stands between the agent in the page's world and the worker. Whatever comes from the page may be forged by the page:
 * the worker looks at it. No token comes here.
 */
(() => {
  "use strict";
  const { runtime, storage } = /** @type {any} */ (globalThis).chrome;
  const BYTES_MAX = 48_000;
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

  hear("spans", async (detail) => {
    // The relay of a version that was replaced is silent; quotes are doubled in what it hears.
    if (!runtime.id || encoder.encode(detail).length > BYTES_MAX * 2) return;
    let id;
    let isKept = false;
    try {
      const told = JSON.parse(detail);
      id = told.id;
      if (encoder.encode(told.body).length >= BYTES_MAX) throw new RangeError("it is too large");
      if (isLeaving) leave(told.body);
      isKept = await ask({ spans: told.body, place });
    } catch {}
    if (typeof id === "number") tell("kept", { id, isKept });
  });

  let isStarted = false;
  /** @type {boolean | undefined} */
  let isPaused;
  const isPausedHere = () => {
    try {
      return !!localStorage["gilbreth-paused"];
    } catch {
      return !!isPaused;
    }
  };
  /** Has the button of the toolbar say what is now. */
  const greet = () => ask({}).then((answer) => (place = answer), () => {});

  /** Starts the agent, once both it and what it needs are there. */
  const begin = async () => {
    const { pages, paused } = await storage.local.get(["pages", "paused"]);
    const page = pages?.[location.origin];
    if (!page) return;
    // Somebody may have paused before there was this extension.
    isPaused ??= paused ?? isPausedHere();
    tell("start", { ...page, isPaused });
    if (!isStarted) greet();
    isStarted = true;
  };
  hear("ready", begin);
  begin();

  /** Notes that measuring is paused or not; says whether that is new. A pause holds in all frames and pages, whoever began it. */
  const isNews = (/** @type {boolean} */ value) => {
    if (!isStarted || value === isPaused) return false;
    isPaused = value;
    greet();
    return true;
  };
  const hearOf = (/** @type {any} */ paused) => isNews(!!paused) && tell("paused", !!paused);
  storage.onChanged.addListener((/** @type {any} */ changes, /** @type {string} */ area) => {
    if (area !== "local") return;
    if (changes.pages && !isStarted) begin();
    if (changes.paused) hearOf(changes.paused.newValue);
  });
  // A page that comes back out of the browser's cache has not heard of it.
  addEventListener("pageshow", async (event) => event.persisted && hearOf((await storage.local.get("paused")).paused));
  // The button of the agent's notice has stored what it does by now.
  addEventListener("click", (event) => event.isTrusted && isNews(isPausedHere()) && storage.local.set({ paused: isPaused }));
})();
