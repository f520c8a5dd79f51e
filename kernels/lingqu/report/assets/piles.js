// Pile-ups: reads over a variant from a few hundred characters; see lingqu/report/pileup.py.

const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const CELL = 7,
  LANE = 7,
  TOP = 14;

function pileGallery(block) {
  if (!block.piles || !block.piles.length) return el("div");
  const key = (name, text) => el("span", {}, el("i", { class: name }), text);
  return el(
    "div",
    { class: "gallery" },
    el("h4", {}, t("@pile.title")),
    el(
      "p",
      { class: "note legend keys" },
      key("forward", t("@pile.forward")),
      key("reverse", t("@pile.reverse")),
      ..."ACGT".split("").map((base) => key(`base-${base}`, base)),
      t("@pile.doubtful"),
    ),
    el("div", { class: "piles" }, block.piles.map(pileCard)),
  );
}

function pileCard(pile) {
  const alt = t("@pile.label", pile);
  const holder = el("div", { class: "pile", role: "img", "aria-label": alt });
  const larger = el(
    "button",
    {
      type: "button",
      onclick(event) {
        const big = card.classList.toggle("large");
        event.currentTarget.textContent = t(big ? "@tool.smaller" : "@tool.larger");
      },
    },
    t("@tool.larger"),
  );
  const card = el(
    "figure",
    { class: "card", "data-row": String(pile.row), tabindex: "-1" },
    el(
      "figcaption",
      {},
      el(
        "h4",
        {},
        el("span", { class: "code" }, pile.place),
        " ",
        el("b", { class: "code" }, pile.allele),
      ),
      el("span", { class: "tools" }, larger),
    ),
    el("p", { class: "note" }, t("@pile.of", pile)),
    holder,
  );
  whenNear(holder, () => holder.append(pilePicture(pile)));
  return card;
}

function pilePicture(pile) {
  const groups = pile.reads.split("|").map((group) => group.split(" ").filter(Boolean));
  const gap = groups[0] && groups[0].length && groups[1] && groups[1].length ? 5 : 0;
  const lanes = groups.map(lanesOf);
  const height = TOP + 2 + LANE * lanes.flat().length + gap + 2;
  const picture = svg("svg", {
    viewBox: `0 0 ${pile.ref.length * CELL} ${height}`,
    "aria-hidden": "true",
  });
  picture.append(
    svg("rect", {
      class: "here",
      x: pile.at * CELL,
      y: 0,
      width: Math.max(1, pile.size) * CELL,
      height,
      rx: 1.5,
    }),
  );
  [...pile.ref].forEach((base, at) =>
    picture.append(letter(base, at, TOP - 4, "ref base-" + base)),
  );
  let y = TOP + 2;
  lanes.forEach((group, number) => {
    for (const lane of group) {
      for (const read of lane) picture.append(readPicture(read, y));
      y += LANE;
    }
    if (number === 0) y += gap;
  });
  return picture;
}

// Reads that do not touch share a lane, as in any browser of genomes.
function lanesOf(reads) {
  const lanes = [];
  for (const read of reads.map(readOf)) {
    const free = lanes.find((lane) => lane.at(-1).end + 1 < read.start);
    if (free) free.push(read);
    else lanes.push([read]);
  }
  return lanes;
}

function readOf(text) {
  const [strand, first, last] = text;
  const read = {
    forward: "+p".includes(strand),
    sure: "+-".includes(strand),
    start: DIGITS.indexOf(first),
    end: DIGITS.indexOf(last),
    changes: [],
  };
  let at = 3;
  for (; "<>".includes(text[at] || " "); at++)
    read[text[at] === "<" ? "clippedLeft" : "clippedRight"] = true;
  while (at < text.length) {
    const place = DIGITS.indexOf(text[at]),
      what = text[at + 1];
    const sized = what === "-" || what === "^";
    read.changes.push([place, what, sized ? DIGITS.indexOf(text[at + 2]) : 1]);
    at += sized ? 3 : 2;
  }
  return read;
}

function readPicture(read, y) {
  const group = svg("g", {
    class: (read.forward ? "forward" : "reverse") + (read.sure ? "" : " pale"),
  });
  const left = read.start * CELL,
    right = (read.end + 1) * CELL,
    tall = LANE - 1.4,
    tip = 2.5;
  const body = read.forward
    ? `M${left} ${y}H${right - tip}L${right} ${y + tall / 2}L${right - tip} ${y + tall}H${left}Z`
    : `M${left + tip} ${y}H${right}V${y + tall}H${left + tip}L${left} ${y + tall / 2}Z`;
  group.append(svg("path", { class: "read", d: body }));
  for (const end of [read.clippedLeft && left, read.clippedRight && right]) {
    if (end !== false && end !== undefined)
      group.append(svg("rect", { class: "clip", x: end - 0.8, y, width: 1.6, height: tall }));
  }
  for (const [place, what, size] of read.changes) {
    const x = place * CELL;
    if (what === "-") {
      group.append(
        svg("rect", { class: "gap", x, y: y - 0.4, width: size * CELL, height: tall + 0.8 }),
        svg("rect", { class: "cut", x, y: y + tall / 2 - 0.5, width: size * CELL, height: 1 }),
      );
    } else if (what === "^") {
      const wide = size > 9 ? 9 : 6;
      group.append(
        svg("rect", {
          class: "more",
          x: x + CELL - wide / 2,
          y: y - 0.2,
          width: wide,
          height: tall + 0.4,
          rx: 1,
        }),
        letter(String(size), (x + CELL) / CELL - 0.5, y + tall - 0.8, "size"),
      );
    } else {
      const base = what.toUpperCase();
      const faint = what === base ? "" : " faint";
      group.append(
        svg("rect", { class: `base-${base}${faint}`, x, y, width: CELL, height: tall }),
        letter(base, place, y + tall - 0.8, "called"),
      );
    }
  }
  return group;
}

function letter(text, at, y, name) {
  const made = svg("text", { x: (at + 0.5) * CELL, y, class: name });
  made.textContent = text;
  return made;
}

// The table of variants: a picture's row leads to it.
function variantTable(block, piles) {
  const drawnRows = new Set(((piles && piles.piles) || []).map((pile) => pile.row));
  return dataTable(block, {
    cell(cell, value, column, number, place) {
      if (place !== 0 || !drawnRows.has(number))
        return place === 5 ? balanceCell(cell, value) : false;
      cell.append(
        el(
          "button",
          {
            type: "button",
            class: "link",
            title: t("@table.picture"),
            onclick(event) {
              const card = event.currentTarget
                .closest("section")
                .querySelector(`figure[data-row="${number}"]`);
              card.scrollIntoView({ block: "center", behavior: calm() });
              card.focus({ preventScroll: true });
              card.classList.add("lit");
              setTimeout(() => card.classList.remove("lit"), 1600);
            },
          },
          form(value, column.form),
          " ",
          el("span", { class: "eye", "aria-hidden": "true" }, "≡"),
        ),
      );
      return true;
    },
  });
}

function balanceCell(cell, value) {
  if (value === null) return false;
  cell.append(
    el("span", { class: "meter", style: `--part:${100 * value}%`, "aria-hidden": "true" }),
    form(value, "share"),
  );
  return true;
}

const calm = () => (matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth");
