// Keeps the files of the site, so that it works offline, and adds the headers that isolate it from foreign origins.
// The exporter writes VERSION, POLICY and FILES (path: SHA-256 in base64) above this line.
/* global VERSION, POLICY, FILES */

const CACHE = `dpanet-${VERSION}`;
const ROOT = self.registration.scope;

self.addEventListener("activate", (event) => {
  const clean = async () => {
    for (const name of await caches.keys()) if (name.startsWith("dpanet-") && name !== CACHE) await caches.delete(name);
    await self.clients.claim();
  };
  event.waitUntil(clean());
});

self.addEventListener("message", (event) => {
  if (event.data === "store") event.waitUntil(storeAll(event.source));
  if (event.data === "replace") event.waitUntil(replaceOld(event.source));
});

/** Take over from the worker of an older version, unless another page still needs the files of that version. */
async function replaceOld(client) {
  const pages = await self.clients.matchAll({ includeUncontrolled: true });
  if (pages.every(({ id }) => id === client.id)) await self.skipWaiting();
  else client.postMessage("needed");
}

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || !["http:", "https:"].includes(url.protocol)) return;
  if (!url.href.startsWith(ROOT)) {
    event.respondWith(Response.error()); // the page has no business elsewhere
    return;
  }
  const path = url.pathname.slice(new URL(ROOT).pathname.length) || "index.html";
  if (Object.hasOwn(FILES, path)) event.respondWith(answer(path));
});

async function answer(path) {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(ROOT + path);
  if (kept) return isolated(kept);
  // A server that changed the file meanwhile, or on its way, shall not make the page unreachable.
  return isolated(await load(cache, path).catch(() => fetch(ROOT + path, { cache: "no-cache" })));
}

/** What is being loaded, so that the page and the store fetch no file twice. */
const loading = new Map();

async function load(cache, path) {
  if (!loading.has(path)) {
    const fetched = fetchAndKeep(cache, path).finally(() => loading.delete(path));
    loading.set(path, fetched);
  }
  return (await loading.get(path)).clone();
}

/** Only the file that was exported together with this worker is kept, so that no two versions are mixed. */
async function fetchAndKeep(cache, path) {
  const file = await fetch(ROOT + path, { cache: "no-cache", integrity: `sha256-${FILES[path]}` });
  if (!file.ok) return file;
  // The whole body first: of two copies of a stream, one that nobody reads yet can hold up the other.
  const { status, statusText, headers } = file;
  const whole = await file.arrayBuffer();
  await cache.put(ROOT + path, new Response(whole, { status, statusText, headers }));
  return new Response(whole, { status, statusText, headers });
}

async function storeAll(client) {
  const cache = await caches.open(CACHE);
  for (const path of Object.keys(FILES)) {
    if (!(await cache.match(ROOT + path))) {
      const file = await load(cache, path);
      if (!file.ok) return;
    }
  }
  client?.postMessage("stored");
}

function isolated(response) {
  if (!response.ok) return response;
  const headers = new Headers(response.headers);
  headers.set("Cross-Origin-Opener-Policy", "same-origin");
  headers.set("Cross-Origin-Embedder-Policy", "require-corp");
  headers.set("Cross-Origin-Resource-Policy", "same-origin");
  headers.set("Content-Security-Policy", POLICY);
  return new Response(response.body, { status: response.status, statusText: response.statusText, headers });
}
