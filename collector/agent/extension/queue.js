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
    opening.onupgradeneeded = () => opening.result.createObjectStore("batches", { keyPath: "id" }).createIndex("due", "due");
    return result(opening);
  })());
const begin = async () => (await open()).transaction("batches", "readwrite", { durability: "strict" });
const done = (/** @type {IDBTransaction} */ transaction) =>
  new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve(undefined);
    transaction.onabort = () => reject(transaction.error);
  });

/** Keeps batches, in place of those with the same id, and gives up the oldest beyond the bound; says how many. */
export const keep = async (/** @type {Batch[]} */ ...batches) => {
  const transaction = await begin();
  const store = transaction.objectStore("batches");
  for (const batch of batches) store.put(batch);
  let dropped = 0;
  const counting = store.count();
  counting.onsuccess = () => {
    let over = counting.result - KEPT_MAX;
    if (over <= 0) return;
    store.index("due").openCursor().onsuccess = (/** @type {any} */ event) => {
      const cursor = event.target.result;
      if (!cursor || over-- <= 0) return;
      cursor.delete();
      dropped++;
      cursor.continue();
    };
  };
  await done(transaction);
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
