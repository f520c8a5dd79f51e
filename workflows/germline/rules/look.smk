# The variants of a sample worth a look, with pictures of their reads for the report.


rule look:
    input:
        index="<results>/reference.json",
        reference=REFERENCE,
        alignment=lambda wildcards: alignment(wildcards.sample),
        calls="<results>/calls/{sample}.vcf.gz",
    output:
        "<results>/look/{sample}.json",
    log:
        "<logs>/look/{sample}.log",
    benchmark:
        "<benchmarks>/look/{sample}.tsv"
    conda:
        "../../../envs/environment.yml"
    resources:
        mem_mb=1000,
    shell:
        "lingqu look {input.reference:q} {input.alignment:q} {input.calls:q} -o {output:q}"
        " > {log:q} 2>&1"
