// Tables: sorted by a column's head, searched, and drawn only as far as they are scrolled to.

const ROW = 34; // pixels, as in page.css
const MANY = 60; // more rows than that are drawn as they come into sight
const compare = new Intl.Collator("en", { numeric: true }).compare;

// spec: {columns, rows, label, search}. more: {cell(row, column, td), head(column, th), key, filters}.
function dataTable(spec, more = {}) {
  const view = {
    spec,
    more,
    order: spec.rows.map((_, number) => number),
    column: -1,
    down: false,
    query: "",
    keep: null,
  };
  const many = spec.rows.length > MANY;
  view.body = el("tbody");
  view.counter = el("span", { class: "quiet", role: "status" });
  const label = t(spec.label);
  const table = el(
    "table",
    {
      class: more.class || "",
      "aria-label": label,
      "aria-rowcount": String(spec.rows.length + 1),
    },
    columnWidths(spec, many, more),
    el(
      "thead",
      {},
      el(
        "tr",
        {},
        spec.columns.map((column, number) => headCell(view, column, number)),
      ),
    ),
    view.body,
  );
  view.frame = el(
    "div",
    { class: "frame" + (many ? " many" : ""), tabindex: "0", role: "region", "aria-label": label },
    table,
  );
  view.frame.addEventListener("scroll", () => rowsInSight(view), { passive: true });
  tables.set(view.frame, view);
  arrange(view);
  return el(
    "div",
    { class: "table" },
    spec.label && !spec.bare && !more.bare ? el("h4", {}, label) : null,
    tools(view),
    view.frame,
  );
}

const tables = new Map();

function tools(view) {
  const { spec, more } = view;
  if (!spec.search) return null;
  const field = el("input", {
    type: "search",
    placeholder: t(more.searchLabel || "@table.search"),
    "aria-label": t(more.searchLabel || "@table.search"),
    value: more.query ?? "",
  });
  field.addEventListener("input", () => {
    view.query = field.value.trim().toLowerCase();
    if (more.onquery) more.onquery(field.value);
    arrange(view);
  });
  view.query = field.value.trim().toLowerCase();
  view.refilter = (keep) => {
    view.keep = keep;
    arrange(view);
  };
  return el(
    "div",
    { class: "tablebar" },
    field,
    more.filters ? more.filters(view) : null,
    view.counter,
  );
}

function columnWidths(spec, many, more) {
  if (!many) return null;
  const shown =
    spec.rows.length > 400
      ? spec.rows.filter((_, n) => n % Math.ceil(spec.rows.length / 400) === 0)
      : spec.rows;
  return el(
    "colgroup",
    {},
    spec.columns.map((column, number) => {
      const head = Math.max(
        ...t(column.label)
          .split(/\s/)
          .map((word) => Math.min(12, lengthOf(word))),
      );
      const widest = Math.max(
        head + 2,
        ...shown.map((row) =>
          lengthOf(more.text ? more.text(row[number], column) : form(row[number], column.form)),
        ),
      );
      return el("col", { style: `width:${Math.min(34, widest) * 0.6 + 1.7}em` });
    }),
  );
}

// Letters, of which Chinese ones are nearly twice as wide.
const lengthOf = (text) => text.length + 0.8 * (text.match(/[\u2e80-\uffef]/g) || []).length;

function headCell(view, column, number) {
  const name = t(column.label);
  const button = el(
    "button",
    {
      type: "button",
      title: t("@table.sort", { name: column.about || name }),
      onclick: () => sortBy(view, number),
    },
    name,
  );
  return el("th", { scope: "col", class: numeric(column) ? "n" : "", "aria-sort": "none" }, button);
}

const numeric = (column) =>
  !["text", "code", "place", "kin", "why", "agrees", "verdict"].includes(column.form);

// The first click brings what is worst or most to the top; the next turns it round; the third undoes.
function sortBy(view, number) {
  const first = numeric(view.spec.columns[number]) || view.spec.columns[number].form === "verdict";
  if (view.column !== number) [view.column, view.down] = [number, first];
  else if (view.down === first) view.down = !first;
  else view.column = -1;
  if (view.more.onsort) view.more.onsort(view.column, view.down);
  arrange(view);
}

