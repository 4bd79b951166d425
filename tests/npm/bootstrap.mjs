// `make bootstrap`: Bootstrap's style, less what no page of ours has a class for, on the output.

import { readFileSync } from "node:fs";
import postcss from "postcss";
import selectors from "postcss-selector-parser";
import { PurgeCSS } from "purgecss";

const WHOLE = "static/vendor/bootstrap-5.3.8/bootstrap.min.css";
const PAGES = ["templates/**/*.html", "static/*.js", "views/**/*.py", "forms.py"];

const whole = readFileSync(WHOLE, "utf8");
const elements = new Set(); // stay, used or not: texts of operators bring their own
const note = selectors((found) => found.walkTags((tag) => elements.add(tag.value)));
postcss.parse(whole).walkRules((rule) => note.processSync(rule.selector));

const [cut] = await new PurgeCSS().purge({
  css: [{ raw: whole }],
  content: PAGES,
  safelist: [...elements, /^alert-/], // alert-{{ category }}
  keyframes: true,
});
process.stdout.write(cut.css);
