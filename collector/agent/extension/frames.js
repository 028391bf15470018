// @ts-check
/**
 * What a frame of another origin does not say, the top page of its tab does: who works, on which case, in which session.
 * A frame's spans wait until the top page has told what it showed while they happened (`HOLD_MS` in queue.js; the agent
 * sends after 5 s).
 *
 * @typedef {{ at: number } & Record<string, any>} Said attributes as OTLP writes them, and from when on they hold
 */
const { storage } = /** @type {any} */ (globalThis).chrome;

const SAID_MAX = 50; // screens of a tab whose frames may still send
const BEFORE_NS = 60e9; // a frame may be used before its top page says anything
const SESSION = "session.id";
const WORKER = "enduser.pseudo.id";
const CASE = "casework.case.id";

const key = (/** @type {number} */ tab) => "tab " + tab;
/** @returns {Promise<Said[] | undefined>} */
export const saidIn = async (/** @type {number} */ tab) => (await storage.session.get(key(tab)))[key(tab)];
const pageKey = (/** @type {number} */ tab) => "page " + tab;
/** A name for the page that is at the top of a tab, so that frames which outlast it a little are not told with the next. */
export const pageIn = async (/** @type {number} */ tab, isNew = false) => {
  if (isNew) await storage.session.set({ [pageKey(tab)]: crypto.randomUUID() });
  return /** @type {string | undefined} */ ((await storage.session.get(pageKey(tab)))[pageKey(tab)]);
};
export const forget = (/** @type {number} */ tab) => storage.session.remove([key(tab), pageKey(tab)]);

const find = (/** @type {any} */ span, /** @type {string} */ name) => span.attributes.find((/** @type {any} */ one) => one.key === name);
const sameAs = (/** @type {Said | undefined} */ one, /** @type {Said} */ other) => !!one && JSON.stringify({ ...one, at: 0 }) === JSON.stringify({ ...other, at: 0 });

/** From when on the page has shown what a span says: a wait for a screen is told as one of it, and ends when it is there. */
const since = (/** @type {any} */ span) => Number(find(span, "casework.interaction")?.value?.stringValue === "wait" ? span.endTimeUnixNano : span.startTimeUnixNano);

/** Notes what the spans of a top page say. */
export const listen = async (/** @type {number} */ tab, /** @type {string | undefined} */ page, /** @type {any[]} */ spans) => {
  const all = [
    ...((await saidIn(tab)) ?? []),
    ...spans.map((span) => ({ at: since(span), page, [SESSION]: find(span, SESSION), [WORKER]: find(span, WORKER), [CASE]: find(span, CASE) })),
  ].sort((one, other) => one.at - other.at);
  const changes = all.filter((one, at) => !sameAs(all[at - 1], one));
  await storage.session.set({ [key(tab)]: changes.slice(-SAID_MAX) });
};

/** Adds to the spans of a frame what they lack. The session is always the top page's, whose clock is the same. */
export const fill = (/** @type {any[]} */ spans, /** @type {string | undefined} */ page, /** @type {Said[]} */ all) => {
  const said = page ? all.filter((one) => one.page === page) : all;
  for (const span of spans) {
    const at = Number(span.startTimeUnixNano);
    const inForce = said.findLast((one) => one.at <= at) ?? said.find((one) => one.at - at < BEFORE_NS);
    if (!inForce) continue;
    // Whoever is named next: before a sign-in nobody is, and after a sign-out.
    const worker = inForce[WORKER] ?? said.find((one) => one.at > at && one[WORKER])?.[WORKER];
    const own = span.attributes.filter((/** @type {any} */ one) => !inForce[SESSION] || one.key !== SESSION);
    span.attributes = [...own, inForce[SESSION], find(span, WORKER) ? undefined : worker, find(span, CASE) ? undefined : inForce[CASE]].filter(Boolean);
  }
};
