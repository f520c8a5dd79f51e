# What inputs and outputs held, as SHA-256: of each sample, and of what all samples share.


rule digest:
    input:
        files=digested,
    output:
        "<results>/digests/{part}.sha256",
    log:
        "<logs>/digest/{part}.log",
    benchmark:
        "<benchmarks>/digest/{part}.tsv"
    wildcard_constraints:
        part="shared|samples/(" + "|".join(map(re.escape, SAMPLES)) + ")",
    conda:
        "../../../envs/environment.yml"
    threads: 2
    resources:
        mem_mb=500,
    shell:
        "lingqu digest {input.files:q} --threads {threads} -o {output:q} > {log:q} 2>&1"
