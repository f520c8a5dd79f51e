"""Adjacent SNVs on one haplotype, joined into one record of several bases."""

from lingqu.call.known import join_ids

BASES = frozenset("ACGT")


def _genotype(fields: list[str]) -> tuple[str, str] | None:
    """(GT, PS) that a neighbour must share; None where the alleles' haplotypes are not known."""
    sample = dict(zip(fields[8].split(":"), fields[9].split(":"), strict=True))
    gt, phase_set = sample["GT"], sample.get("PS", "")
    return (gt, phase_set) if phase_set or gt in ("1", "1/1") else None


def _joins(one: list[str], two: list[str]) -> bool:
    """Whether `two` is an SNV right behind the SNV or MNV `one`, on the same haplotypes."""
    return (
        two[0] == one[0]
        and int(two[1]) == int(one[1]) + len(one[3])
        and len(one[4]) == len(one[3])
        and len(two[3]) == len(two[4]) == 1
        and set(one[4] + two[4]) <= BASES
        and one[6] == two[6] == "PASS"
        and _genotype(one) is not None
        and _genotype(one) == _genotype(two)
    )


def _joined(one: list[str], two: list[str]) -> list[str]:
    """Both as one record: numbers of the less sure of the two, PS and PQ of the first."""
    less = min(one, two, key=lambda fields: float(fields[5]))
    keys = one[8].split(":")
    own, told = (dict(zip(keys, fields[9].split(":"), strict=True)) for fields in (one, less))
    sample = ":".join(own[key] if key in ("PS", "PQ") else told[key] for key in keys)
    bases = one[3] + two[3], one[4] + two[4]
    return [*one[:2], join_ids([*one[2].split(";"), *two[2].split(";")]), *bases, less[5],
            "PASS", less[7], one[8], sample]  # fmt: skip


class Joiner:
    """Takes the finished lines of a sample in order, and gives them back joined."""

    def __init__(self):
        self._last: list[str] | None = None

    def feed(self, lines: list[str]) -> list[str]:
        """Add lines; returns those to which nothing more can be joined."""
        finished = []
        for line in lines:
            fields = line.split("\t")
            if self._last and _joins(self._last, fields):
                self._last = _joined(self._last, fields)
                continue
            finished += self.flush()
            self._last = fields
        return finished

    def flush(self) -> list[str]:
        """The line that is held back."""
        finished = ["\t".join(self._last)] if self._last else []
        self._last = None
        return finished
