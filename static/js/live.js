// What happens while the page is open: new posts gather in the pill, deleted ones leave,
// the notification badge counts. The page never moves by itself.
const RETRY_MS = [500, 1000, 2000, 5000, 10000, 30000];
const SIGNED_OUT = 4401;
const MOST_COUNTED = 99;
const MOST_SHOWN = 20;
let attempts = 0;
const fresh = new Map(); // post id -> {name, hue, avatar}

function connect() {
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  const socket = new WebSocket(`${scheme}://${location.host}/ws/live`);
  socket.addEventListener("open", () => { attempts = 0; watch(socket); document.body.dataset.live = "open"; });
  document.addEventListener("htmx:afterSettle", () => watch(socket));
  socket.addEventListener("message", (event) => receive(JSON.parse(event.data)));
  // A page with an open socket is not kept by every browser, and going back would lose one's place.
  window.addEventListener("pagehide", () => socket.close(), { once: true });
  socket.addEventListener("close", ({ code }) => {
    delete document.body.dataset.live;
    if (code === SIGNED_OUT) return;
    window.setTimeout(connect, RETRY_MS[Math.min(attempts++, RETRY_MS.length - 1)]);
  });
}

// Whose posts stand here, so that their deletions are heard of even if one does not follow them.
function watch(socket) {
  if (socket.readyState !== WebSocket.OPEN) return;
  const authors = new Set([...document.querySelectorAll("[data-author]")].map((post) => post.dataset.author));
  if (authors.size) socket.send(JSON.stringify({ watch: [...authors] }));
}

function receive(message) {
  if (message.type === "new_post") { fresh.set(message.post_id, message.author); showPill(); }
  if (message.type === "deleted") remove(message.post_id);
  if (message.type === "notified") badge(message.unread);
}

function showPill() {
  const slot = document.getElementById("pill");
  if (!slot) return;
  if (!fresh.size) { slot.replaceChildren(); return; }
  const link = document.createElement("a");
  link.className = "pill";
  link.href = location.pathname;
  link.dataset.pill = "";
  const faces = document.createElement("span");
  faces.className = "pill__faces";
  faces.append(...lastAuthors().map(face));
  const amount = fresh.size > MOST_COUNTED ? `${MOST_COUNTED}+` : fresh.size;
  const words = document.createElement("span");
  words.textContent = `${amount} new`;
  link.setAttribute("aria-label", `${amount} new post${fresh.size === 1 ? "" : "s"}, show`);
  link.append(faces, words);
  slot.replaceChildren(link);
}

function lastAuthors() {
  const seen = new Map([...fresh.values()].reverse().map((author) => [author.name, author]));
  return [...seen.values()].slice(0, 3);
}

function face(author) {
  const box = document.createElement("span");
  box.className = `avatar avatar--24 hue-${author.hue}`;
  if (author.avatar_url) {
    const picture = document.createElement("img");
    picture.src = author.avatar_url;
    picture.alt = "";
    box.append(picture);
  } else box.textContent = author.name.slice(0, 1);
  return box;
}

function remove(postId) {
  if (fresh.delete(postId)) showPill();
  for (const article of document.querySelectorAll(`[data-post="${CSS.escape(postId)}"]`)) {
    article.classList.add("is-leaving");
    window.setTimeout(() => article.remove(), 200);
  }
}

function badge(unread) {
  for (const link of document.querySelectorAll('a[href="/notifications"]')) {
    let mark = link.querySelector(".badge");
    if (!mark) { mark = document.createElement("span"); mark.className = "badge"; link.append(mark); }
    mark.textContent = unread > MOST_COUNTED ? `${MOST_COUNTED}+` : unread;
    mark.hidden = !unread;
  }
}

// The new posts, on top of what is being read. A ranked page made anew might not hold them.
async function showFresh(feed) {
  const ids = [...fresh.keys()].sort((a, b) => (BigInt(a) < BigInt(b) ? 1 : -1));
  const answers = await Promise.all(ids.map((id) => fetch(`/posts/${id}/card`)));
  const cards = document.createElement("template");
  cards.innerHTML = (await Promise.all(answers.filter((answer) => answer.ok).map((answer) => answer.text()))).join("");
  const added = [...cards.content.children];
  feed.prepend(cards.content);
  added.forEach((card) => window.htmx.process(card));
  fresh.clear();
  showPill();
  window.htmx.trigger(feed, "htmx:afterSettle"); // whoever watches cards hears of these
}

document.addEventListener("click", (event) => {
  const pill = event.target.closest("[data-pill]");
  if (!pill) return;
  event.preventDefault();
  window.scrollTo({ top: 0 });
  const feed = document.querySelector("[data-feed]");
  if (feed && fresh.size <= MOST_SHOWN) showFresh(feed);
  else location.reload();
});

if (document.body.hasAttribute("data-signed-in") && "WebSocket" in window) connect();
