// @ts-check
/**
 * The extension's worker: has the agent run in the pages that the policy names, fetches their rules, keeps what they
 * send and sends it to the collector. It sleeps most of the time, so that what must outlast that lies in the queue
 * (`queue.js`), in `storage.session` (until the browser ends) or in `storage.local`.
 *
 * A page may forge what it sends. So only its spans are taken; of which system they are is told by the origin that the
 * browser names as the sender's.
 *
 * @import { Policy, Page } from "./policy.js"
 * @import { Batch } from "./queue.js"
 */
import { fill, forget, listen, pageIn, saidIn } from "./frames.js";
import { expire, has, HOLD_MS, keep, next, remove } from "./queue.js";
import { readPolicy } from "./policy.js";

const { action, alarms, declarativeNetRequest, runtime, scripting, storage, tabs } = /** @type {any} */ (globalThis).chrome;
const BODY_BYTES_MAX = 48_000;
const ANSWER_MS = 20_000; // a worker that waits longer is put to sleep
const NAP_MS = 25_000; // longer waits are slept through, until an alarm
const ALARM_MS = 30_000; // none is set sooner
const POLICY_MS = 60_000; // if the browser has told none for so long since it started, there is none
const RULES_MS = 300_000; // as long as the collector says that they hold
const SENT_MAX = 1_000; // batches that are remembered, in case their page sends them again

// ── What the policy allows ─────────────────────────────────────────────────────────────────────────────────────────

/** @type {Policy | undefined} */
let policy;
/** Nothing is known of a policy yet, but that there was one when the browser was last open. */
let isAwaited = false;
/** The origins that are measured. @type {Set<string>} */
let origins = new Set();
const pageOf = (/** @type {string} */ origin) => policy?.pages.find((page) => page.origin === origin);
const address = (/** @type {string} */ endpoint, /** @type {Page} */ { origin, token }) =>
  new URL(`${endpoint}/v1/traces?from=${encodeURIComponent(origin)}${token ? "&token=" + token : ""}`).href;

/** Firefox knows no ports in patterns; the relay asks for its whole origin before it starts anything. */
const pattern = (/** @type {string} */ origin) => {
  const { protocol, hostname } = new URL(origin);
  return runtime.getURL("").startsWith("moz-") ? `${protocol}//${hostname}/*` : origin + "/*";
};

/** Has the scripts run in the pages that are measured, and nowhere else. */
const register = async () => {
  const matches = [...new Set([...origins].map(pattern))];
  const about = { matches, allFrames: true, matchOriginAsFallback: true, runAt: "document_start" };
  const wanted = !matches.length ? [] : [
    { ...about, id: "agent", world: "MAIN", js: ["agent.js", "notice.js", "extension/start.js"] },
    { ...about, id: "relay", world: "ISOLATED", js: ["extension/relay.js"] },
  ];
  const there = await scripting.getRegisteredContentScripts();
  if (JSON.stringify(there.map((/** @type {any} */ one) => one.matches)) === JSON.stringify(wanted.map((one) => one.matches))) return;
  await scripting.unregisterContentScripts();
  if (wanted.length) await scripting.registerContentScripts(wanted);
};

/** Has each request carry the origin of the page that its spans come from: a page's token holds for no other. */
const nameOrigins = async (/** @type {Policy | undefined} */ of) => {
  const there = await declarativeNetRequest.getSessionRules();
  await declarativeNetRequest.updateSessionRules({
    removeRuleIds: there.map((/** @type {any} */ rule) => rule.id),
    addRules: of?.pages.map((page, at) => ({
      id: at + 1,
      action: { type: "modifyHeaders", requestHeaders: [{ header: "origin", operation: "set", value: page.origin }] },
      condition: { urlFilter: `|${address(of.endpoint, page)}|`, tabIds: [-1], requestMethods: ["post"], resourceTypes: ["xmlhttprequest"] },
    })),
  });
};

