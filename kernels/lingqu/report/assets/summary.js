// The top: is it good, what was found, what to worry about.

const WORST = ["fail", "warn", "pass", "none"];

function summaryCards(block) {
  const named = block.samples.map((sample) => ({ ...sample, verdict: sample.verdict || "none" }));
  return el(
    "div",
    { class: "summary" },
    goodCard(block, named),
    foundCard(block),
    worryCard(block, named),
  );
}

function goodCard(block, samples) {
  const card = el("article", { class: "card answer" }, el("h3", {}, t("@summary.good")));
  const worst = WORST.find((verdict) => samples.some((sample) => sample.verdict === verdict));
  const good = samples.filter((sample) => sample.verdict === "pass").length;
  const one = samples.length === 1;
  const line = one
    ? t(`@summary.one.${worst}`, { name: samples[0].name })
    : good === samples.length
      ? t("@summary.all_pass", { count: good })
      : t("@summary.some", { good, count: samples.length });
  card.classList.add(worst);
  card.append(
    el(
      "div",
      { class: "verdict" },
      el("span", { class: `seal ${worst}`, "aria-hidden": "true" }, SIGNS[worst]),
      el("strong", {}, line),
    ),
  );
  if (one)
    card.append(el("p", { class: "quiet" }, t(`@sample_verdicts.${worst}`)), partsOf(block.parts));
  else card.append(waffle(samples), countsOf(samples));
  card.append(el("p", { class: "quiet" }, t("@summary.judged", { count: block.judged })));
  return card;
}

// A mark for each measure, by section: where a sample is good, at a glance.
function partsOf(parts) {
  return el(
    "dl",
    { class: "parts" },
    parts.flatMap(([name, marks]) => [
      el("dt", {}, t("@sections." + name)),
      el(
        "dd",
        {},
        marks.map(([measure, verdict]) => {
          const made = mark(verdict);
          made.title = `${measureName(measure)}: ${t("@mark." + verdict)}`;
          made.lastChild.textContent = made.title;
          return made;
        }),
      ),
    ]),
  );
}

function waffle(samples) {
  const size = samples.length > 400 ? "tiny" : samples.length > 100 ? "small" : "";
  const label = WORST.map(
    (verdict) => `${samples.filter((s) => s.verdict === verdict).length} ${t("@mark." + verdict)}`,
  ).join(", ");
  const grid = el("div", { class: `waffle ${size}`, role: "img", "aria-label": label });
  samples.forEach((sample) =>
    grid.append(el("i", { class: sample.verdict, title: sample.name, "data-name": sample.name })),
  );
  grid.addEventListener("click", (event) => {
    if (event.target.dataset.name)
      location.hash = `sample=${encodeURIComponent(event.target.dataset.name)}`;
  });
  return grid;
}

function countsOf(samples) {
  return el(
    "p",
    { class: "counts" },
    WORST.map((verdict) => {
      const count = samples.filter((sample) => sample.verdict === verdict).length;
      return count ? el("span", {}, mark(verdict), ` ${count} ${t("@mark." + verdict)}`) : null;
    }),
  );
}

function foundCard(block) {
  const { found } = block;
  const values = (key) =>
    found.map((one) => one[key]).filter((value) => value !== null && value !== undefined);
  const tile = (label, key, how) => {
    const sorted = values(key).sort((a, b) => a - b);
    if (!sorted.length) return null;
    const middle = sorted[Math.floor(sorted.length / 2)];
    const range =
      sorted.length > 1
        ? t("@summary.range", { low: form(sorted[0], how), high: form(sorted.at(-1), how) })
        : "";
    return el(
      "div",
      { class: "tile" },
      el("b", {}, form(middle, how)),
      el("span", {}, t(label)),
      range ? el("small", {}, range) : null,
    );
  };
  const sexes = values("sex");
  const tally = [...new Set(sexes)]
    .sort()
    .map((sex) =>
      sexes.length === 1 ? sex : `${sexes.filter((one) => one === sex).length} ${sex}`,
    );
  return el(
    "article",
    { class: "card answer" },
    el("h3", {}, t("@summary.found")),
    el(
      "div",
      { class: "tiles" },
      tile("@measures.snvs.label", "snvs", "short"),
      tile("@measures.indels.label", "indels", "short"),
      tile("@measures.mean_depth.label", "mean_depth", "depth"),
      tile("@measures.ts_tv.label", "ts_tv", "ratio"),
      tile("@measures.het_hom.label", "het_hom", "ratio"),
      tally.length
        ? el(
            "div",
            { class: "tile" },
            el("b", {}, tally.join(", ")),
            el("span", {}, t("@summary.sex")),
          )
        : null,
    ),
    found.length > 1 ? el("p", { class: "quiet" }, t("@summary.typical")) : null,
    reachedPicture(block),
  );
}

