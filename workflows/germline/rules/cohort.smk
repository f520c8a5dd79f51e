# The cohort: all samples genotyped together from their gVCFs, one VCF with a column for each, and
# relatives in each other's light where the sheet gives parents. The sexes and parents that it gives
# are held against the genotypes. The cohort store is not kept: it would keep samples that left the
# sheet, and the calling costs more.
FAMILIES = ["<results>/cohort/families.ped"] if family_rows() else []


rule families:
    output:
        "<results>/cohort/families.ped",
    log:
        "<logs>/families.log",
    conda:
        "../../../envs/environment.yml"
    params:
        rows=family_rows(),
    shell:
        "printf '%s\\n' {params.rows:q} > {output:q} 2> {log:q}"


rule joint:
    input:
        index="<results>/reference.json",
        reference=REFERENCE,
        gvcfs=expand("<results>/calls/{sample}.g.vcf.gz", sample=SAMPLES),
        families=FAMILIES,
        known=known(),
        qc=qc_files("sites"),
    output:
        calls="<results>/cohort/cohort.vcf.gz",
        stats="<results>/cohort/cohort.vcf.gz.stats.json",
        qc="<results>/cohort/cohort.vcf.gz.qc.json",
    log:
        "<logs>/joint.log",
    benchmark:
        "<benchmarks>/joint.tsv"
    conda:
        "../../../envs/environment.yml"
    threads: 16
    resources:
        mem_mb=memory(2000 + len(SAMPLES), 1),
    params:
        pedigree=lambda wildcards, input: shlex.join(f"--pedigree={x}" for x in input.families),
        known=known_options(),
        qc=qc_options("sites"),
    shell:
        "lingqu joint {input.reference:q} {input.gvcfs:q} {params.pedigree} {params.known} {params.qc} --threads {threads}"
        " -o {output.calls:q} > {log:q} 2>&1"
