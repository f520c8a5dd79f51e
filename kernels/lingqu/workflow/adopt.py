"""Take an existing BAM or CRAM into a project: linked, indexed, checked against the reference."""

import json
import os
from pathlib import Path

from lingqu import __version__
from lingqu.align.adopted import adopted_qc
from lingqu.base.atomic import publish
from lingqu.base.errors import LingquError
from lingqu.base.json_text import json_text
from lingqu.formats.bam import AlignmentFile, open_alignments
from lingqu.formats.reference import Reference, open_reference

_BAI_REACH = 1 << 29


def _link(target: Path, name: Path) -> None:
    """Make `name` a link to `target`, whatever was there."""
    name.unlink(missing_ok=True)
    name.symlink_to(os.path.relpath(target.absolute(), name.parent.resolve()))


def _index(source: Path, output: Path, reference: Reference) -> None:
    """Link the index of `source`; make one beside `output` where there is none, or an old one."""
    import pysam

    endings = (".crai",) if source.suffix == ".cram" else (".bai", ".csi")
    for ending in endings:
        Path(f"{output}{ending}").unlink(missing_ok=True)
    for ending in endings:
        for own in (Path(f"{source}{ending}"), source.with_suffix(ending)):
            if own.is_file() and own.stat().st_mtime_ns >= source.stat().st_mtime_ns:
                _link(own, Path(f"{output}{ending}"))
                return
    ending = endings[-1] if max(reference.lengths) > _BAI_REACH else endings[0]
    options = ["-c"] if ending == ".csi" else []
    try:
        with publish(f"{output}{ending}") as beside:
            pysam.index(*options, "-o", str(beside), str(output))
    except pysam.SamtoolsError as error:
        reason = str(error).strip().splitlines()[-1:] or ["it is damaged"]
        raise LingquError(
            f"{source}: cannot be indexed ({reason[0]}); sort it by coordinate"
        ) from None


def _counts(opened: AlignmentFile) -> dict:
    """Reads by the index: mapped and unmapped; a CRAM's index does not count."""
    import pysam

    if opened.is_cram:
        return {}
    with pysam.AlignmentFile(str(opened.path), index_filename=str(opened.index)) as file:
        return {"reads": file.mapped + file.unmapped, "mapped": file.mapped}


def _libraries(opened: AlignmentFile) -> int:
    """How many libraries the file's read groups are of; without any it is one."""
    import pysam

    with pysam.AlignmentFile(str(opened.path), check_sq=False) as file:
        groups = file.header.to_dict().get("RG", [])
    return len({group.get("LB") for group in groups}) or 1


def adopt(reference_path: str | Path, source: str | Path, output: str | Path) -> None:
    """Link `source` to `output`, with an index, OUTPUT.stats.json and OUTPUT.qc.json beside it.

    LingquError where the file cannot be read, is not sorted by coordinate, holds several samples,
    or was aligned to another reference; nothing stays at `output` then.
    """
    reference, source, output = open_reference(reference_path), Path(source), Path(output)
    if not source.is_file():
        raise LingquError(f"{source}: no such file; name a BAM or CRAM")
    try:
        _link(source, output)
        _index(source, output, reference)
        opened = open_alignments(output, reference)
        if len(opened.samples) > 1:
            names = ", ".join(opened.samples[:3])
            raise LingquError(f"{source}: reads of several samples ({names}); split it by sample")
        quality = adopted_qc(opened, reference, output.stem, _libraries(opened))
    except LingquError as fault:
        for own in output.parent.glob(f"{output.name}*"):
            own.unlink()
        raise LingquError(str(fault).replace(str(output), str(source))) from None
    facts = {"version": __version__, "entry": str(source), **_counts(opened)}
    told = {".qc.json": json_text(quality), ".stats.json": json.dumps(facts, indent=1)}
    for name, text in told.items():
        with publish(f"{output}{name}") as beside:
            beside.write_text(f"{text}\n")
