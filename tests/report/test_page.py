"""The page in a real browser: drawn, searched, sorted, switched, printed; its size and words."""

import json
import re
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from browser import Browser, Page, find_chromium
from made import SECTIONS, looks, numbers, run

from lingqu.report.forms import form
from lingqu.report.labels import join, labels
from lingqu.report.page import page
from lingqu.report.words import LANGUAGES, words

REPORT = Path(page.__code__.co_filename).parent
MEGABYTE = 1_000_000


def html(count: int) -> str:
    return page(numbers(count), run(count), SECTIONS, looks(count))


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """made(count): the file of a report of so many samples."""
    folder, files = tmp_path_factory.mktemp("made"), {}

    def of(count: int) -> Path:
        if count not in files:
            files[count] = folder / f"report-{count}.html"
            files[count].write_text(html(count), encoding="utf-8")
        return files[count]

    return of


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    if not find_chromium():
        pytest.skip("no Chromium on PATH: apt-get install chromium")
    with Browser(tmp_path_factory.mktemp("chromium")) as opened:
        yield opened


@pytest.fixture
def one(browser, made) -> Page:
    shown = browser.open(made(1))
    shown.wait_for("document.querySelector('.inside section')")
    return shown


def draw_all(shown: Page) -> None:
    """Scroll through the page until every plot has been near the window."""
    shown.run(
        """(async () => {
          for (let y = 0; y < document.body.scrollHeight; y += 400) {
            scrollTo({top: y, behavior: "instant"});
            await new Promise((done) => requestAnimationFrame(() => setTimeout(done, 10)));
          }
          scrollTo({top: 0, behavior: "instant"});
        })()"""
    )
    shown.wait_for("!waiting.size")


def test_all_plots_are_drawn_without_a_fault(one):
    draw_all(one)
    drawn = one.run(
        """[...document.querySelectorAll(".canvas")].map((box) => {
          const canvas = box.querySelector("canvas");
          if (!canvas) return box.getAttribute("aria-label");
          const {width, height} = canvas;
          const pixels = canvas.getContext("2d").getImageData(0, 0, width, height).data;
          return pixels.some((value) => value) ? "" : box.getAttribute("aria-label");
        })"""
    )
    assert len(drawn) >= 18
    assert not any(drawn), drawn
    assert one.run("document.querySelectorAll('.pile svg .read').length") > 100
    assert one.faults() == []


def test_no_address_is_asked_for_but_the_file(one):
    draw_all(one)
    assert {url.partition(":")[0] for url in one.requests()} == {"file"}
    assert len(one.requests()) == 1


def test_top_answers_the_three_questions(browser, made):
    shown = browser.open(made(30))
    text = shown.run("document.querySelector('.summary').innerText")
    assert "Is it good?" in text
    assert "of 30 samples are good" in text
    assert re.search("What to worry about.*Contamination", text, re.S | re.I)
    assert shown.run("document.querySelectorAll('.waffle i').length") == 30
    assert shown.run("document.querySelector('.summary').getBoundingClientRect().bottom") < 1000
    assert shown.faults() == []


ROWS = "[...document.querySelectorAll('.heat tbody tr:not(.space)')]"
HEAT = f"{ROWS}.map((row) => row.cells[0].innerText)"


def test_heat_table_sorts_searches_and_filters(browser, made):
    shown = browser.open(made(30))
    assert shown.run(HEAT)[:2] == ["S0001", "S0002"]
    heads = "[...document.querySelectorAll('.heat thead button')]"
    head = f"{heads}.find((button) => button.innerText === 'Mean depth')"
    shown.run(f"{head}.click()")
    at = shown.run(f"{head}.closest('th').cellIndex")
    cells = f"{ROWS}.map((row) => row.cells[{at}].innerText)"
    depths = [float(re.search("[0-9.]+", text)[0]) for text in shown.run(cells)]
    assert depths == sorted(depths, reverse=True)
    shown.run(f"{head}.click()")
    assert shown.run(HEAT)[0] == "S0004"
    assert shown.run(f"{head}.closest('th').getAttribute('aria-sort')") == "ascending"
    field = "document.querySelector('#overview input[type=search]')"
    shown.run(f"{field}.value = '002'; {field}.dispatchEvent(new Event('input'))")
    assert sorted(shown.run(HEAT)) == [
        f"S{n:04d}" for n in (2, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29)
    ]
    shown.run(f"{field}.value = ''; {field}.dispatchEvent(new Event('input'))")
    chips = "[...document.querySelectorAll('#overview .chip')]"
    shown.run(f"{chips}.find((chip) => /fail/.test(chip.innerText)).click()")
    assert 1 <= len(shown.run(HEAT)) <= 6
    assert shown.faults() == []