/** The rules of a system; nothing if the collector cannot be asked. Pages wait for the first: with them comes the key. */
const askRules = async (/** @type {Policy} */ { endpoint }, /** @type {Page} */ { system, rules }) => {
  if (rules === "none") return {};
  try {
    const answer = await fetch(`${endpoint}/agent/${encodeURIComponent(system)}.json`, { credentials: "omit", cache: "no-cache", signal: AbortSignal.timeout(ANSWER_MS) });
    return answer.ok ? await answer.json() : answer.status === 404 ? {} : undefined;
  } catch {}
};
/** Puts what pages need where their relays find it at once. Tokens are not among it. */
const prepare = async (/** @type {Policy | undefined} */ of, isForced = false) => {
  const { pages: before = {}, paused } = await storage.local.get(["pages", "paused"]);
  await action.setBadgeText({ text: paused ? "off" : "" });
  if (isAwaited) return;
  const { asked = {} } = await storage.session.get("asked");
  const pages = /** @type {Record<string, any>} */ ({});
  for (const page of of?.pages ?? []) {
    const { origin, system, release, titles } = page;
    const known = before[origin]?.system === system ? before[origin].rules : undefined;
    const isOld = isForced || !known || Math.abs(Date.now() - (asked[system] ?? 0)) > RULES_MS;
    const rules = (isOld && (await askRules(/** @type {Policy} */ (of), page))) || known;
    if (isOld && rules) asked[system] = Date.now();
    if (rules) pages[origin] = { system, release, titles, rules, key: of?.key, notice: of?.notice };
  }
  await storage.session.set({ asked });
  if (of === policy && JSON.stringify(pages) !== JSON.stringify(before)) await storage.local.set({ pages });
};

/**
 * Chromium tells the policy only some seconds after it has started. Until then the scripts run where they did when it was
 * last open, and what they tell is kept.
 */
const apply = () =>
  navigator.locks.request("policy", async () => {
    const read = await readPolicy();
    const { pages = {} } = await storage.local.get("pages");
    const { since = Date.now() } = await storage.session.get("since");
    policy = read.policy;
    isAwaited = !read.isThere && Object.keys(pages).length > 0 && Date.now() - since < POLICY_MS;
    origins = new Set(isAwaited ? Object.keys(pages) : policy?.pages.map((page) => page.origin));
    // Once it is known, nothing is waited for until the browser starts again.
    await storage.session.set({ since: isAwaited ? since : 0 });
    await (isAwaited ? alarms.create("policy", { when: since + POLICY_MS }) : alarms.clear("policy"));
    await register();
    await nameOrigins(policy);
  });
/** @type {ReturnType<typeof apply>} */
let ready;
const follow = (isForced = false) => {
  ready = apply();
  return ready.then(() => Promise.all([navigator.locks.request("rules", () => prepare(policy, isForced)), takeLeft().then(drain)]));
};
follow();

storage.onChanged.addListener((/** @type {any} */ changes, /** @type {string} */ area) => {
  if (area === "local" && Object.entries(changes).some(([key, { newValue }]) => key.startsWith("left ") && newValue)) takeLeft().then(drain);
  if (area === "local" && changes.paused) action.setBadgeText({ text: changes.paused.newValue ? "off" : "" });
  if (area !== "managed" && !(area === "local" && changes.policy)) return;
  follow(true);
});

// ── What pages send ────────────────────────────────────────────────────────────────────────────────────────────────

const isSpan = (/** @type {any} */ span) =>
  typeof span?.spanId === "string" && /^[0-9a-f]{16}$/.test(span.spanId) && Number.isFinite(Number(span.startTimeUnixNano)) && Array.isArray(span.attributes) && span.attributes.every((/** @type {any} */ one) => typeof one?.key === "string");
const size = (/** @type {any} */ value) => new TextEncoder().encode(JSON.stringify(value)).length;

const idOf = (/** @type {string} */ origin, /** @type {any[]} */ spans) => `${origin} ${spans[0].spanId}`;

