// The page: header, sections, samples that open, switches, print.

const KINDS = {
  prose: (block) =>
    el(
      "p",
      { class: block.tone || null },
      block.tone === "warn" || block.tone === "fail" ? [mark(block.tone), " "] : null,
      t(block.text),
    ),
  heading: (block) => el("h4", {}, t(block.text)),
  facts: (block) =>
    block.rows.length
      ? el(
          "dl",
          { class: "facts" },
          block.rows.map(([name, value, how]) =>
            el(
              "div",
              {},
              el("dt", {}, t(name)),
              el("dd", { class: how === "code" ? "code" : null }, form(value, how)),
            ),
          ),
        )
      : "",
  code: (block) => el("pre", { tabindex: "0" }, block.text),
  copy: copyBlock,
  folded: (block) => foldedBlock(block),
  cards: (block) => el("div", { class: "cards" }, drawBlocks(block.blocks)),
  plot: plotCard,
  table: (block, blocks) =>
    block.piles
      ? variantTable(
          block,
          blocks.find((one) => one.kind === "piles"),
        )
      : dataTable(block),
  split: splitBar,
  piles: pileGallery,
  heat: heatTable,
  summary: summaryCards,
};

const drawBlocks = (blocks) => blocks.map((block) => KINDS[block.kind](block, blocks));

// What is folded is drawn when it is opened.
function foldedBlock(block) {
  const fold = el("details", { class: "fold" }, el("summary", {}, t(block.title)));
  fold.addEventListener("toggle", () => {
    if (!fold.open || fold.childElementCount > 1) return;
    fold.append(
      ...drawBlocks(
        block.blocks.map((one) =>
          String(one.label) === String(block.title) ? { ...one, bare: true } : one,
        ),
      ),
    );
  });
  return fold;
}

function copyBlock(block) {
  const text = block.text[state.language] || Object.values(block.text)[0];
  const button = el(
    "button",
    {
      type: "button",
      class: "chip",
      async onclick() {
        try {
          await navigator.clipboard.writeText(text);
        } catch {
          getSelection().selectAllChildren(pre);
          document.execCommand("copy");
        }
        button.textContent = t("@tool.copied");
      },
    },
    t("@tool.copy"),
  );
  const pre = el("pre", { class: "words", tabindex: "0" }, text);
  return el("div", { class: "copy" }, button, pre);
}

function splitBar(block) {
  const whole = block.parts.reduce((sum, [, value]) => sum + value, 0) || 1;
  const shown = block.parts.map(([name, value, key]) => ({
    name: t(name),
    value,
    share: value / whole,
    key,
  }));
  return el(
    "figure",
    { class: "split" },
    el("figcaption", {}, el("h4", {}, t(block.title))),
    el(
      "div",
      {
        class: "bar",
        role: "img",
        "aria-label": shown.map((part) => `${part.name} ${form(part.share, "percent")}`).join(", "),
      },
      shown.map((part) =>
        el("i", {
          style: `--c:var(--s-${part.key});flex-grow:${part.share}`,
          title: `${part.name}: ${form(part.value, "count")}`,
        }),
      ),
    ),
    el(
      "div",
      { class: "legend keys" },
      shown.map((part) =>
        el(
          "span",
          {},
          el("i", { style: `--c:var(--s-${part.key})` }),
          `${part.name} `,
          el("b", {}, form(part.value, "short")),
          ` ${form(part.share, "percent")}`,
        ),
      ),
    ),
  );
}

// Header

