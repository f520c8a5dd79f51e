// Plots: uPlot for the drawing; title, legend, tooltip, keys and marks are ours.

const drawn = new Map(); // box -> {plot, spec, hidden, log}

function plotCard(spec) {
  const box = el("div", {
    class: "canvas",
    tabindex: "0",
    role: "img",
    "aria-label": t(spec.alt || spec.title),
    "aria-description": t("@tool.zoom"),
  });
  const live = { spec, hidden: new Set(), log: Boolean(spec.y.log), plot: null };
  const tools = el("span", { class: "tools" });
  live.reset = el(
    "button",
    { type: "button", hidden: true, title: t("@tool.reset_hint"), onclick: () => wholeView(live) },
    t("@tool.reset"),
  );
  tools.append(live.reset);
  if (spec.shape !== "dots" && spec.y.form !== "depth") {
    tools.append(
      el(
        "button",
        {
          type: "button",
          "aria-pressed": String(live.log),
          class: "log",
          title: t("@tool.log_hint"),
          onclick(event) {
            live.log = !live.log;
            event.target.setAttribute("aria-pressed", String(live.log));
            redraw(box);
          },
        },
        t("@tool.log"),
      ),
    );
  }
  const card = el(
    "figure",
    { class: "card plot" + (spec.wide ? " wide" : "") },
    el("figcaption", {}, el("h4", {}, t(spec.title)), tools),
    box,
    legend(spec, live, box),
    spec.note ? el("p", { class: "note" }, t(spec.note)) : null,
  );
  drawn.set(box, live);
  resizing.observe(box);
  box.addEventListener("keydown", (event) => moveByKey(event, live));
  box.addEventListener("blur", () => live.tip && live.tip.remove());
  return whenNear(box, () => draw(box)) && card;
}

function legend(spec, live, box) {
  if (spec.series.length < 2 && spec.shape !== "dots") return null;
  return el(
    "div",
    { class: "legend" },
    spec.series.map((one, number) =>
      el(
        "button",
        {
          type: "button",
          "aria-pressed": "true",
          title: t("@tool.toggle", { name: t(one.label) }),
          onclick(event) {
            const button = event.currentTarget;
            live.hidden.has(number) ? live.hidden.delete(number) : live.hidden.add(number);
            button.setAttribute("aria-pressed", String(!live.hidden.has(number)));
            redraw(box);
          },
        },
        el("i", {
          class:
            ("low" in one ? "band" : one.dash ? "dash" : "") +
            (number && "low" in one ? " inner" : ""),
          style: `--c:var(--s-${one.colour})`,
        }),
        t(one.label),
      ),
    ),
  );
}

function positions(at) {
  if (Array.isArray(at)) return at;
  return Array.from({ length: at.count }, (_, number) => at.first + at.step * number);
}

function redraw(box) {
  const live = drawn.get(box);
  if (!live || !live.plot) return;
  live.plot.destroy();
  draw(box);
}

function draw(box) {
  const live = drawn.get(box);
  const { spec } = live;
  const at = positions(spec.at);
  const data = [at],
    series = [{}],
    bands = [];
  live.owner = [null];
  spec.series.forEach((one, number) => {
    const show = !live.hidden.has(number);
    if ("low" in one) {
      const edge = { show, stroke: "transparent", width: 0, points: { show: false } };
      bands.push({
        series: [series.length, series.length + 1],
        fill: tint(colour(one.colour), number ? 0.3 : 0.14),
      });
      data.push(logged(one.high, live.log), logged(one.low, live.log));
      series.push({ ...edge }, { ...edge });
      live.owner.push(null, null);
    } else {
      data.push(logged(one.values, live.log));
      series.push({ show, ...lineOf(spec, one, at) });
      live.owner.push(number);
    }
  });
  const paper = spec.wide ? 640 : 300; // in the columns of a page
  const width = state.printing ? paper : Math.max(200, Math.floor(box.clientWidth));
  live.plot = new uPlot(
    {
      width,
      height: spec.wide ? 200 : 210,
      series,
      bands,
      padding: [8, 18, 0, 0],
      legend: { show: false },
      cursor: {
        y: spec.shape === "dots",
        points: { size: 7, width: 2 },
        drag: { x: true, y: spec.shape === "dots", uni: 20, setScale: true },
        ...(spec.shape === "dots" ? { dataIdx: nearestDot(live) } : {}),
      },
      scales: { x: { time: false, range: xRange(spec, at) }, y: yRange(spec, live) },
      axes: [xAxis(spec, width), yAxis(spec)],
      hooks: {
        drawClear: [(u) => shadeSpans(u, spec)],
        draw: [(u) => drawMarks(u, spec)],
        setCursor: [(u) => tip(u, box, live)],
        setSelect: [
          () => {
            live.reset.hidden = false;
          },
        ],
      },
    },
    data,
    box,
  );
  live.plot.over.addEventListener("dblclick", () => {
    live.reset.hidden = true;
  });
}