/** The spans and the release in a body; nothing if it is none. */
const readBody = (/** @type {any} */ body) => {
  if (typeof body !== "string" || body.length >= BODY_BYTES_MAX) return;
  try {
    const [{ resource, scopeSpans }, ...others] = JSON.parse(body).resourceSpans;
    const spans = scopeSpans[0].spans;
    const release = resource.attributes.find((/** @type {any} */ one) => one.key === "service.version")?.value.stringValue;
    if (!others.length && scopeSpans.length === 1 && spans.length && spans.every(isSpan)) return { spans, release: release && String(release) };
  } catch {}
};

/**
 * Takes what a page sends. Says whether it needs no more sending: it is kept, or never will be. Whether the policy allows
 * it is asked when it is sent: Chromium tells the policy only some seconds after it has started.
 */
const take = async (/** @type {any} */ body, /** @type {string} */ origin, /** @type {any} */ { tab, frame, page }) => {
  const read = readBody(body);
  if (!read) {
    console.warn("dropped what %s sent: these are no spans", origin);
    return true;
  }
  const { spans, release } = read;
  const batch = /** @type {Batch} */ ({ id: idOf(origin, spans), due: Date.now(), origin, release, spans });
  if ((await has(batch.id)) || sent.has(batch.id)) return true;
  // A page that was left at once did not learn where it was.
  if (tab !== undefined && frame === 0) await listen(tab, page, spans);
  else if (tab !== undefined && page !== null) Object.assign(batch, { due: batch.due + HOLD_MS, tab, page, said: await saidIn(tab) });
  await count(await keep(batch));
  return true;
};
const count = async (/** @type {number} */ more) => {
  if (!more) return;
  const dropped = ((await storage.local.get("dropped")).dropped ?? 0) + more;
  console.warn("dropped %d batches that could not be sent for long, %d in all", more, dropped);
  await storage.local.set({ dropped });
};

/** What pages that were left have put by: their relays say where it comes from, which no script of a page can reach. */
const takeLeft = () =>
  navigator.locks.request("take", async () => {
    for (const [key, left] of Object.entries(await storage.local.get())) {
      if (!key.startsWith("left ")) continue;
      await take(left.spans, left.origin, left.place);
      await storage.local.remove(key);
    }
  });

/** Where a sender is; `page` names the page at the top of its tab, and is null if that is not measured. */
const placeOf = async (/** @type {any} */ { tab, frameId }) => {
  const isMeasured = tab?.url && origins.has(new URL(tab.url).origin);
  return { tab: tab?.id, frame: frameId, page: isMeasured ? await pageIn(tab.id, frameId === 0) : null };
};
const originOf = (/** @type {any} */ sender) => sender.origin ?? new URL(sender.url).origin;

/** A page is measured: says so at the button, and looks for newer rules, which hold from the next page on. */
const greet = async (/** @type {any} */ sender) => {
  if (!origins.has(originOf(sender)) || !sender.tab) return;
  const { paused } = await storage.local.get("paused");
  const tabId = sender.tab.id;
  const title = paused ? "Measuring is paused in all pages. Click to resume" : "This page is measured. Click to pause";
  // The tab may be closed by now.
  await Promise.allSettled([action.setTitle({ tabId, title }), action.setBadgeText({ tabId, text: paused ? "off" : "on" })]);
  await navigator.locks.request("rules", () => prepare(policy));
};

runtime.onMessage.addListener((/** @type {any} */ message, /** @type {any} */ sender, /** @type {(answer: any) => void} */ respond) => {
  if (sender.id !== runtime.id) return;
  if (message?.spans === undefined) {
    ready.then(async () => {
      respond(await placeOf(sender));
      await greet(sender);
    });
    return true;
  }
  navigator.locks
    .request("take", () => take(message.spans, originOf(sender), { tab: sender.tab?.id, frame: sender.frameId, ...message.place }))
    .then((isKept) => respond(isKept), () => respond(false))
    .then(drain);
  return true;
});

// ── Sending ────────────────────────────────────────────────────────────────────────────────────────────────────────

/** What was sent since the worker woke up. @type {Set<string>} */
const sent = new Set();
let coming = 0; // timer: the next try

