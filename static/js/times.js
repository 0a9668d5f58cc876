// Ages stay true while the page is open.
const MINUTE = 60, HOUR = 3600, DAY = 86400;

function words(seconds) {
  if (seconds < MINUTE) return "now";
  if (seconds < HOUR) return `${Math.floor(seconds / MINUTE)}m`;
  if (seconds < DAY) return `${Math.floor(seconds / HOUR)}h`;
  return null;
}

window.setInterval(() => {
  for (const time of document.querySelectorAll("time[datetime]")) {
    if (!/^(now|\d+[mh])$/.test(time.textContent)) continue;
    const text = words((Date.now() - Date.parse(time.dateTime)) / 1000);
    if (text) time.textContent = text;
  }
}, 60_000);