function wholeView(live) {
  live.reset.hidden = true;
  live.plot.setData(live.plot.data);
}

const logged = (values, log) => (log ? values.map((value) => (value > 0 ? value : null)) : values);
const tint = (hex, share) =>
  hex +
  Math.round(255 * share)
    .toString(16)
    .padStart(2, "0");

function lineOf(spec, one, at) {
  const stroke = colour(one.colour);
  const points = { show: false };
  if (spec.shape === "dots") {
    return {
      stroke,
      paths: () => null,
      points: { show: true, size: 8, fill: tint(stroke, 0.55), stroke, width: 1 },
    };
  }
  if (spec.shape === "bars") {
    return {
      stroke,
      width: 0,
      fill: tint(stroke, 0.85),
      points,
      paths: uPlot.paths.bars({ size: [0.82, 60], align: 0 }),
    };
  }
  const fill = spec.shape === "area" || one.fill ? tint(stroke, 0.16) : undefined;
  return {
    stroke,
    width: one.fill ? 1 : 1.75,
    fill,
    points: { show: at.length === 1, size: 6 },
    dash: one.dash ? [6, 4] : undefined,
  };
}

function xRange(spec, at) {
  const step = at.length > 1 ? at[1] - at[0] : 1;
  const room =
    spec.shape === "bars"
      ? 0.6 * step
      : spec.shape === "dots"
        ? 0.04 * (at.at(-1) - at[0] || 1)
        : 0;
  const whole = [at[0] - room, at.at(-1) + room || at[0] + 1];
  if (whole[0] === whole[1]) whole[1] += 1;
  return (u, low, high) =>
    (low === at[0] && high === at.at(-1)) || low === null ? whole : [low, high];
}

function yRange(spec, live) {
  if (live.log) return { distr: 3, log: 10 };
  const { low, high } = spec.y;
  return {
    range: (u, least, most) => {
      if (least === null) return [0, 1];
      const room = (most - least || Math.abs(most) || 1) * 0.06;
      return [low ?? least - room, high ?? most + room];
    },
  };
}

function axisBase() {
  return {
    stroke: style("--quiet"),
    font: "11px " + style("--font"),
    labelFont: "11px " + style("--font"),
    grid: { stroke: style("--grid"), width: 1 },
    ticks: { show: false },
    labelGap: 0,
  };
}

function xAxis(spec, width) {
  const axis = {
    ...axisBase(),
    label: t(spec.x.label),
    labelSize: 18,
    size: 24,
    space: 44,
    gap: 4,
  };
  axis.grid = { show: false };
  const { names, spans } = spec.x;
  if (names) {
    const tight = names.join("").length * 7 + names.length * 6 > width - 60;
    axis.splits = () => names.map((_, number) => number);
    axis.values = (u, at) => at.map((number) => t(names[number] ?? ""));
    axis.space = 1;
    if (tight)
      Object.assign(axis, {
        rotate: -40,
        size: 24 + 6 * Math.max(...names.map((name) => name.length)),
      });
  } else if (spans) {
    axis.splits = (u, _, low, high) => spanTicks(spans, low, high, width).map(([middle]) => middle);
    axis.values = (u, at) =>
      at.map((middle) => (spans.find(([, a, b]) => (a + b) / 2 === middle) || [""])[0]);
    axis.space = 1;
  } else {
    axis.values = (u, at) => at.map((value) => tick(value, spec.x.form));
  }
  return axis;
}

