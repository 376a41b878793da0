// The one place where text becomes markup: fragments that this site itself rendered, put into the page by htmx.
// Scripts and addresses of scripts are never made from text: without a rule for them the browser refuses both.
"use strict";

window.trustedTypes?.createPolicy("default", { createHTML: (text) => text });
