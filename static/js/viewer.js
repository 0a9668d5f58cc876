// Pictures open large over the page; the arrows go through those of the same post. Without script,
// or with a modifier key, the link leads to the file itself.
let dialog = null;
let pictures = [];
let at = 0;

function make() {
  const box = document.createElement("dialog");
  box.className = "viewer";
  box.setAttribute("aria-label", "Picture");
  const image = document.createElement("img");
  const words = document.createElement("p");
  words.dir = "auto";
  box.append(image, words, button("close", "Close", () => box.close()), button("back", "Previous picture", () => show(at - 1)), button("forward", "Next picture", () => show(at + 1)));
  box.addEventListener("click", (event) => { if (event.target === box || event.target === image) box.close(); });
  box.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step) show(at + step);
  });
  document.body.append(box);
  return box;
}

function button(name, label, act) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = `icon-button viewer__${name}`;
  made.setAttribute("aria-label", label);
  // Every icon of the page names the sprite's address.
  const sprite = document.querySelector("svg.icon use").getAttribute("href").split("#")[0];
  made.innerHTML = `<svg class="icon" aria-hidden="true"><use href="${sprite}#${name}"/></svg>`;
  made.addEventListener("click", act);
  return made;
}

function show(index) {
  if (index < 0 || index >= pictures.length) return;
  at = index;
  const alt = pictures[at].querySelector("img").alt;
  Object.assign(dialog.querySelector("img"), { src: pictures[at].href, alt });
  Object.assign(dialog.querySelector("p"), { textContent: alt, hidden: !alt });
  dialog.querySelector(".viewer__back").hidden = at === 0;
  dialog.querySelector(".viewer__forward").hidden = at === pictures.length - 1;
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-photo]");
  if (!link || event.metaKey || event.ctrlKey || event.shiftKey) return;
  event.preventDefault();
  dialog ??= make();
  pictures = [...link.closest(".media").querySelectorAll("a[data-photo]")];
  show(pictures.indexOf(link));
  dialog.showModal();
});
