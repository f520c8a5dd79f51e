"""The ten seconds at the top: is it good, what was found, what is there to worry about."""

from lingqu.report.blocks import Block
from lingqu.report.measures import MEASURES

EACH = False
_PICTURES = 60


def gather(numbers: dict) -> dict:
    """Verdicts of samples and measures, what was found, and a picture of the depth."""
    samples = numbers["samples"]
    return {
        "samples": [{"name": s["name"], "verdict": s.get("verdict")} for s in samples],
        "worries": _worries(samples),
        "parts": _parts(samples[0]) if len(samples) == 1 else None,
        "judged": len({v["measure"] for s in samples for v in s["verdicts"] if v["verdict"]}),
        "found": [_found(sample) for sample in samples],
        "reached": [[number, _reached(samples[number])] for number in _pictured(samples)],
        "failures": len((numbers.get("run") or {}).get("failures") or ()),
        "swaps": ((numbers.get("cohort") or {}).get("qc") or {}).get("swaps") or [],
    }


def build(told: dict) -> list[Block]:
    """One block that the page draws as three cards."""
    return [{"kind": "summary", **told}]


def _parts(sample: dict) -> list[list]:
    """[section, [[measure, verdict], ...]] of the measures that were judged."""
    sections = {measure.name: measure.section for measure in MEASURES}
    found: dict[str, list] = {}
    for told in sample["verdicts"]:
        if told["verdict"]:
            found.setdefault(sections[told["measure"]], []).append(
                [told["measure"], told["verdict"]]
            )
    return [list(part) for part in found.items()]


def _worries(samples: list[dict]) -> list[dict]:
    """Measures that warn or fail, failures first, those of most samples first."""
    found: dict[tuple, dict] = {}
    for number, sample in enumerate(samples):
        for order, told in enumerate(sample["verdicts"]):
            if told["verdict"] in ("warn", "fail"):
                key = (told["verdict"], told["measure"], told.get("side"))
                worry = found.setdefault(key, {**told, "order": order, "samples": []})
                worry["samples"].append([number, told["value"]])
    ranked = sorted(
        found.values(), key=lambda w: (w["verdict"] != "fail", -len(w["samples"]), w["order"])
    )
    kept = ("measure", "verdict", "limit", "side", "samples")
    return [{key: worry.get(key) for key in kept} for worry in ranked]


def _found(sample: dict) -> dict:
    """What measures tell that people ask for first, and the sex."""
    values = {told["measure"]: told["value"] for told in sample["verdicts"]}
    names = ("snvs", "indels", "ts_tv", "het_hom", "mean_depth")
    calls = (sample.get("qc") or {}).get("calls") or {}
    return {name: values.get(name) for name in names} | {
        "sex": (calls.get("sex") or {}).get("found")
    }


def _pictured(samples: list[dict]) -> list[int]:
    """Which samples are drawn: of many those that warn or fail, and others evenly taken."""
    marked = [n for n, sample in enumerate(samples) if sample["verdict"] in ("warn", "fail")]
    marked = marked[: _PICTURES // 2]
    others = [n for n in range(len(samples)) if n not in set(marked)]
    count = min(len(others), _PICTURES - len(marked))
    return sorted(marked + [others[n * len(others) // count] for n in range(count)])


def _reached(sample: dict) -> list[float] | None:
    """Shares of the target at 0x, 1x, … 60x or more."""
    counts = (((sample.get("qc") or {}).get("calls") or {}).get("coverage") or {}).get("histogram")
    if not counts or not sum(counts):
        return None
    whole, below, shares = sum(counts), 0, []
    for depth in range(61):
        shares.append(round(1 - below / whole, 3))
        below += counts[depth] if depth < len(counts) else 0
    return shares
