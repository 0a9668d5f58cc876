// Keys as people know them: j k move, l r t b act, n writes, / searches, g h and g n go, ? helps.
// In the moderators' queue j k move between cases, t ticks one, and the keys on the buttons decide.
import { openSheet } from "./menus.js";

const GO = { h: "/", f: "/following", n: "/notifications", s: "/settings", b: "/bookmarks", l: "/lists" };
let awaitsSecond = false;

const ITEM = ".case, article.post";
const posts = () => [...document.querySelectorAll(ITEM)];
const currentPost = () => document.querySelector(":is(.case, article.post)[data-current]") ?? document.activeElement.closest?.(ITEM);

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

function decide(key) {
  const control = document.querySelector(`.verdict [data-decides="${CSS.escape(key)}"]`);
  if (!control) return null;
  if (control.matches("input")) return () => control.focus();
  if (!document.querySelector(".case input:checked")) press("t");
  return () => control.click();
}

const isTyping = (target) => target.closest("input:not([type=checkbox]), textarea, select, [contenteditable]");

document.addEventListener("change", (event) => {
  if (!event.target.matches("[data-tick-all]")) return;
  for (const box of document.querySelectorAll(".case input:enabled")) box.checked = event.target.checked;
});

document.addEventListener("keydown", (event) => {
  if (event.metaKey || event.ctrlKey || event.altKey || isTyping(event.target)) return;
  if (document.querySelector("dialog[open]") && event.key !== "?") return;
  const key = event.key;
  if (awaitsSecond) {
    awaitsSecond = false;
    if (GO[key]) location.assign(GO[key]);
    return;
  }
  const act = decide(key) ?? {
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
