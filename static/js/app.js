// The entry: each module looks after one behaviour and does nothing on pages without it.
import "./actions.js";
import "./menus.js";
import "./composer.js";
import "./blurhash.js";
import "./impressions.js";
import "./live.js";
import "./offline.js";
import "./shortcuts.js";
import "./times.js";
import "./viewer.js";

document.documentElement.classList.add("has-script");