def test_sample_opens_from_its_row_and_from_the_address(browser, made):
    shown = browser.open(made(30))
    assert shown.run("document.querySelectorAll('details.sample[open]').length") == 0
    shown.run("document.querySelector('.heat tbody a').click()")
    shown.wait_for("document.querySelector('details.sample[open] .plot')")
    assert shown.run("document.querySelector('details.sample[open] h3').innerText") == "S0001"
    shown.run("location.hash = 'sample=S0009'")
    shown.wait_for("document.querySelector('details[data-sample=S0009][open] .plot')")
    assert shown.faults() == []


def test_language_and_theme_switch_without_reload(one):
    one.run("window.stays = 1")
    title = one.run("document.querySelector('h1').innerText")
    assert "Germline" in title
    one.run("document.getElementById('language').click()")
    assert "胚系变异" in one.run("document.querySelector('h1').innerText")
    assert one.run("document.documentElement.lang") == "zh-Hans"
    one.wait_for("document.querySelector('.inside section h3')?.innerText === '变异'")
    titles = "[...document.querySelectorAll('main h2, main h3, main h4, th')]"
    left = one.run(f"{titles}.map((title) => title.innerText)")
    assert not [text for text in left if text.startswith("@")]
    one.run("document.getElementById('language').click()")
    assert one.run("document.querySelector('h1').innerText") == title
    ground = "getComputedStyle(document.body).backgroundColor"
    grounds = []
    for _ in range(3):
        one.run("document.getElementById('theme').click()")
        grounds.append((one.run("document.documentElement.dataset.theme"), one.run(ground)))
    assert len(set(grounds)) == 2
    assert {theme for theme, _ in grounds} == {"light", "dark"}
    assert one.run("window.stays") == 1
    assert one.faults() == []


def test_system_theme_is_followed(browser, made):
    shown = browser.open(made(1), prefers_color_scheme="dark")
    assert shown.run("document.documentElement.dataset.theme") == "dark"


DEPTH = "[...drawn.values()].find((live) => live.spec.title === '@plot.depth')"
QUALITY = "[...drawn.values()].find((live) => Array.isArray(live.spec.title))"


def test_plots_hover_zoom_log_and_legend(one):
    draw_all(one)
    one.run(f"{DEPTH}.plot.root.scrollIntoView({{block: 'center', behavior: 'instant'}})")
    box = one.run(f"(({DEPTH}.plot.over).getBoundingClientRect().toJSON())")
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    one.mouse("mouseMoved", x, y)
    one.wait_for("document.querySelector('.tip')")
    assert "Depth" in one.run("document.querySelector('.tip').innerText")
    before = one.run(f"{DEPTH}.plot.scales.x.max - {DEPTH}.plot.scales.x.min")
    one.mouse("mousePressed", x, y, button="left", clickCount=1)
    one.mouse("mouseMoved", x + 50, y, button="left", buttons=1)
    one.mouse("mouseReleased", x + 50, y, button="left", clickCount=1)
    one.wait_for(f"{DEPTH}.plot.scales.x.max - {DEPTH}.plot.scales.x.min < {before / 2}")
    assert one.run(f"{DEPTH}.reset.hidden") is False
    one.run(f"{DEPTH}.reset.click()")
    one.wait_for(f"{DEPTH}.plot.scales.x.max - {DEPTH}.plot.scales.x.min === {before}")
    one.run(f"{DEPTH}.plot.root.closest('figure').querySelector('.log').click()")
    assert one.run(f"{DEPTH}.plot.scales.y.distr") == 3
    keys = f"{QUALITY}.plot.root.closest('figure').querySelectorAll('.legend button')"
    assert one.run(f"{QUALITY}.plot.series.filter((s) => s.show).length") == 7
    one.run(f"{keys}[0].click()")
    assert one.run(f"{keys}[0].getAttribute('aria-pressed')") == "false"
    assert one.run(f"{QUALITY}.plot.series.filter((s) => s.show).length") == 5
    assert one.faults() == []


def test_keys_move_along_a_plot(one):
    draw_all(one)
    one.run(f"{DEPTH}.plot.root.parentNode.focus()")
    for _ in range(3):
        one.key("ArrowRight")
    assert one.run(f"{DEPTH}.plot.cursor.idx") == 2
    assert "2" in one.run("document.querySelector('.tip b').innerText")
    focused = one.run(
        "[...document.querySelectorAll('button, a, input, summary, .canvas, .frame')]"
        ".filter((e) => e.tabIndex < 0).length"
    )
    assert focused == 0