function arrange(view) {
  const { spec, query, keep, column, down } = view;
  const rows = spec.rows;
  view.order = rows
    .map((_, number) => number)
    .filter(
      (number) => (!keep || keep(number)) && (!query || searched(view, number).includes(query)),
    );
  if (column >= 0) {
    const value = view.more.value ? (n) => view.more.value(n, column) : (n) => rows[n][column];
    view.order.sort((a, b) => {
      const [x, y] = [value(a), value(b)];
      if (x === null || y === null || x === undefined || y === undefined)
        return (x ?? null) === null ? ((y ?? null) === null ? a - b : 1) : -1;
      const least = typeof x === "string" || typeof y === "string" ? compare(x, y) : x - y;
      return (down ? -least : least) || a - b;
    });
  }
  view.frame.querySelectorAll("thead th").forEach((th, number) => {
    th.setAttribute("aria-sort", number !== column ? "none" : down ? "descending" : "ascending");
  });
  view.counter.textContent = t(view.more.counted || "@table.shown", {
    shown: view.order.length,
    count: rows.length,
  });
  view.frame.scrollTop = 0;
  view.seen = "";
  rowsInSight(view, true);
}

function searched(view, number) {
  view.texts ||= [];
  const row = view.spec.rows[number];
  view.texts[number] ??= (view.more.byName ? row.slice(0, 1) : row)
    .map((value, column) => `${value} ${form(value, view.spec.columns[column].form)}`)
    .join(" ")
    .toLowerCase();
  return view.texts[number];
}

// On paper the first rows, as many as `most`; on the screen those in sight.
function rowsInSight(view, fresh = false, most = 0) {
  const { order, frame, body, spec } = view;
  let first = 0,
    last = order.length;
  if (most) last = Math.min(last, most);
  else if (spec.rows.length > MANY) {
    const height = frame.clientHeight || 640;
    first = Math.max(0, Math.floor(frame.scrollTop / ROW) - 12);
    last = Math.min(order.length, Math.ceil((frame.scrollTop + height) / ROW) + 12);
  }
  const seen = `${first} ${last} ${most}`;
  if (!fresh && seen === view.seen) return;
  view.seen = seen;
  const space = (count) =>
    count
      ? [el("tr", { "aria-hidden": "true", class: "space", style: `height:${count * ROW}px` })]
      : [];
  body.replaceChildren(
    ...space(first),
    ...order.slice(first, last).map((number, at) => rowOf(view, number, first + at)),
    ...(most ? rest(view, last) : space(order.length - last)),
  );
}

function rest(view, shown) {
  const count = view.order.length;
  const told = t(view.more.counted || "@table.shown", { shown, count });
  return shown < count
    ? [el("tr", {}, el("td", { colspan: String(view.spec.columns.length) }, told))]
    : [];
}

function rowOf(view, number, at) {
  const { spec, more } = view;
  const tr = el("tr", { "aria-rowindex": String(at + 2) });
  spec.columns.forEach((column, place) => {
    const value = spec.rows[number][place];
    const cell = el(place ? "td" : "th", {
      scope: place ? null : "row",
      class: numeric(column)
        ? "n"
        : column.form === "code" || column.form === "place"
          ? "code"
          : "",
    });
    if (!(more.cell && more.cell(cell, value, column, number, place)))
      plainCell(cell, value, column);
    tr.append(cell);
  });
  return tr;
}

function plainCell(cell, value, column) {
  const text = form(value, column.form);
  if (column.form === "agrees" && value === false) return cell.append(mark("fail"), ` ${text}`);
  cell.textContent = text;
  if (text.length > 34) cell.title = text;
  return undefined;
}

