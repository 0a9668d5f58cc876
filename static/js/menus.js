// Menus and sheets: close on a click elsewhere and on Escape; the post menu arrives on demand.
const sheet = document.getElementById("sheet");

document.addEventListener("click", (event) => {
  for (const open of document.querySelectorAll("details.menu[open]")) {
    if (!open.contains(event.target) || event.target.closest(".menu__item")) open.open = false;
  }
  for (const slot of document.querySelectorAll("[data-menu-slot]:not(:empty)")) {
    if (!slot.parentElement.contains(event.target) || event.target.closest(".menu__item")) {
      // After htmx has taken the request from the item.
      window.setTimeout(() => slot.replaceChildren());
    }
  }
  if (event.target === sheet || event.target.closest("[data-close-sheet]")) { event.preventDefault(); sheet?.close(); }
});

// A small page as a sheet; without script, or with a modifier key, the link goes to the page itself.
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-sheet]");
  if (!link || event.metaKey || event.ctrlKey || event.shiftKey) return;
  event.preventDefault();
  openSheet(link.href);
});
document.addEventListener("htmx:afterRequest", (event) => {
  const isDone = event.detail.successful && event.detail.elt.matches?.("[data-closes-sheet]");
  if (isDone) sheet?.close();
});

// The dots a second time: close instead of loading again.
document.addEventListener("htmx:confirm", (event) => {
  const dots = event.detail.elt;
  if (!dots.matches("[data-menu]")) return;
  const slot = document.querySelector(dots.getAttribute("hx-target"));
  if (slot?.childElementCount) { event.preventDefault(); slot.replaceChildren(); }
});

document.addEventListener("keydown", (event) => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const menu = step && event.target.closest(".menu__panel");
  if (!menu) return;
  event.preventDefault();
  const items = [...menu.querySelectorAll(".menu__item")];
  items[(items.indexOf(event.target) + step + items.length) % items.length].focus();
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const open of document.querySelectorAll("details.menu[open]")) { open.open = false; open.querySelector("summary").focus(); }
  for (const slot of document.querySelectorAll("[data-menu-slot]:not(:empty)")) {
    slot.replaceChildren();
    slot.parentElement.querySelector("a")?.focus();
  }
});

document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target.matches?.("[data-menu-slot]")) event.detail.target.querySelector(".menu__item")?.focus();
});

export async function openSheet(url, modifier = "") {
  const answer = await fetch(url, { headers: { "HX-Request": "true" }, credentials: "same-origin" });
  if (!answer.ok || !sheet) { location.assign(url); return null; }
  sheet.className = `sheet ${modifier}`;
  sheet.innerHTML = await answer.text();
  window.htmx.process(sheet);
  if (!sheet.open) sheet.showModal();
  return sheet;
}
