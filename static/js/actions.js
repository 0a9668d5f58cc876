// Like, bookmark and their kin change at once; the server's answer replaces the guess, an error
// takes it back. Also: copying links, logging clicks, and words for what went wrong.
import { toast } from "./toast.js";
import { post } from "./http.js";

const htmx = window.htmx;

function shift(button, by) {
  const count = button.querySelector(".action__count");
  if (!count || /[km]/i.test(count.textContent)) return;
  const next = Number(count.textContent || 0) + by;
  count.textContent = next > 0 ? String(next) : "";
  count.dataset.bump = "";
}

function flip(button) {
  const pressed = button.getAttribute("aria-pressed") === "true";
  button.setAttribute("aria-pressed", String(!pressed));
  shift(button, pressed ? -1 : 1);
}

document.addEventListener("htmx:beforeRequest", (event) => {
  const button = event.detail.elt;
  if (button.matches("[data-toggle]")) flip(button);
  if (button.matches(".button")) button.setAttribute("aria-busy", "true");
});

// A form submits with the button that was pressed; htmx then must not also fall through.
document.addEventListener("htmx:afterRequest", (event) => {
  const { elt, successful } = event.detail;
  if (elt.matches?.(".button")) elt.removeAttribute("aria-busy");
  if (!successful && elt.matches?.("[data-toggle]")) flip(elt);
});

function explain(event) {
  const xhr = event.detail.xhr;
  if (xhr?.status === 403 && !document.body.hasAttribute("data-signed-in")) {
    location.assign(`/accounts/login/?next=${encodeURIComponent(location.pathname)}`);
    return;
  }
  const words = xhr?.getResponseHeader("X-Message");
  toast(words ? decodeURIComponent(words) : "That did not work. Please try again.", { danger: true });
}
document.addEventListener("htmx:responseError", explain);
document.addEventListener("htmx:sendError", () => toast("You seem to be offline.", { danger: true }));

// Forms that come back with 422 carry their errors: show them where the form was.
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.xhr.status === 422 && event.detail.xhr.getResponseHeader("X-Form")) {
    event.detail.shouldSwap = true;
    event.detail.isError = false;
  }
});

// The server may ask for a message, with a way back: HX-Trigger: {"toast": {...}}.
document.addEventListener("toast", (event) => {
  const { text, undo } = event.detail;
  const article = event.target.closest?.("[data-post]");
  toast(text, { undo: undo ? () => takeBack(undo, article) : null });
});

// Whoever was muted or blocked leaves with all their posts; taking it back brings those to the next page.
document.addEventListener("author-gone", (event) => {
  const pressed = event.target.closest?.("[data-post]");
  for (const article of document.querySelectorAll(`[data-author="${CSS.escape(event.detail.author)}"]`)) {
    if (article !== pressed) article.remove();
  }
});

// The answer is the button as it now is: it takes the place of its kind, and the page stays where it is.
async function takeBack(url, article) {
  const answer = await post(url);
  if (!answer.ok) return toast("That could not be undone.", { danger: true });
  const template = document.createElement("template");
  template.innerHTML = await answer.text();
  const button = template.content.firstElementChild;
  const kind = button?.matches("[data-repost]") ? "[data-repost]" : ".action--bookmark";
  const former = article?.querySelector(kind);
  if (!button || !former) return;
  former.replaceWith(button);
  window.htmx.process(button);
}

async function copyLink(link) {
  const article = link.closest("[data-post]");
  const address = new URL(link.getAttribute("href"), location.href).href;
  try {
    await navigator.clipboard.writeText(address);
    toast("Link copied");
  } catch {
    location.assign(address);
    return;
  }
  if (article && document.body.hasAttribute("data-signed-in")) log(article, "share_via_copy_link");
}

// Clicks that ranking learns from. sendBeacon outlives the page that is being left.
function log(article, kind, seconds = null) {
  const data = new FormData();
  data.append("csrfmiddlewaretoken", document.querySelector("#act [name=csrfmiddlewaretoken]")?.value ?? "");
  data.append("kind", kind);
  data.append("surface", article.closest("[data-surface]")?.dataset.surface ?? "0");
  if (article.dataset.request) data.append("request_id", article.dataset.request);
  if (seconds !== null) data.append("seconds", String(seconds));
  navigator.sendBeacon(`/posts/${article.dataset.post}/log`, data);
}

document.addEventListener("click", (event) => {
  const needsAccount = event.target.closest("[data-needs-account]");
  if (needsAccount) {
    event.preventDefault();
    event.stopPropagation();
    location.assign(`/accounts/login/?next=${encodeURIComponent(location.pathname)}`);
    return;
  }
  const share = event.target.closest("[data-share]");
  if (share) { event.preventDefault(); copyLink(share); return; }
  const why = event.target.closest("[data-why]");
  if (why) { event.preventDefault(); toggleReceipt(why); return; }
  const back = event.target.closest("[data-back]");
  if (back && history.length > 1 && document.referrer.startsWith(location.origin)) { event.preventDefault(); history.back(); return; }
  const logged = event.target.closest("[data-log]");
  const article = event.target.closest("[data-post]");
  if (logged && article && document.body.hasAttribute("data-signed-in")) log(article, logged.dataset.log);
  if (!article || event.defaultPrevented) return;
  openFromBody(event, article);
}, true);

// The whole card opens its post, unless the click meant something else or text is being selected.
function openFromBody(event, article) {
  if (event.target.closest("a, button, summary, details, video, input, textarea, label, .receipt, .menu")) return;
  if (String(window.getSelection())) return;
  const url = article.dataset.url;
  if (!url || location.pathname === url) return;
  if (document.body.hasAttribute("data-signed-in")) log(article, "click");
  if (event.metaKey || event.ctrlKey) window.open(url, "_blank", "noopener");
  else location.assign(url);
}

function toggleReceipt(why) {
  const slot = document.getElementById(why.getAttribute("aria-controls"));
  const isOpen = why.getAttribute("aria-expanded") === "true";
  why.setAttribute("aria-expanded", String(!isOpen));
  if (isOpen) slot.replaceChildren();
  else htmx.trigger(why, "load-receipt");
}

// Video counts only when it was watched: a quarter of it, or two seconds, whichever is more.
document.addEventListener("timeupdate", (event) => {
  const video = event.target;
  if (!video.matches?.("[data-video]") || video.dataset.counted || !video.duration) return;
  if (video.currentTime >= Math.max(2, video.duration / 4)) {
    video.dataset.counted = "1";
    const article = video.closest("[data-post]");
    if (article && document.body.hasAttribute("data-signed-in")) log(article, "video_view", video.currentTime);
  }
}, true);
