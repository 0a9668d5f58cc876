// A post counts as seen when at least half of it was visible for a second in a focused tab.
// Seen posts go out in batches; how long they were looked at follows when the page is left.
import { token } from "./http.js";

const SEEN_AFTER_MS = 1000;
const BATCH_MS = 4000;
const watched = new Map(); // article -> {since, total, reported}
let waiting = [];
let waitingAds = [];

const isFocused = () => document.visibilityState === "visible" && document.hasFocus();
const feedOf = (article) => article.closest("[data-surface]");

function begin(article) {
  const state = watched.get(article) ?? { since: null, total: 0, reported: false };
  if (state.since === null && isFocused()) state.since = performance.now();
  watched.set(article, state);
}

function end(article) {
  const state = watched.get(article);
  if (!state || state.since === null) return;
  state.total += performance.now() - state.since;
  state.since = null;
}

const observer = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting, intersectionRatio, intersectionRect, rootBounds } of entries) {
    // A post taller than the window counts when it fills half of the window.
    const fillsWindow = rootBounds && intersectionRect.height >= rootBounds.height / 2;
    target.toggleAttribute("data-in-view", isIntersecting && (intersectionRatio >= 0.5 || fillsWindow));
    if (target.hasAttribute("data-in-view")) begin(target);
    else end(target);
  }
}, { threshold: [0, 0.25, 0.5, 0.75, 1] });

function collect() {
  for (const [article, state] of watched) {
    const running = state.since === null ? 0 : performance.now() - state.since;
    if (!state.reported && state.total + running >= SEEN_AFTER_MS) {
      state.reported = true;
      if (article.dataset.ad) waitingAds.push(article.dataset.ad);
      else waiting.push(row(article));
    }
  }
}

function row(article) {
  return {
    post_id: article.dataset.post,
    surface: Number(feedOf(article)?.dataset.surface ?? 0),
    position: article.dataset.position ? Number(article.dataset.position) : null,
    request_id: article.dataset.request ?? null,
  };
}

function send(extra = {}) {
  if (!waiting.length && !extra.dwells?.length) return;
  const data = new FormData();
  data.append("csrfmiddlewaretoken", token());
  data.append("data", JSON.stringify({ impressions: waiting, ...extra }));
  if (navigator.sendBeacon("/impressions", data)) waiting = [];
}

function sendAds() {
  if (!waitingAds.length) return;
  const data = new FormData();
  data.append("csrfmiddlewaretoken", token());
  data.append("tokens", JSON.stringify(waitingAds));
  if (navigator.sendBeacon("/ads/seen", data)) waitingAds = [];
}

function dwells() {
  const list = [];
  for (const [article, state] of watched) {
    const seconds = state.total / 1000;
    if (state.reported && !article.dataset.ad && seconds >= 0.5) {
      list.push({ ...row(article), seconds: Math.round(seconds * 10) / 10 });
      state.total = 0;
    }
  }
  return list;
}

function pause() {
  collect();
  for (const article of watched.keys()) end(article);
}

function leave() {
  pause();
  send({ dwells: dwells() });
  sendAds();
}

function watch(root) {
  for (const article of root.querySelectorAll("[data-surface] :is([data-post], [data-ad]):not([data-watched])")) {
    article.dataset.watched = "";
    observer.observe(article);
  }
}

if (document.body.hasAttribute("data-signed-in") && "IntersectionObserver" in window) {
  watch(document);
  document.addEventListener("htmx:afterSettle", () => watch(document));
  window.setInterval(() => { collect(); send(); sendAds(); }, BATCH_MS);
  window.addEventListener("blur", pause);
  window.addEventListener("focus", () => document.querySelectorAll("[data-in-view]").forEach(begin));
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden") { leave(); }
  });
  window.addEventListener("pagehide", leave);
}
