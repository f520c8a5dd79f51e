# The calls of a sample against its truth, for the samples that config names one for.


rule compare:
    input:
        index="<results>/reference.json",
        reference=REFERENCE,
        truth=lambda wildcards: TRUTH[wildcards.sample]["vcf"],
        calls="<results>/calls/{sample}.vcf.gz",
        beds=lambda wildcards: beds(truth_regions(wildcards.sample)),
    output:
        json="<results>/compare/{sample}.json",
        folder=directory("<results>/compare/{sample}"),
    log:
        "<logs>/compare/{sample}.log",
    benchmark:
        "<benchmarks>/compare/{sample}.tsv"
    conda:
        "../../../envs/environment.yml"
    resources:
        mem_mb=memory(1000, 2),
    params:
        regions=lambda wildcards: region_options(truth_regions(wildcards.sample)),
    shell:
        "lingqu compare {input.truth:q} {input.calls:q} --reference {input.reference:q}"
        " {params.regions} --json {output.json:q} --out {output.folder:q} > {log:q} 2>&1"
