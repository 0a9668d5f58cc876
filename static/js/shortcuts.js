// Keys as people know them: j k move, l r t b act, n writes, / searches, g h and g n go, ? helps.
import { openSheet } from "./menus.js";

const GO = { h: "/", f: "/following", n: "/notifications", s: "/settings", b: "/bookmarks" };
let awaitsSecond = false;

const posts = () => [...document.querySelectorAll("article.post")];
const currentPost = () => document.querySelector("article.post[data-current]") ?? document.activeElement.closest?.("article.post");

function move(by) {
  const list = posts();
  if (!list.length) return;
  const at = list.indexOf(currentPost());
  const firstVisible = list.findIndex((post) => post.getBoundingClientRect().bottom > 80);
  const next = list[at < 0 ? Math.max(0, firstVisible) : Math.min(list.length - 1, Math.max(0, at + by))];
  for (const post of document.querySelectorAll("[data-current]")) delete post.dataset.current;
  next.dataset.current = "";
  next.focus({ preventScroll: true });
  next.scrollIntoView({ block: "nearest" });
}

function press(key) {
  const control = currentPost()?.querySelector(`[data-key="${key}"]`);
  control?.click();
  control?.closest("details[open]")?.querySelector("[data-key-first]")?.focus();
}

function open() {
  const post = currentPost();
  if (post?.dataset.url) location.assign(post.dataset.url);
}

const isTyping = (target) => target.closest("input, textarea, select, [contenteditable]");

document.addEventListener("keydown", (event) => {
  if (event.metaKey || event.ctrlKey || event.altKey || isTyping(event.target)) return;
  if (document.querySelector("dialog[open]") && event.key !== "?") return;
  const key = event.key;
  if (awaitsSecond) {
    awaitsSecond = false;
    if (GO[key]) location.assign(GO[key]);
    return;
  }
  const act = {
    j: () => move(1), k: () => move(-1), o: open,
    l: () => press("l"), r: () => press("r"), t: () => press("t"), b: () => press("b"), c: () => press("c"),
    n: () => document.querySelector("[data-compose]")?.click(),
    g: () => { awaitsSecond = true; window.setTimeout(() => { awaitsSecond = false; }, 1200); },
    "/": () => document.querySelector('input[type="search"]')?.focus() ?? location.assign("/search"),
    "?": () => openSheet("/about/shortcuts"),
  }[key];
  if (!act) return;
  event.preventDefault();
  act();
});