def test_variants_are_searched_and_lead_to_their_reads(one):
    draw_all(one)
    frame = "[...tables.values()].find((view) => view.spec.piles)"
    every = one.run(f"{frame}.order.length")
    assert every == 2000
    assert one.run(f"{frame}.body.childElementCount") < 100
    field = f"{frame}.frame.parentNode.querySelector('input')"
    one.run(f"{field}.value = 'LowQual'; {field}.dispatchEvent(new Event('input'))")
    assert one.run(f"{frame}.order.length") == every / 4
    one.run(f"{field}.value = ''; {field}.dispatchEvent(new Event('input'))")
    one.run(f"{frame}.body.querySelector('button').click()")
    assert one.run("document.activeElement.dataset.row") == "0"
    label = one.run(
        "document.querySelector('figure[data-row=\"0\"] .pile').getAttribute('aria-label')"
    )
    assert "reads carry the variant" in label
    one.run(f"{frame}.frame.scrollTop = 40000")
    first = f"{frame}.body.querySelector('[aria-rowindex]').getAttribute('aria-rowindex')"
    one.wait_for(f"Number({first}) > 1000")
    assert one.faults() == []


def test_relatedness_dots_tell_the_pair(browser, made):
    shown = browser.open(made(30))
    draw_all(shown)
    live = "[...drawn.values()].find((live) => live.spec.title === '@plot.kin')"
    shown.run(f"{live}.plot.root.scrollIntoView({{block: 'center', behavior: 'instant'}})")
    place = shown.run(
        f"""(() => {{
          const u = {live}.plot, box = u.over.getBoundingClientRect();
          const s = u.data.slice(1).findIndex((values) => values[0] !== null) + 1;
          const [x, y] = [u.data[0][0], u.data[s][0]];
          return [box.x + u.valToPos(x, 'x'), box.y + u.valToPos(y, 'y')];
        }})()"""
    )
    shown.mouse("mouseMoved", *place)
    shown.wait_for("document.querySelector('.tip b')")
    assert re.fullmatch(r"S\d{4} · S\d{4}", shown.run("document.querySelector('.tip b').innerText"))
    assert shown.faults() == []


def test_print_draws_everything_in_light(browser, made):
    shown = browser.open(made(1), prefers_color_scheme="dark")
    shown.wait_for("document.querySelector('.inside section')")
    assert shown.pdf().startswith(b"%PDF")
    shown.run("dispatchEvent(new Event('beforeprint'))")
    rows = "Math.max(...[...tables.values()].map((view) => view.body.childElementCount))"
    assert shown.run(rows) == 51
    assert not shown.run("document.querySelector('tr.space')")
    assert shown.run("document.documentElement.dataset.theme") == "light"
    assert shown.run(
        "[...document.querySelectorAll('.canvas')].every((b) => b.querySelector('canvas'))"
    )
    assert shown.run("[...document.querySelectorAll('.pile')].every((b) => b.querySelector('svg'))")
    shown.run("dispatchEvent(new Event('afterprint'))")
    assert shown.run("document.documentElement.dataset.theme") == "dark"
    assert shown.faults() == []


def test_without_a_script_tables_and_still_pictures_are_there(browser, made):
    shown = browser.open(made(30), script=False)
    assert shown.run("document.querySelectorAll('.still table').length") > 10
    assert shown.run("document.querySelectorAll('.still svg').length") >= 20
    text = shown.run("document.querySelector('.still').innerText")
    for told in ("S0030", "of 30 samples are good", "Mean depth", "Contamination"):
        assert told in text, told


@pytest.mark.parametrize("width", [390, 820, 1440])
def test_nothing_is_wider_than_the_window(browser, made, width):
    shown = browser.open(made(30), width=width)
    shown.run("document.querySelector('.heat tbody a').click()")
    shown.wait_for("document.querySelector('details.sample[open] .plot')")
    draw_all(shown)
    assert shown.run("document.documentElement.scrollWidth") <= width
    assert shown.faults() == []


def test_sizes(made):
    assert made(1).stat().st_size < 0.5 * MEGABYTE
    assert made(100).stat().st_size < 5 * MEGABYTE


def test_a_thousand_samples_are_there_at_once(browser, made):
    shown = browser.open(made(1000))
    assert shown.run("document.querySelectorAll('*').length") < 6000
    assert shown.run("document.querySelectorAll('.waffle i').length") == 1000
    assert len(shown.run(HEAT)) < 60
    shown.run("location.hash = 'sample=S0999'")
    shown.wait_for("document.querySelector('details[data-sample=S0999][open] .plot')")
    assert shown.faults() == []


