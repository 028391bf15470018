// @ts-check
/**
 * What the administrator allows. Nothing is measured without it, and nothing that it does not name.
 *
 * @typedef {object} Page the pages of one origin
 * @property {string} origin
 * @property {string} system
 * @property {string} [token]
 * @property {string} [release]
 * @property {string} [rules]
 * @property {string} [titles]
 *
 * @typedef {object} Policy
 * @property {string} endpoint
 * @property {string} [notice]
 * @property {string} [key]
 * @property {Page[]} pages
 */
const { storage } = /** @type {any} */ (globalThis).chrome;

const isText = (/** @type {any} */ value) => typeof value === "string" && value !== "";
const isUrl = (/** @type {any} */ value) => isText(value) && URL.canParse(value) && /^https?:$/.test(new URL(value).protocol);

/** Each thing that may be said: what it must be, and a test of that. @type {Record<string, [string, (value: any) => boolean]>} */
const POLICY = {
  endpoint: ["is not an address such as https://collector.example:4318", (value) => isUrl(value) && !/[?#]|\/$/.test(value)],
  notice: ["is not text", isText],
  key: ["is not text", isText],
  pages: ["is not a list", Array.isArray],
};
/** @type {Record<string, [string, (value: any) => boolean]>} */
const PAGE = {
  origin: ["is not written as browsers do, such as https://ndelius.example", (value) => isUrl(value) && new URL(value).origin === value],
  system: ["is not the name of a system", isText],
  token: ["is not a token", (value) => /^[\w.-]+$/.test(value)],
  release: ["is not text", isText],
  rules: ["can only be none", (value) => value === "none"],
  titles: ["can only be yes", (value) => value === "yes"],
};

/** What is wrong with a part of a policy; `needed` must be there. */
const wrongs = (/** @type {string} */ place, /** @type {any} */ given, /** @type {typeof PAGE} */ allowed, /** @type {string[]} */ needed) =>
  typeof given !== "object" || given === null ? [`${place} is not an object`]
  : [
      ...needed.filter((name) => given[name] === undefined).map((name) => `${place}.${name} is missing`),
      ...Object.keys(given).filter((name) => !allowed[name]).map((name) => `${place}.${name} is not known`),
      ...Object.keys(given).filter((name) => allowed[name] && !allowed[name][1](given[name])).map((name) => `${place}.${name} ${allowed[name][0]}`),
    ];

/**
 * Holds a policy to what it may say. Pages that are wrong are left out and the others hold; without an endpoint nothing
 * does.
 *
 * @param {any} given
 * @returns {{ policy: Policy | undefined, complaints: string[] }}
 */
export const check = (given) => {
  const complaints = wrongs("policy", given, POLICY, ["endpoint", "pages"]);
  if (complaints.length) return { policy: undefined, complaints };
  const pages = given.pages.filter((/** @type {any} */ page, /** @type {number} */ at) => {
    const wrong = wrongs(`policy.pages[${at}]`, page, PAGE, ["origin", "system"]);
    const isAgain = given.pages.slice(0, at).some((/** @type {any} */ other) => other?.origin === page?.origin);
    if (!wrong.length && isAgain) wrong.push(`policy.pages[${at}].origin is there already`);
    complaints.push(...wrong);
    return !wrong.length;
  });
  return { policy: { ...given, pages }, complaints };
};

/**
 * The policy in force: the administrator's; for a trial, where there is none, `policy` in the extension's own storage.
 *
 * @returns {Promise<{ isThere: boolean, policy?: Policy }>} one that is there may be wrong
 */
export const readPolicy = async () => {
  // Firefox throws where nothing is managed.
  const managed = await storage.managed.get().catch(() => ({}));
  const given = Object.keys(managed).length ? managed : (await storage.local.get("policy")).policy;
  if (given === undefined) return { isThere: false };
  const { policy, complaints } = check(given);
  for (const complaint of complaints) console.error(complaint);
  return { isThere: true, policy };
};
