// A page of our own for the time without a connection, where the browser can keep one.
window.addEventListener("load", () => navigator.serviceWorker?.register("/service-worker.js"));
