# The cohort: all samples genotyped together from their gVCFs, one VCF with a column for each. The
# cohort store is not kept: it would keep samples that left the sheet, and the calling costs more.


rule joint:
    input:
        index="<results>/reference.json",
        reference=REFERENCE,
        gvcfs=expand("<results>/calls/{sample}.g.vcf.gz", sample=SAMPLES),
    output:
        "<results>/cohort/cohort.vcf.gz",
    log:
        "<logs>/joint.log",
    benchmark:
        "<benchmarks>/joint.tsv"
    conda:
        "../../../envs/environment.yml"
    threads: 16
    resources:
        mem_mb=memory(2000, 1),
    shell:
        "lingqu joint {input.reference:q} {input.gvcfs:q} --threads {threads} -o {output:q}"
        " > {log:q} 2>&1"