function header(title) {
  const others = LANGUAGES.filter((name) => name !== state.language);
  return el(
    "header",
    { class: "bar-top" },
    el("a", { class: "skip", href: "#main" }, t("@page.skip")),
    el("span", { class: "brand" }, wave(), "Lingqu"),
    el(
      "nav",
      { "aria-label": t("@page.contents") },
      told.sections.map(({ name }) => el("a", { href: "#" + name }, sectionTitle(name))),
    ),
    el(
      "span",
      { class: "switches" },
      ...others.map((name) =>
        el(
          "button",
          {
            type: "button",
            id: "language",
            lang: name,
            "aria-label": t("@page.language"),
            onclick: () => setLanguage(name),
          },
          t("@page.other"),
        ),
      ),
      el(
        "button",
        {
          type: "button",
          id: "theme",
          title: `${t("@page.theme")}: ${t("@page.theme_" + state.theme)}`,
          "aria-label": `${t("@page.theme")}: ${t("@page.theme_" + state.theme)}`,
          onclick: nextTheme,
        },
        { auto: "◐", light: "☀", dark: "☾" }[state.theme],
      ),
    ),
  );
}

function wave() {
  const picture = svg("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" });
  picture.append(svg("path", { d: "M3 8c4-5 6 5 10 1s5-3 8-1M3 16c4-5 6 5 10 1s5-3 8-1" }));
  return picture;
}

const sectionTitle = (name) =>
  name === "each"
    ? t(told.samples.length > 1 ? "@sample.sections" : told.samples[0][0])
    : t("@sections." + name);

function setLanguage(name) {
  state.language = name;
  kept.set("language", name);
  render();
  document.getElementById("language").focus();
}

function nextTheme() {
  const themes = ["auto", "light", "dark"];
  state.theme = themes[(themes.indexOf(state.theme) + 1) % themes.length];
  kept.set("theme", state.theme);
  applyTheme();
  document.querySelector("header").replaceWith(header());
  document.getElementById("theme").focus();
}

function applyTheme(forced) {
  const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  document.documentElement.dataset.theme =
    forced || (state.theme === "auto" ? system : state.theme);
  redrawAll();
}

// Samples

const unpacked = new Map();

async function sampleSections(number) {
  if (!unpacked.has(number))
    unpacked.set(number, unpack(document.getElementById("told-" + number).textContent));
  return unpacked.get(number);
}

async function unpack(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
}

function sampleFold(number) {
  const [name, verdict] = told.samples[number];
  const fold = el(
    "details",
    { class: "sample", "data-sample": name },
    el(
      "summary",
      {},
      mark(verdict),
      el("h3", {}, name),
      el("span", { class: "quiet" }, t("@sample.open")),
    ),
  );
  const body = el("div", { class: "inside" });
  fold.append(body);
  fold.addEventListener("toggle", () => {
    if (!fold.open) return void state.open.delete(number);
    state.open.add(number);
    if (!body.childElementCount) fillSample(body, number);
  });
  fold.open = state.open.has(number);
  return fold;
}

async function fillSample(body, number) {
  body.replaceChildren(el("p", { class: "quiet" }, t("@sample.loading")));
  try {
    const sections = await sampleSections(number);
    body.replaceChildren(
      el(
        "nav",
        { class: "inner", "aria-label": t("@page.contents") },
        sections.map(({ name }) =>
          el(
            "button",
            {
              type: "button",
              class: "chip",
              onclick: () =>
                body.querySelector(`[data-section="${name}"]`).scrollIntoView({ behavior: calm() }),
            },
            sectionTitle(name),
          ),
        ),
      ),
      ...sections.map(({ name, blocks }) =>
        el(
          "section",
          { "data-section": name },
          el("h3", {}, sectionTitle(name)),
          drawBlocks(blocks),
        ),
      ),
    );
  } catch (fault) {
    body.replaceChildren(
      el(
        "p",
        { class: "fail" },
        t(typeof DecompressionStream === "undefined" ? "@page.old_browser" : "@page.broken"),
      ),
    );
    console.error(fault);
  }
}

// Few samples are all listed; of many the worst, the opened ones, and those that are looked for.
const FEW = 12;