const attribute = (/** @type {string} */ key, /** @type {any} */ value) => ({ key, value });
const bodyOf = (/** @type {Batch} */ { spans, release }, /** @type {Page} */ { system }) => {
  const attributes = [
    attribute("service.name", { stringValue: system }),
    ...(release ? [attribute("service.version", { stringValue: release })] : []),
    attribute("casework.clock.sent", { intValue: Date.now() * 1e6 }),
  ];
  return { resourceSpans: [{ resource: { attributes }, scopeSpans: [{ spans }] }] };
};

/** Gives the spans of a frame what its top page said, as batches that are small enough. */
const complete = async (/** @type {Batch} */ { tab, page: top, said, ...batch }, /** @type {Page} */ page) => {
  fill(batch.spans, top, (await saidIn(/** @type {number} */ (tab))) ?? said ?? []);
  /** @returns {any[][]} */
  const split = (/** @type {any[]} */ spans) => {
    const middle = spans.length >> 1;
    return size(bodyOf({ ...batch, spans }, page)) < BODY_BYTES_MAX || !middle ? [spans] : [...split(spans.slice(0, middle)), ...split(spans.slice(middle))];
  };
  await count(await keep(...split(batch.spans).map((spans) => ({ ...batch, id: idOf(batch.origin, spans), spans }))));
};

/** Sends a batch; says whether it needs no more sending. */
const send = async (/** @type {Batch} */ batch, /** @type {Page} */ page, /** @type {Policy} */ { endpoint }) => {
  try {
    const answer = await fetch(address(endpoint, page), {
      method: "POST",
      credentials: "omit",
      headers: { "content-type": "text/plain" },
      body: JSON.stringify(bodyOf(batch, page)),
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    // What is refused for what it is will be refused again.
    return answer.ok || answer.status === 400 || answer.status === 413;
  } catch {
    return false;
  }
};

/** Sends what is due. An origin whose batch was not taken waits for 2 s, 4 s … 2 minutes; the others go on. */
const drain = () =>
  navigator.locks.request("send", async () => {
    await ready;
    await count(await expire(Date.now()));
    const { tries = {} } = await storage.session.get("tries");
    for (;;) {
      const { batch, at } = policy ? await next(Date.now(), (origin) => tries[origin]?.from ?? 0) : { at: Infinity };
      if (!batch) return comeAgain(at);
      const page = pageOf(batch.origin);
      if (!policy || !page) await remove(batch.id); // no longer allowed
      else if (batch.tab !== undefined) await complete(batch, page);
      else if (await send(batch, page, policy)) {
        if (sent.size > SENT_MAX) sent.clear();
        sent.add(batch.id);
        await remove(batch.id);
        delete tries[batch.origin];
        await storage.session.set({ tries });
      } else {
        const wait = Math.min(120_000, (tries[batch.origin]?.wait ?? 1_000) * 2);
        tries[batch.origin] = { wait, from: Date.now() + wait * (1 - Math.random() / 4) };
        await storage.session.set({ tries });
      }
    }
  });
const comeAgain = async (/** @type {number} */ at) => {
  clearTimeout(coming);
  if (at === Infinity) return void (await alarms.clear("send"));
  const wait = at - Date.now();
  if (wait < NAP_MS) coming = setTimeout(drain, wait);
  await alarms.create("send", { when: Date.now() + Math.max(wait, ALARM_MS) });
};

alarms.onAlarm.addListener((/** @type {any} */ { name }) => (name === "policy" ? follow() : drain()));
addEventListener("online", () => storage.session.remove("tries").then(drain));
// Both only wake the worker, which looks at its policy and its queue whenever it wakes.
runtime.onStartup.addListener(() => {});
runtime.onInstalled.addListener(() => {});
action.onClicked.addListener(async () => storage.local.set({ paused: !(await storage.local.get("paused")).paused }));
// What its frames sent last may still wait for what it said.
tabs.onRemoved.addListener((/** @type {number} */ tab) => setTimeout(forget, 2 * HOLD_MS, tab));