// The names of contigs that have room, by their middles.
function spanTicks(spans, low, high, width) {
  let last = -Infinity;
  return spans
    .map(([name, a, b]) => [(a + b) / 2, name])
    .filter(([middle, name]) => {
      if (middle < low || middle > high) return false;
      const place = ((middle - low) / (high - low)) * (width - 60);
      const free = place - last > 8 + 6.5 * name.length;
      if (free) last = place;
      return free;
    });
}

function yAxis(spec) {
  const how = spec.y.form === "count" ? "short" : spec.y.form;
  return {
    ...axisBase(),
    label: t(spec.y.label),
    labelSize: 16,
    size: 48,
    space: 34,
    gap: 4,
    values: (u, at) => at.map((value) => (value === null ? "" : tick(value, how))),
  };
}

// A value at an axis, as short as can be.
function tick(value, how) {
  const short = Number(value.toPrecision(3));
  if (how === "percent") return `${Number((100 * value).toPrecision(3))} %`;
  if (how === "depth") return `${short}×`;
  return how === "ratio" ? String(short) : form(value, how);
}

function shadeSpans(u, spec) {
  if (!spec.x.spans) return;
  const { ctx, bbox } = u;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  ctx.fillStyle = style("--shade");
  spec.x.spans.forEach(([, a, b], number) => {
    if (number % 2) return;
    const [left, right] = [a, b].map((at) => u.valToPos(at, "x", true));
    ctx.fillRect(left, bbox.top, right - left, bbox.height);
  });
  ctx.restore();
}

function drawMarks(u, spec) {
  const { ctx, bbox } = u;
  const scale = uPlot.pxRatio;
  ctx.save();
  ctx.strokeStyle = ctx.fillStyle = style("--quiet");
  ctx.lineWidth = scale;
  ctx.setLineDash([3 * scale, 3 * scale]);
  ctx.font = `${10 * scale}px ${style("--font")}`;
  for (const one of spec.marks || []) {
    const along = "x" in one ? "x" : "y";
    const place = u.valToPos(one[along], along, true);
    const inside =
      along === "x"
        ? place >= bbox.left && place <= bbox.left + bbox.width
        : place >= bbox.top && place <= bbox.top + bbox.height;
    if (!inside) continue;
    ctx.beginPath();
    if (along === "x") {
      ctx.moveTo(place, bbox.top);
      ctx.lineTo(place, bbox.top + bbox.height);
      ctx.stroke();
      ctx.textAlign = "left";
      haloed(ctx, t(one.label), place + 4 * scale, bbox.top + 10 * scale);
    } else {
      ctx.moveTo(bbox.left, place);
      ctx.lineTo(bbox.left + bbox.width, place);
      ctx.stroke();
      ctx.textAlign = "right";
      haloed(ctx, t(one.label), bbox.left + bbox.width - 2 * scale, place - 4 * scale);
    }
  }
  ctx.restore();
}

function haloed(ctx, text, x, y) {
  ctx.save();
  ctx.setLineDash([]);
  ctx.strokeStyle = style("--card");
  ctx.lineWidth = 3 * uPlot.pxRatio;
  ctx.lineJoin = "round";
  ctx.strokeText(text, x, y);
  ctx.fillText(text, x, y);
  ctx.restore();
}

// Index of the dot nearest to the pointer, for the series that it is of; null for others.
function nearestDot(live) {
  let seen = "",
    found = null;
  return (u, series) => {
    const { left, top } = u.cursor;
    const key = `${left} ${top} ${u.scales.x.min} ${u.scales.y.min}`;
    if (key !== seen) {
      seen = key;
      found = null;
      let least = 30 * 30;
      for (let s = 1; s < u.data.length; s++) {
        if (!u.series[s].show) continue;
        u.data[s].forEach((y, index) => {
          if (y === null) return;
          const dx = u.valToPos(u.data[0][index], "x") - left,
            dy = u.valToPos(y, "y") - top;
          if (dx * dx + dy * dy < least) [least, found] = [dx * dx + dy * dy, [s, index]];
        });
      }
      live.dot = found;
    }
    return found && found[0] === series ? found[1] : null;
  };
}

