"""Turn a foreign aligner's SAM into our tables: an oracle for everything behind the aligner."""

import numpy as np
import pysam

from lingqu.align.batch import AlignmentBatch


def templates(path) -> list[list[pysam.AlignedSegment]]:
    """Records of a SAM file in input order, by template; R1's primary first, R2's second."""
    groups, last = [], None
    with pysam.AlignmentFile(str(path), check_sq=False) as sam:
        for record in sam:
            if record.query_name != last:
                groups.append([])
                last = record.query_name
            groups[-1].append(record)
    for group in groups:
        group.sort(key=lambda r: (bool(r.flag & 0x900), bool(r.flag & 0x80)))
    return groups


def batch_of(groups) -> AlignmentBatch:
    """The AlignmentBatch of templates as `templates` gives them (whole CIGARs: bwa mem -Y)."""
    records = [record for group in groups for record in group]
    firsts = np.concatenate(([0], np.cumsum([2 if g[0].is_paired else 1 for g in groups])))
    read = [
        int(first) + (1 if record.flag & 0x80 else 0)
        for first, group in zip(firsts[:-1], groups, strict=True)
        for record in group
    ]
    cigars = [[(size << 4) | op for op, size in record.cigartuples or ()] for record in records]
    lengths = [len(cigar) for cigar in cigars]

    def column(values, kind):
        return np.array(list(values), kind)

    def tag(record, name):
        return record.get_tag(name) if record.has_tag(name) else -1

    return AlignmentBatch(
        record_start=np.cumsum([0, *map(len, groups)]).astype(np.int64),
        read=column(read, np.int32),
        flag=column((r.flag & ~0x400 for r in records), np.uint16),
        tid=column((r.reference_id for r in records), np.int32),
        pos=column((r.reference_start for r in records), np.int32),
        mapq=column((r.mapping_quality for r in records), np.uint8),
        cigar_start=np.cumsum([0, *lengths[:-1]]).astype(np.int64),
        cigar_len=column(lengths, np.int32),
        cigar=column((op for cigar in cigars for op in cigar), np.uint32),
        mate_tid=column((r.next_reference_id for r in records), np.int32),
        mate_pos=column((r.next_reference_start for r in records), np.int32),
        tlen=column((r.template_length for r in records), np.int32),
        score=column((tag(r, "AS") for r in records), np.int32),
        sub_score=column((tag(r, "XS") for r in records), np.int32),
    )
