// POST with the page's CSRF token, for what is not a form.
export function token() {
  return document.querySelector("#act [name=csrfmiddlewaretoken]")?.value ?? "";
}

export function post(url, data = {}, { keepalive = false } = {}) {
  const body = new FormData();
  for (const [name, value] of Object.entries(data)) body.append(name, value);
  return fetch(url, {
    method: "POST",
    body,
    keepalive,
    credentials: "same-origin",
    headers: { "X-CSRFToken": token(), "HX-Request": "true" },
  });
}