function tip(u, box, live) {
  const { left, top, idx } = u.cursor;
  const { spec } = live;
  const lines =
    left < 0 ? [] : spec.shape === "dots" ? dotLines(u, live) : valueLines(u, live, idx);
  if (!lines.length) return live.tip && live.tip.remove();
  live.tip ||= el("div", { class: "tip", role: "status" });
  live.tip.replaceChildren(...lines);
  u.over.append(live.tip);
  const beyond = left > u.over.clientWidth / 2;
  live.tip.style.left = beyond ? "" : `${left + 14}px`;
  live.tip.style.right = beyond ? `${u.over.clientWidth - left + 14}px` : "";
  live.tip.style.top = `${Math.max(0, Math.min(top, u.over.clientHeight - live.tip.offsetHeight))}px`;
  return undefined;
}

function dotLines(u, live) {
  if (!live.dot) return [];
  const [series, index] = live.dot,
    { spec } = live;
  const one = spec.series[live.owner[series]];
  return [
    el("b", {}, spec.points[index]),
    tipLine(one, ""),
    el("div", {}, `${t(spec.x.label)} ${form(u.data[0][index], spec.x.form)}`),
    el("div", {}, `${t(spec.y.label)} ${form(u.data[series][index], spec.y.form)}`),
  ];
}

function valueLines(u, live, idx) {
  if (idx === null || idx === undefined) return [];
  const { spec } = live;
  const lines = [];
  spec.series.forEach((one, number) => {
    if (live.hidden.has(number)) return;
    if ("low" in one) lines.push(tipLine(one, `${form(one.low[idx])} – ${form(one.high[idx])}`));
    else if (one.values[idx] !== null) lines.push(tipLine(one, form(one.values[idx], spec.y.form)));
  });
  return lines.length ? [el("b", {}, placeOf(spec, u.data[0][idx], idx)), ...lines] : [];
}

function tipLine(one, value) {
  return el(
    "div",
    {},
    el("i", { style: `--c:var(--s-${one.colour})` }),
    `${t(one.label)} `,
    el("span", {}, value),
  );
}

function placeOf(spec, x, idx) {
  const { names, spans, window } = spec.x;
  if (names) return t(names[idx] ?? "");
  if (spans) {
    const span = spans.find(([, a, b]) => x >= a && x < b);
    if (!span) return "";
    return window
      ? `${span[0]}:${grouped((x - span[1]) * window + 1, 0)}`
      : `${span[0]} · ${x - span[1] + 1} / ${span[2] - span[1]}`;
  }
  return `${t(spec.x.label)} ${form(x, spec.x.form)}`;
}

function moveByKey(event, live) {
  const steps = {
    ArrowLeft: -1,
    ArrowRight: 1,
    PageUp: -10,
    PageDown: 10,
    Home: -Infinity,
    End: Infinity,
  };
  const u = live.plot;
  if (!u) return;
  if (event.key === "Escape") {
    u.setCursor({ left: -10, top: -10 });
    wholeView(live);
  }
  if (!(event.key in steps)) return;
  event.preventDefault();
  const last = u.data[0].length - 1;
  live.at = Math.min(
    last,
    Math.max(0, (live.at ?? (steps[event.key] < 0 ? last + 1 : -1)) + steps[event.key]),
  );
  const value =
    u.data
      .slice(1)
      .map((values) => values[live.at])
      .find((y) => y !== null) ?? 0;
  u.setCursor({ left: u.valToPos(u.data[0][live.at], "x"), top: u.valToPos(value, "y") });
}

const resizing = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    const live = drawn.get(target);
    const width = Math.floor(target.clientWidth);
    if (live && live.plot && width && !state.printing && Math.abs(live.plot.width - width) > 2)
      redraw(target);
  }
});

// Forgets the plots whose boxes are no longer on the page.
function forgetPlots() {
  for (const [box, live] of drawn) {
    if (box.isConnected) continue;
    if (live.plot) live.plot.destroy();
    drawn.delete(box);
    waiting.delete(box);
  }
}

const redrawAll = () => drawn.forEach((live, box) => redraw(box));
