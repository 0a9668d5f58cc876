// Writing: the counter, drafts that survive, pictures with their descriptions, and the sheet.
import { openSheet } from "./menus.js";
import { toast } from "./toast.js";

const DRAFT_PREFIX = "draft:";
const letters = new Intl.Segmenter(undefined, { granularity: "grapheme" });

const key = (form) => DRAFT_PREFIX + (form.elements.reply_to?.value || form.elements.quote?.value || "new");

export function textLength(text) {
  // A link counts 23, as the server counts it; everything else by what people see as a letter.
  const shortened = text.replace(/https?:\/\/\S+/g, "x".repeat(23));
  return [...letters.segment(shortened)].length;
}

function count(form) {
  const counter = form.querySelector(".counter");
  const left = Number(counter.dataset.max) - textLength(form.elements.text.value);
  counter.textContent = left;
  counter.dataset.state = left < 0 ? "over" : left < 40 ? "near" : "";
}

function start(form) {
  if (form.dataset.started) return;
  form.dataset.started = "1";
  const text = form.elements.text;
  const saved = localStorage.getItem(key(form));
  if (saved && !text.value) text.value = saved;
  count(form);
  text.addEventListener("input", () => {
    count(form);
    if (text.value.trim()) localStorage.setItem(key(form), text.value);
    else localStorage.removeItem(key(form));
  });
  text.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.metaKey || event.ctrlKey)) form.requestSubmit();
  });
  form.elements.files?.addEventListener("change", () => showFiles(form));
}

// Each chosen picture gets a small preview and a field for its description.
function showFiles(form) {
  const room = form.querySelector("[data-files]");
  const files = [...form.elements.files.files].slice(0, 4);
  if (form.elements.files.files.length > 4) toast("Four pictures at most; the first four are kept.");
  room.replaceChildren(...files.map((file, index) => preview(file, index)));
}

function preview(file, index) {
  const row = document.createElement("div");
  row.className = "composer__file";
  const picture = document.createElement(file.type.startsWith("video/") ? "video" : "img");
  picture.src = URL.createObjectURL(file);
  picture.alt = "";
  const alt = document.createElement("input");
  alt.name = `alt_${index}`;
  alt.maxLength = 1500;
  alt.placeholder = "Describe this for people who cannot see it";
  alt.setAttribute("aria-label", `Description of ${file.name}`);
  row.append(picture, alt);
  return row;
}

function startAll(root = document) {
  for (const form of root.querySelectorAll("[data-composer]")) start(form);
}

document.addEventListener("click", async (event) => {
  const link = event.target.closest("a[data-compose]");
  if (!link || event.metaKey || event.ctrlKey || event.shiftKey) return;
  if (!document.body.hasAttribute("data-signed-in")) return;
  event.preventDefault();
  const sheet = await openSheet(link.href, "sheet--composer");
  if (!sheet) return;
  startAll(sheet);
  sheet.querySelector("textarea")?.focus();
});

document.addEventListener("htmx:afterRequest", (event) => {
  const form = event.detail.elt;
  if (!form.matches?.("[data-composer]") || !event.detail.successful) return;
  localStorage.removeItem(key(form));
  document.getElementById("sheet")?.close();
});

// The new post appears where it belongs: under what it answers, else at the top of the list.
document.addEventListener("posted", async (event) => {
  const { id, in_reply_to: parentId } = event.detail;
  const parent = parentId ? document.querySelector(`[data-post="${CSS.escape(parentId)}"]`) : null;
  const list = parent ? null : document.querySelector("[data-feed]");
  if (!parent && !list) return;
  const answer = await fetch(`/posts/${id}/card`, { credentials: "same-origin" });
  if (!answer.ok) return;
  const template = document.createElement("template");
  template.innerHTML = await answer.text();
  const card = template.content.querySelector("article");
  if (parent?.matches(".post--focus")) document.getElementById("replies").prepend(card);
  else if (parent) parent.after(card);
  else list.prepend(card);
  window.htmx.process(card);
});

document.addEventListener("htmx:afterSettle", () => startAll());
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.matches("[data-composer]") && !form.hasAttribute("hx-post")) localStorage.removeItem(key(form));
});

startAll();