function sampleSection() {
  const count = told.samples.length;
  if (count === 1) {
    state.open.add(0);
    const body = el("div", { class: "inside alone" });
    fillSample(body, 0);
    return [body];
  }
  const list = el("div", { class: "samples" });
  const worst = told.samples
    .map((_, number) => number)
    .sort((a, b) => rankOf(a) - rankOf(b) || a - b);
  const listOf = (query) => {
    const words = query.toLowerCase();
    const found = words
      ? worst.filter((number) => told.samples[number][0].toLowerCase().includes(words))
      : worst;
    const opened = words ? [] : [...state.open];
    const shown = [...new Set([...opened, ...found.slice(0, FEW)])].sort((a, b) =>
      count <= FEW ? a - b : 0,
    );
    list.replaceChildren(
      ...shown.map(
        (number) =>
          list.querySelector?.(`[data-sample="${CSS.escape(told.samples[number][0])}"]`) ||
          sampleFold(number),
      ),
    );
    if (!shown.length) list.append(el("p", { class: "quiet" }, t("@sample.none_found")));
    const rest = found.filter((number) => !shown.includes(number)).length;
    if (rest) list.append(el("p", { class: "quiet" }, t("@summary.more", { count: rest })));
  };
  listOf("");
  state.list = listOf;
  const field = el("input", {
    type: "search",
    placeholder: t("@sample.find"),
    "aria-label": t("@sample.find"),
    oninput: (event) => listOf(event.target.value.trim()),
  });
  return [
    el(
      "div",
      { class: "tablebar" },
      count > FEW ? field : null,
      el("span", { class: "quiet" }, t("@sample.hint")),
    ),
    list,
  ];
}

const rankOf = (number) => ({ fail: 0, warn: 1 })[told.samples[number][1]] ?? 2;

function openSample(name) {
  const number = told.samples.findIndex(([one]) => one === name);
  if (number < 0) return;
  let place = document.getElementById("each");
  if (told.samples.length > 1) {
    state.open.add(number);
    place = find(name);
    if (!place) {
      state.list("");
      place = find(name);
    }
    place.open = true;
  }
  place.scrollIntoView({ behavior: "auto" });
}

const find = (name) => document.querySelector(`details[data-sample="${CSS.escape(name)}"]`);

// The whole

function render() {
  const place = scrollY;
  const count = told.samples.length;
  const workflow = t("@page.workflow." + told.workflow);
  const title = t("@page.title", { workflow });
  const who = count === 1 ? told.samples[0][0] : t("@page.of_many", { count });
  document.documentElement.lang = state.language === "zh" ? "zh-Hans" : state.language;
  document.title = `${title}: ${who}`;
  const sections = told.sections.map(({ name, blocks }) =>
    el(
      "section",
      { id: name },
      el("h2", { class: name === "summary" ? "unseen" : null }, sectionTitle(name)),
      name === "each" ? sampleSection() : drawBlocks(blocks),
    ),
  );
  const main = el(
    "main",
    { id: "main", tabindex: "-1" },
    el(
      "div",
      { class: "head" },
      el("h1", {}, title, el("span", {}, who)),
      el(
        "p",
        { class: "quiet" },
        t("@page.made_by", { version: told.lingqu, reference: told.reference || "–" }),
      ),
    ),
    sections,
  );
  document.getElementById("page").replaceChildren(header(), main);
  forgetPlots();
  forgetTables();
  tables.forEach((view) => rowsInSight(view, true));
  scrollTo(0, place);
}

function followHash() {
  const sample = location.hash.match(/^#sample=(.+)$/);
  if (sample) openSample(decodeURIComponent(sample[1]));
}

const ON_PAPER = 50; // rows of a table; of the heat table all

function beforePrint() {
  state.printing = true;
  for (const element of [...waiting.keys()]) drawNow(element);
  applyTheme("light");
  tables.forEach((view) => rowsInSight(view, true, view.more.byName ? 1000 : ON_PAPER));
}

function afterPrint() {
  state.printing = false;
  applyTheme();
  tables.forEach((view) => rowsInSight(view, true));
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => applyTheme());
addEventListener("beforeprint", beforePrint);
addEventListener("afterprint", afterPrint);
addEventListener("hashchange", followHash);
addEventListener("click", (event) => {
  const link = event.target.closest?.('a[href^="#sample="]');
  if (link && link.hash === location.hash) followHash(); // no change, and so no event of its own
});
applyTheme();
render();
followHash();