// Share of bases (up) at a depth or more (along), a line per sample.
function reachedPicture(block) {
  const lines = block.reached
    .map(([number, shares]) => [shares, block.samples[number]])
    .filter(([shares]) => shares);
  if (!lines.length) return "";
  const wide = 300,
    tall = 92,
    left = 36,
    base = tall - 16;
  const picture = svg("svg", {
    viewBox: `0 0 ${wide} ${tall}`,
    role: "img",
    "aria-label": t("@summary.reached"),
    class: "reached",
  });
  const x = (depth) => left + (depth / 60) * (wide - left - 8),
    y = (share) => 6 + (1 - share) * (base - 6);
  for (const share of [0, 0.5, 1]) {
    picture.append(
      svg("path", { class: "grid", d: `M${left} ${y(share)}H${wide - 8}` }),
      label(`${100 * share} %`, left - 4, y(share) + 3, "end"),
    );
  }
  for (const depth of [0, 20, 40, 60])
    picture.append(label(`${depth}×`, x(depth), tall - 4, "middle"));
  const faint = lines.length > 20 ? " faint" : "";
  lines.sort(
    (a, b) => WORST.indexOf(b[1].verdict || "none") - WORST.indexOf(a[1].verdict || "none"),
  );
  for (const [shares, sample] of lines) {
    const path = svg("path", {
      class: lines.length > 1 ? `line ${sample.verdict || "none"}${faint}` : "line",
      d:
        "M" +
        shares.map((share, depth) => `${x(depth).toFixed(1)} ${y(share).toFixed(1)}`).join("L"),
    });
    path.append(svg("title", {}, sample.name));
    picture.append(path);
  }
  return el("figure", {}, picture, el("figcaption", { class: "quiet" }, t("@summary.reached")));
}

function label(text, x, y, anchor) {
  const made = svg("text", { x, y, "text-anchor": anchor });
  made.textContent = text;
  return made;
}

function worryCard(block, samples) {
  const card = el("article", { class: "card answer worry" }, el("h3", {}, t("@summary.worry")));
  if (block.failures)
    card.append(
      el(
        "p",
        {},
        mark("fail"),
        " ",
        el("a", { href: "#failures" }, t("@summary.failures", { count: block.failures })),
      ),
    );
  for (const swap of block.swaps.slice(0, 5)) {
    card.append(
      el(
        "p",
        {},
        mark("fail"),
        " ",
        el("a", { href: "#cohort" }, t("@summary.swaps")),
        `: ${swap.samples.join(", ")}`,
      ),
    );
  }
  if (!block.worries.length && !block.failures && !block.swaps.length) {
    card.append(
      el(
        "p",
        { class: "calm" },
        el("strong", {}, t("@summary.nothing")),
        ` ${t("@summary.nothing_more", { count: block.judged })}`,
      ),
    );
    return card;
  }
  const list = el(
    "ul",
    { class: "worries" },
    block.worries.map((worry, at) => worryItem(worry, samples, at === 0)),
  );
  card.append(list);
  return card;
}

function worryItem(worry, samples, open) {
  const how = told.forms[worry.measure],
    name = measureName(worry.measure);
  const first = worry.samples
    .slice(0, 4)
    .map(([number, value]) => {
      const link = el(
        "a",
        { href: `#sample=${encodeURIComponent(samples[number].name)}` },
        samples[number].name,
      );
      return samples.length > 1
        ? [link, typeof value === "boolean" ? " " : ` ${form(value, how)} `]
        : [];
    })
    .flat();
  const more = worry.samples.length - 4;
  const alone =
    samples.length === 1 && typeof worry.samples[0][1] !== "boolean"
      ? ` ${form(worry.samples[0][1], how)}`
      : "";
  return el(
    "li",
    {},
    el(
      "details",
      { open },
      el(
        "summary",
        {},
        mark(worry.verdict),
        " ",
        el("b", {}, name),
        alone,
        limitOf(worry, how),
        samples.length > 1
          ? el("small", {}, t("@summary.samples_of", { count: worry.samples.length }))
          : null,
      ),
      el("p", {}, adviceOf(worry)),
      first.length
        ? el("p", { class: "names" }, first, more > 0 ? t("@summary.more", { count: more }) : null)
        : null,
    ),
  );
}

function limitOf(worry, how) {
  if (worry.limit === null || typeof worry.limit === "boolean" || worry.limit === undefined)
    return null;
  return el(
    "span",
    { class: "quiet limit" },
    ` ${worry.side === "below" ? "<" : ">"} ${form(worry.limit, how)}`,
  );
}

const adviceOf = (worry) =>
  t(`@measures.${worry.measure}.${{ below: "low", above: "high" }[worry.side] || "differs"}`);
