# The variants of each sample by itself: as VCF, and as gVCF for the cohort, from one calling.


rule call:
    input:
        index="<results>/reference.json",
        reference=REFERENCE,
        alignment=lambda wildcards: alignment(wildcards.sample),
        aligned=lambda wildcards: f"{alignment(wildcards.sample)}.qc.json",
        beds=beds(REGIONS),
        par=lambda wildcards: par(wildcards.sample),
        known=known(),
        qc=qc_files("sites", "genes"),
    output:
        calls="<results>/calls/{sample}.vcf.gz",
        gvcf="<results>/calls/{sample}.g.vcf.gz",
        stats="<results>/calls/{sample}.vcf.gz.stats.json",
        qc="<results>/calls/{sample}.vcf.gz.qc.json",
    log:
        "<logs>/call/{sample}.log",
    benchmark:
        "<benchmarks>/call/{sample}.tsv"
    conda:
        "../../../envs/environment.yml"
    threads: 16
    resources:
        mem_mb=memory(2000, 2),
    params:
        ploidy=lambda wildcards: ploidy_options(wildcards.sample),
        regions=region_options(REGIONS),
        known=known_options(),
        qc=qc_options("sites", "genes"),
        mnv="--mnv" if PROJECT.config["mnv"] else "",
    shell:
        "lingqu call {input.reference:q} {input.alignment:q} --sample {wildcards.sample:q}"
        " {params.ploidy} {params.regions} {params.known} {params.mnv} {params.qc} --threads {threads} -o {output.calls:q}"
        " -o {output.gvcf:q} > {log:q} 2>&1"
