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
  // Nothing is sent that would only come back, without its pictures.
  form.querySelector(".button--primary").disabled = left < 0;
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
    if (event.key === "Enter" && (event.metaKey || event.ctrlKey)) form.querySelector(".button--primary").click();
  });
  form.elements.files?.addEventListener("change", () => add(form, form.elements.files.files));
  for (const [name, holder] of [["paste", "clipboardData"], ["drop", "dataTransfer"]]) {
    form.addEventListener(name, (event) => {
      if (!event[holder]?.files.length) return;
      event.preventDefault();
      add(form, event[holder].files);
    });
  }
}

// Files come by the button, from the clipboard or by hand; a second choice adds to the first.
const MOST_FILES = 4;
const chosen = new WeakMap(); // form -> its files
const descriptions = new WeakMap(); // file -> what was written about it

function add(form, files) {
  const all = [...(chosen.get(form) ?? []), ...files];
  if (all.length > MOST_FILES) toast("Four pictures at most; the first four are kept.");
  choose(form, all.slice(0, MOST_FILES));
}

function choose(form, files) {
  chosen.set(form, files);
  const carrier = new DataTransfer();
  files.forEach((file) => carrier.items.add(file));
  form.elements.files.files = carrier.files;
  form.querySelector("[data-files]").replaceChildren(...files.map((file, index) => preview(form, file, index)));
}

// Each chosen picture has a small preview, a field for its description, and a way out.
function preview(form, file, index) {
  const row = document.createElement("div");
  row.className = "composer__file";
  const picture = document.createElement(file.type.startsWith("video/") ? "video" : "img");
  picture.src = URL.createObjectURL(file);
  picture.alt = "";
  const alt = document.createElement("input");
  alt.name = `alt_${index}`;
  alt.maxLength = 1500;
  alt.placeholder = "Describe this for people who cannot see it";
  alt.value = descriptions.get(file) ?? "";
  alt.setAttribute("aria-label", `Description of ${file.name}`);
  alt.addEventListener("input", () => descriptions.set(file, alt.value));
  const out = document.createElement("button");
  out.type = "button";
  out.className = "link-button link-button--muted";
  out.textContent = "Remove";
  out.setAttribute("aria-label", `Remove ${file.name}`);
  out.addEventListener("click", () => choose(form, chosen.get(form).filter((other) => other !== file)));
  row.append(picture, alt, out);
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
