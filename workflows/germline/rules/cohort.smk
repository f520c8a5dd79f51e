# The cohort: the union of all samples' sites, each sample genotyped there from its own reads, and
# one VCF with a column for each sample. With one sample it is that sample's calls.


rule sites:
    input:
        index="<results>/reference.json",
        reference=REFERENCE,
        calls=expand("<results>/calls/{sample}.vcf.gz", sample=SAMPLES),
    output:
        "<results>/cohort/sites.vcf.gz",
    log:
        "<logs>/sites.log",
    benchmark:
        "<benchmarks>/sites.tsv"
    conda:
        "../../../envs/environment.yml"
    resources:
        mem_mb=2000,
    shell:
        "lingqu cohort union {input.reference:q} {input.calls:q} -o {output:q} > {log:q} 2>&1"


rule genotype:
    input:
        index="<results>/reference.json",
        reference=REFERENCE,
        alignment=lambda wildcards: alignment(wildcards.sample),
        sites="<results>/cohort/sites.vcf.gz",
        par=lambda wildcards: par(wildcards.sample),
    output:
        calls="<results>/cohort/genotypes/{sample}.vcf.gz",
        stats="<results>/cohort/genotypes/{sample}.vcf.gz.stats.json",
    log:
        "<logs>/genotype/{sample}.log",
    benchmark:
        "<benchmarks>/genotype/{sample}.tsv"
    conda:
        "../../../envs/environment.yml"
    threads: 16
    resources:
        mem_mb=memory(2000, 2),
    params:
        ploidy=lambda wildcards: ploidy_options(wildcards.sample),
    shell:
        "lingqu call {input.reference:q} {input.alignment:q} --sample {wildcards.sample:q}"
        " {params.ploidy} --sites {input.sites:q} --threads {threads}"
        " -o {output.calls:q} > {log:q} 2>&1"


rule merge:
    input:
        calls=expand("<results>/cohort/genotypes/{sample}.vcf.gz", sample=SAMPLES),
    output:
        "<results>/cohort/cohort.vcf.gz",
    log:
        "<logs>/merge.log",
    benchmark:
        "<benchmarks>/merge.tsv"
    conda:
        "../../../envs/environment.yml"
    resources:
        mem_mb=2000,
    shell:
        "lingqu cohort merge {input.calls:q} -o {output:q} > {log:q} 2>&1"
