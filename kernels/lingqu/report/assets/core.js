"use strict";
// What all parts use: the data, the state, elements, words and forms of numbers.

const told = JSON.parse(document.getElementById("told").textContent);
const LANGUAGES = Object.keys(told.words);
const MARKS = { p: "pass", w: "warn", f: "fail", "-": "none" };
const SIGNS = { pass: "✓", warn: "!", fail: "✕", none: "–" };

// Sharp on paper and when magnified; before uPlot reads it.
window.devicePixelRatio = Math.max(2, window.devicePixelRatio || 1);

const kept = {
  get(name) {
    try {
      return localStorage.getItem("lingqu." + name);
    } catch {
      return null;
    }
  },
  set(name, value) {
    try {
      localStorage.setItem("lingqu." + name, value);
    } catch {
      /* private mode */
    }
  },
};

const state = {
  language:
    [kept.get("language"), ...(navigator.languages || [])]
      .map((name) => (name || "").slice(0, 2))
      .find((name) => LANGUAGES.includes(name)) || LANGUAGES[0],
  theme: kept.get("theme") || "auto",
  open: new Set(),
};

function el(name, attributes, ...children) {
  const made = document.createElement(name);
  fill(made, attributes);
  made.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return made;
}

function svg(name, attributes, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes || {})) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function fill(made, attributes) {
  for (const [key, value] of Object.entries(attributes || {})) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value !== null && value !== undefined)
      made.setAttribute(key, value);
  }
}

// The text of a phrase: "@key", ["@key", {values}], or text as it is.
function t(phrase, values) {
  if (Array.isArray(phrase)) [phrase, values] = phrase;
  if (typeof phrase !== "string" || phrase[0] !== "@") return String(phrase);
  let found = told.words[state.language];
  for (const part of phrase.slice(1).split(".")) found = found && found[part];
  if (typeof found !== "string") found = phrase.split(/[@.]/).pop().replaceAll("_", " ");
  return found.replace(/\{(\w+)\}/g, (whole, name) => {
    const value = values && values[name];
    if (value === undefined) return whole;
    return typeof value === "number" ? form(value) : value === null ? "–" : t(value);
  });
}

const grouped = (value, digits) =>
  value.toLocaleString("en-US", {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });

const FORMS = {
  count: (value) => grouped(value, 0),
  number: (value) =>
    Number.isInteger(value) || Math.abs(value) >= 1000
      ? grouped(value, 0)
      : String(Number(value.toPrecision(4))),
  short(value) {
    for (const [size, prefix] of [
      [1e12, "T"],
      [1e9, "G"],
      [1e6, "M"],
      [1e3, "k"],
    ]) {
      if (Math.abs(value) >= size) return `${Number((value / size).toPrecision(3))} ${prefix}`;
    }
    return FORMS.number(value);
  },
  percent(value) {
    const share = 100 * value;
    return `${Math.abs(share) < 1 ? Number(share.toPrecision(3)) : share.toFixed(2)} %`;
  },
  share: (value) => value.toFixed(2),
  depth: (value) => `${value < 100 ? value.toFixed(1) : grouped(value, 0)}×`,
  ratio: (value) => value.toFixed(2),
  ratio4: (value) => value.toFixed(4),
  bases: (value) => `${grouped(value, 0)} bp`,
  phred: (value) => `Q${grouped(value, 0)}`,
  hours: (value) => (value >= 0.01 ? FORMS.number(value) : "< 0.01"),
  agrees: (value) => t(value ? "@yes" : "@no"),
  seconds(value) {
    if (value < 60) return `${Number(value.toPrecision(3))} s`;
    const minutes = Math.round(value / 60);
    return minutes < 60
      ? `${minutes} min`
      : `${grouped(Math.floor(minutes / 60), 0)} h ${minutes % 60} min`;
  },
};

// The same forms as lingqu/report/forms.py.
function form(value, how = "number") {
  if (value === null || value === undefined) return "–";
  if (Array.isArray(value)) return t(value);
  if (typeof value === "string") {
    if (how === "place") return value.replace(/\d+$/, (at) => grouped(Number(at), 0));
    if (how === "kin") return t("@kin." + value.replaceAll(" ", "_"));
    if (how === "why") return t("@why." + value);
    return t(value);
  }
  if (typeof value === "boolean") return FORMS.agrees(value);
  return (FORMS[how] || FORMS.number)(value);
}

const measureName = (name) => t(`@measures.${name}.label`);
const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const colour = (key) => style(`--s-${key}`);

function mark(verdict, spelt) {
  const name = verdict || "none";
  const label = t("@mark." + name);
  return el(
    "span",
    { class: `mark ${name}`, title: label },
    el("span", { class: "sign", "aria-hidden": "true" }, SIGNS[name]),
    el("span", { class: spelt ? "" : "unseen" }, label),
  );
}

// Calls draw(element) once, when the element comes near the window.
const nearing = new IntersectionObserver(
  (entries) => {
    for (const entry of entries) {
      if (entry.isIntersecting) drawNow(entry.target);
    }
  },
  { rootMargin: "300px" },
);
const waiting = new Map();

function whenNear(element, draw) {
  waiting.set(element, draw);
  nearing.observe(element);
  return element;
}

function drawNow(element) {
  const draw = waiting.get(element);
  if (!draw) return;
  waiting.delete(element);
  nearing.unobserve(element);
  draw(element);
}
