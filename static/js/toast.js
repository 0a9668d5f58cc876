// Short messages at the foot of the page; announced politely, gone after a while.
const room = document.getElementById("toasts");

export function toast(text, { undo = null, danger = false, seconds = 6 } = {}) {
  const box = document.createElement("div");
  box.className = danger ? "toast toast--danger" : "toast";
  box.append(text);
  if (undo) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Undo";
    button.addEventListener("click", () => { box.remove(); undo(); });
    box.append(button);
  }
  room.append(box);
  window.setTimeout(() => box.remove(), seconds * 1000);
  return box;
}

for (const box of room.children) window.setTimeout(() => box.remove(), 6000);