// The heat table: a tint by the value's place in its column; marks where a verdict warns or fails.
function heatTable(block) {
  if (block.names.length === 1) return measuresOfOne(block);
  const verdicts = [...block.verdicts];
  const rank = { f: 0, w: 1, p: 2, "-": 3 };
  const columns = [
    { label: "@column.sample", form: "text" },
    { label: "@heat.verdict", form: "verdict" },
    ...block.measures.map((name, number) => ({
      label: `@measures.${name}.label`,
      form: block.forms[number],
      about: `${measureName(name)}. ${t(`@measures.${name}.about`)}`,
    })),
  ];
  const rows = block.names.map((name, number) => [name, verdicts[number], ...block.values[number]]);
  const ends = columns.map((_, column) => spread(rows.map((row) => row[column])));
  const heat = (state.heat ||= { only: "" });
  const table = dataTable(
    { columns, rows, label: "@heat.label", search: rows.length > 1 },
    {
      class: "heat",
      bare: true,
      byName: true,
      searchLabel: "@heat.search",
      counted: "@heat.shown",
      query: heat.query,
      onquery: (query) => {
        heat.query = query;
      },
      text: (value, column) =>
        column.form === "verdict"
          ? t("@mark." + MARKS[value]) + "  "
          : form(value, column.form) + "  ",
      value: (n, column) => (column === 1 ? -rank[verdicts[n]] : rows[n][column]),
      filters: (view) => verdictFilters(view, verdicts, heat),
      cell(cell, value, column, number, place) {
        if (place === 0) {
          cell.append(el("a", { href: `#sample=${encodeURIComponent(value)}` }, value));
          return true;
        }
        if (place === 1) return cell.append(mark(MARKS[value], true)) || true;
        const verdict = MARKS[block.marks[number][place - 2]];
        cell.textContent = form(value, column.form);
        if (verdict === "warn" || verdict === "fail") {
          cell.classList.add(verdict);
          cell.prepend(mark(verdict), " ");
        } else if (typeof value === "number" && ends[place]) {
          const [low, high] = ends[place];
          const part = Math.min(1, Math.max(0, (value - low) / (high - low)));
          cell.style.setProperty("--heat", `${Math.round(4 + 30 * part)}%`);
          cell.classList.add("tinted");
        }
        return true;
      },
    },
  );
  return el(
    "div",
    {},
    table,
    rows.length > 1 ? el("p", { class: "note" }, `${t("@heat.hint")} ${t("@heat.legend")}`) : null,
    meanings(block),
  );
}

// One sample has no columns to compare: its measures stand by section.
function measuresOfOne(block) {
  const order = Object.keys(told.forms);
  const measures = block.measures
    .map((name, number) => [name, number])
    .sort((a, b) => order.indexOf(a[0]) - order.indexOf(b[0]));
  const sections = [...new Set(measures.map(([, number]) => block.parts[number]))];
  return el(
    "div",
    {},
    el(
      "div",
      { class: "measures" },
      sections.map((section) =>
        el(
          "article",
          { class: "card" },
          el("h3", {}, t("@sections." + section)),
          el(
            "table",
            {},
            el(
              "tbody",
              {},
              measures.flatMap(([name, number]) => {
                if (block.parts[number] !== section || block.values[0][number] === null) return [];
                const verdict = MARKS[block.marks[0][number]];
                return [
                  el(
                    "tr",
                    { class: verdict, title: t(`@measures.${name}.about`) },
                    el("th", { scope: "row" }, measureName(name)),
                    el(
                      "td",
                      {},
                      form(block.values[0][number], block.forms[number]),
                      " ",
                      mark(verdict),
                    ),
                  ),
                ];
              }),
            ),
          ),
        ),
      ),
    ),
    meanings(block),
  );
}

function meanings(block) {
  return el(
    "details",
    { class: "fold" },
    el("summary", {}, t("@heat.columns")),
    el(
      "dl",
      { class: "meanings" },
      block.measures.flatMap((name) => [
        el("dt", {}, measureName(name)),
        el("dd", {}, t(`@measures.${name}.about`)),
      ]),
    ),
  );
}

// Between the 2nd and the 98th of a hundred values; nothing where all are the same.
function spread(values) {
  const sorted = values.filter((value) => typeof value === "number").sort((a, b) => a - b);
  if (sorted.length < 2) return null;
  const [low, high] = [0.02, 0.98].map((share) => sorted[Math.round(share * (sorted.length - 1))]);
  return high > low ? [low, high] : null;
}

function verdictFilters(view, verdicts, heat) {
  const found = ["f", "w", "p", "-"].filter((letter) => verdicts.includes(letter));
  if (found.length < 2) return null;
  const buttons = [
    ["", t("@heat.all")],
    ...found.map((letter) => [letter, t("@mark." + MARKS[letter])]),
  ].map(([letter, name]) =>
    el(
      "button",
      {
        type: "button",
        class: "chip",
        "aria-pressed": String(heat.only === letter),
        onclick(event) {
          heat.only = letter;
          for (const one of event.currentTarget.parentNode.children)
            one.setAttribute("aria-pressed", String(one === event.currentTarget));
          view.refilter(letter ? (number) => verdicts[number] === letter : null);
        },
      },
      letter ? mark(MARKS[letter]) : null,
      name,
      el(
        "small",
        {},
        String(letter ? verdicts.filter((one) => one === letter).length : verdicts.length),
      ),
    ),
  );
  if (heat.only) queueMicrotask(() => view.refilter((number) => verdicts[number] === heat.only));
  return el("div", { class: "chips", role: "group" }, buttons);
}

function forgetTables() {
  for (const frame of tables.keys()) if (!frame.isConnected) tables.delete(frame);
}
