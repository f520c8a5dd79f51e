"""One active region after the other: reads, haplotypes, likelihoods, genotypes, records."""

import numpy as np

from lingqu.base.jit import kernel
from lingqu.call.kernels.gather import gather, sort_by_length
from lingqu.call.kernels.limits import MAX_HAP
from lingqu.call.kernels.scan import repeat_end
from lingqu.call.kernels.search import neighbours, search
from lingqu.call.kernels.spelling import MAX_CORE, respell
from lingqu.call.kernels.tell import copy_edits, is_first, tell_site
from lingqu.call.kernels.weigh import Region, best_pair, new_room

_PAD = 30
_FLANK = 60
_REPEAT = 120


@kernel
def evaluate(
    reads, template, templates, ref, edits, regions, min_mapq, ploidy, given, tables, spelled,
    spans, ints, floats, told, names, shares,
):  # fmt: skip
    """Genotype the regions; returns the number of records.

    reads: Alignments. template: int32[reads], number of each read's template. ref: uint8, the
    contig. edits: Edits. regions: int64[n, 5] (left, right, first edit, edits, first read).
    given: the edits are sites to genotype, each site gets a record and its edits exclude each
    other; else only sites with an ALT allele in the likeliest genotype do. A region
    wider than MAX_HAP gets no record. tables: Tables. spelled: Edits, filled with those of each
    region and what the spelling of haplotypes adds (see call/kernels/spelling.py); spans: int64[n,
    2], first and number of each region's edits there; the masks of its rows are of these. ints:
    int64[m, INTS], floats: float64[m, FLOATS], see call/kernels/tell.py; m as many as spelled has
    room for. told: int64[m, 2], templates of the region before any was left out, and where the
    record's evidence of phase ends in names (uint64) and shares (float32), see
    call/kernels/phase.py: that of heterozygous calls, but for given sites; m times MAX_READS is
    room enough.
    """
    room = new_room()
    slot_of = np.full((templates, 2), -1, np.int64)
    grid = np.empty((3, MAX_CORE + 1, MAX_CORE + 1), np.int32)
    moves = np.empty(2 * MAX_CORE, np.uint8)
    written, filled, own = np.int64(0), np.int64(0), np.int64(0)
    for number in range(len(regions)):
        left, right = regions[number, 0], regions[number, 1]
        first, count = regions[number, 2], regions[number, 3]
        begin = repeat_end(ref, left, -1, 6, _REPEAT) - _PAD - _FLANK
        end = repeat_end(ref, right, 1, 6, _REPEAT) + _PAD + _FLANK
        if min(end, len(ref)) - max(begin, 0) > MAX_HAP:
            continue
        n, slots, total = gather(
            reads, template, ref, slot_of, np.int64(number), left, right, begin + _FLANK,
            end - _FLANK, regions[number, 4], min_mapq, room.rows, room.who,
        )  # fmt: skip
        sort_by_length(room.rows, n, room.order)
        begin, end = max(begin, 0), min(end, len(ref))
        region = Region(
            first, count, begin, end, n, slots, ploidy, given,
            edits.prior[first : first + count], neighbours(edits, first, count, given),
        )  # fmt: skip
        haps, tried = search(reads, ref, edits, region, room, tables)
        copy_edits(edits, first, count, own, spelled)
        if not given:
            one, two = best_pair(room.posterior, haps)
            count = respell(
                ref, begin, end, spelled, own, count, room.masks, room.haps, room.hap_len, haps,
                one, two, grid, moves,
            )  # fmt: skip
        spans[number, 0], spans[number, 1] = own, count
        for e in range(count):
            if is_first(spelled, own, e):
                is_told, filled = tell_site(
                    reads, number, region, room, haps, spelled, own, count, e, tried,
                    ints[written], floats[written], names, shares, filled,
                )  # fmt: skip
                if is_told:
                    told[written, 0], told[written, 1] = total, filled
                    written += 1
        own += count
    return written
