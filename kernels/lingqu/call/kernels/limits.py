"""How much of a region is looked at."""

MAX_HAPS = 64
"""Most haplotypes at once; half of it starts a pruning."""
MAX_HAP = 2048
"""Longest haplotype."""
MAX_EDITS = 40
"""Most edits of a region."""
MAX_ALLELES = MAX_EDITS + 2
"""Alleles of a site: the reference, each edit, and what an upstream deletion took away."""
MAX_TEMPLATES = 400
"""Templates of a region that are used; of more, a fair part is, by the hash of their names."""
MAX_READS = 4 * MAX_TEMPLATES
"""Reads of a region that are used."""