def test_nothing_outside_is_named(made):
    text = re.sub(r"<!--.*?-->", "", made(1).read_text(encoding="utf-8"), flags=re.S)
    assert not re.search(r"""(src|href|action)\s*=\s*["']?(https?:)?//""", text)
    assert not re.search(r"@import|url\(|<link|<iframe|<img", text)
    assert "Leon Sorokin" in made(1).read_text(encoding="utf-8")


def leaves(table: dict, above: str = "") -> dict[str, str]:
    found = {}
    for key, told in table.items():
        name = f"{above}{key}"
        found |= leaves(told, f"{name}.") if isinstance(told, dict) else {name: told}
    return found


def test_languages_have_the_same_labels_and_places():
    tables = [leaves(labels(language)) for language in LANGUAGES]
    assert all(set(table) == set(tables[0]) for table in tables)
    for key in tables[0]:
        places = {frozenset(re.findall(r"\{\w+\}", table[key])) for table in tables}
        assert len(places) == 1, key


def test_every_word_that_the_sources_name_is_there():
    known = set(leaves(join(words("en"), labels("en"))))
    sources = [*REPORT.glob("sections/*.py"), *REPORT.glob("*.py"), *REPORT.glob("assets/*.js")]
    named = {
        key
        for path in sources
        if path.name != "uPlot.min.js"
        for key in re.findall(
            r"""["'`]@([a-z][\w]*(?:\.[\w]+)*)["'`]""", path.read_text(encoding="utf-8")
        )
    }
    assert len(named) > 150
    assert {key for key in named if key[-1] != "_"} - known == {"key", "language_code"}


def test_script_and_python_write_numbers_alike(one):
    values = [0, 1, 0.6, 0.000123, 3.14159, 59.96, 99.96, 1234, 12_345.678, 4_912_345, 6.2e8, -3]
    forms = ["count", "number", "short", "percent", "share", "depth", "ratio", "ratio4", "bases"]
    forms += ["phred", "seconds", "hours"]
    for how in forms:
        told = one.run(f"{json.dumps(values)}.map((value) => form(value, {json.dumps(how)}))")
        assert told == [form(value, how) for value in values], how


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [x / 12.92 if x <= 0.03928 else ((x + 0.055) / 1.055) ** 2.4 for x in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def palette(theme: str) -> dict[str, str]:
    style = (REPORT / "assets" / "page.css").read_text(encoding="utf-8")
    block = re.search(rf'\[data-theme="{theme}"\] \{{(.*?)\}}', style, re.S)[1]
    found = dict(re.findall(r"--([\w-]+): (#\w{3,6})", block))
    return {k: v if len(v) == 7 else "#" + "".join(c * 2 for c in v[1:]) for k, v in found.items()}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_stands_out_as_wcag_asks(theme):
    colours = palette(theme)
    for ground in ("paper", "card"):
        for ink in ("ink", "quiet", "link", "pass", "warn", "fail"):
            assert contrast(colours[ink], colours[ground]) >= 4.5, (ink, ground)
    for verdict in ("pass", "warn", "fail", "none"):
        ground = colours[f"{verdict}-bg"]
        assert contrast(colours[verdict], ground) >= 4.5, verdict
        assert contrast(colours["ink"], ground) >= 4.5, verdict
    for number in range(1, 6):
        assert contrast(colours[f"s-{number}"], colours["card"]) >= 2.5, number


# Machado, Oliveira and Fernandes 2009, severity 1: what people without a kind of cones see.
SIGHT = {
    "all cones": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
TO_XYZ = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]


def lab(colour: str, sight) -> np.ndarray:
    """CIE L*a*b* of a colour as it is seen."""
    parts = np.array([int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)])
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    seen = np.clip(np.array(sight) @ linear, 0, 1)
    x, y, z = np.cbrt(np.array(TO_XYZ) @ seen / [0.9505, 1, 1.089])
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("sight", SIGHT)
def test_colours_differ_to_all_eyes(theme, sight):
    seen = {key: lab(colour, SIGHT[sight]) for key, colour in palette(theme).items()}
    for keys in (["s-1", "s-2", "s-3", "s-4", "s-5"], ["s-A", "s-C", "s-G", "s-T"]):
        for one, other in combinations(keys, 2):
            assert np.linalg.norm(seen[one] - seen[other]) > 20, (one, other)
