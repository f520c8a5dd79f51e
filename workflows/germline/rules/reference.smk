# The reference is indexed once, beside its FASTA, where all projects find it.


rule index:
    input:
        REFERENCE,
    output:
        "<results>/reference.json",
    log:
        "<logs>/index.log",
    benchmark:
        "<benchmarks>/index.tsv"
    conda:
        "../../../envs/environment.yml"
    threads: 8
    resources:
        mem_mb=memory(1000, 16),
    shell:
        "lingqu index {input:q} > {log:q} 2>&1" " && cp {input:q}.lingqu/reference.json {output:q}"
