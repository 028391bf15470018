// @ts-check
/**
 * What waits to be sent, in the extension's own IndexedDB: it outlives pages, the worker and the browser.
 *
 * @typedef {object} Batch
 * @property {string} id       its origin and the id of its first span: what a page sends twice is kept once
 * @property {number} due      not to be sent before
 * @property {string} origin   of the page that it comes from
 * @property {string} [release]
 * @property {number} [tab]    of a frame: the tab whose top page says what the frame does not
 * @property {string} [page]   which page that was, if it is known
 * @property {any[]} [said]    what that had said when the batch came
 * @property {any[]} spans
 */
const KEPT_MAX = 500;
const ORIGIN_MAX = 200; // of one origin, so that no page pushes out what the others tell
const KEPT_MS = 30 * 24 * 3600_000; // the collector takes nothing that is older
/** No batch waits longer for its top page; what is due later was kept before the clock was set back. */
export const HOLD_MS = 6_000;

const result = (/** @type {IDBRequest} */ request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
/** @type {Promise<IDBDatabase> | undefined} */
let opened;
const open = () =>
  (opened ??= (() => {
    const opening = indexedDB.open("gilbreth", 1);
    opening.onupgradeneeded = () => {
      const store = opening.result.createObjectStore("batches", { keyPath: "id" });
      store.createIndex("due", "due");
      store.createIndex("origin", ["origin", "due"]);
    };
    return result(opening);
  })());
const begin = async () => (await open()).transaction("batches", "readwrite", { durability: "strict" });
const done = (/** @type {IDBTransaction} */ transaction) =>
  new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve(undefined);
    transaction.onabort = () => reject(transaction.error);
  });

/** Gives up the first of those in a range of an index, all of them or so many; says how many there were. */
const drop = async (/** @type {IDBIndex} */ index, /** @type {IDBKeyRange | null} */ range, many = KEPT_MAX) => {
  if (many <= 0) return 0;
  const ids = /** @type {IDBValidKey[]} */ (await result(index.getAllKeys(range, many)));
  for (const id of ids) index.objectStore.delete(id);
  return ids.length;
};

/** Keeps batches, in place of those with the same id, and gives up the oldest beyond the bounds; says how many. */
export const keep = async (/** @type {Batch[]} */ ...batches) => {
  const transaction = await begin();
  const store = transaction.objectStore("batches");
  const ended = done(transaction);
  for (const batch of batches) store.put(batch);
  let dropped = 0;
  for (const origin of new Set(batches.map((batch) => batch.origin))) {
    const own = IDBKeyRange.bound([origin], [origin, []]);
    dropped += await drop(store.index("origin"), own, (await result(store.index("origin").count(own))) - ORIGIN_MAX);
  }
  dropped += await drop(store.index("due"), null, (await result(store.count())) - KEPT_MAX);
  await ended;
  return dropped;
};

/** Gives up what has waited for too long; says how many. */
export const expire = async (/** @type {number} */ now) => {
  const transaction = await begin();
  const ended = done(transaction);
  const dropped = await drop(transaction.objectStore("batches").index("due"), IDBKeyRange.upperBound(now - KEPT_MS));
  await ended;
  return dropped;
};

export const has = async (/** @type {string} */ id) => !!(await result((await begin()).objectStore("batches").getKey(id)));

export const remove = async (/** @type {string} */ id) => {
  const transaction = await begin();
  transaction.objectStore("batches").delete(id);
  await done(transaction);
};

/**
 * The first batch that can be sent now, or else when one can be.
 *
 * @param {number} now
 * @param {(origin: string) => number} freeFrom when the batches of an origin may be tried again
 * @returns {Promise<{ batch?: Batch, at: number }>} `at` is infinite if none is left
 */
export const next = async (now, freeFrom) => {
  const cursors = (await begin()).objectStore("batches").index("due").openCursor();
  return new Promise((resolve, reject) => {
    let at = Infinity;
    cursors.onerror = () => reject(cursors.error);
    cursors.onsuccess = () => {
      const cursor = cursors.result;
      if (!cursor) return resolve({ at });
      const batch = /** @type {Batch} */ (cursor.value);
      const from = Math.max(batch.due > now + HOLD_MS ? now : batch.due, freeFrom(batch.origin));
      if (from <= now) return resolve({ batch, at: now });
      at = Math.min(at, from);
      cursor.continue();
    };
  });
};
