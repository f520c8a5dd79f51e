# All lanes of a sample -> one sorted, duplicate-marked, indexed alignment, in one streamed step.


rule lanes:
    output:
        "<results>/align/{sample}.lanes.tsv",
    log:
        "<logs>/lanes/{sample}.log",
    conda:
        "../../../envs/environment.yml"
    params:
        rows=lane_rows,
    shell:
        "printf '%s\\n' {params.rows:q} > {output:q} 2> {log:q}"


rule align:
    input:
        index="<results>/reference.json",
        reference=REFERENCE,
        lanes="<results>/align/{sample}.lanes.tsv",
        fastqs=fastqs,
    output:
        alignment=f"<results>/align/{{sample}}.{PROJECT.config['format']}",
        stats=f"<results>/align/{{sample}}.{PROJECT.config['format']}.stats.json",
        qc=f"<results>/align/{{sample}}.{PROJECT.config['format']}.qc.json",
    log:
        "<logs>/align/{sample}.log",
    benchmark:
        "<benchmarks>/align/{sample}.tsv"
    wildcard_constraints:
        sample=one_of(ALIGNED),
    conda:
        "../../../envs/environment.yml"
    threads: 16
    resources:
        mem_mb=memory(2000, 8),
    params:
        marking="" if PROJECT.config["mark_duplicates"] else "--no-duplicates",
    shell:
        "lingqu align {input.reference:q} --lanes {input.lanes:q} --sample {wildcards.sample:q}"
        " {params.marking} --threads {threads} -o {output.alignment:q} > {log:q} 2>&1"


# A sample that comes as BAM or CRAM is checked against the reference, linked and indexed.
rule adopt:
    input:
        index="<results>/reference.json",
        reference=REFERENCE,
        alignment=lambda wildcards: SAMPLES[wildcards.sample].alignment,
    output:
        alignment="<results>/align/{sample}.{format}",
        stats="<results>/align/{sample}.{format}.stats.json",
        qc="<results>/align/{sample}.{format}.qc.json",
    log:
        "<logs>/adopt/{sample}.{format}.log",
    benchmark:
        "<benchmarks>/adopt/{sample}.{format}.tsv"
    wildcard_constraints:
        sample=one_of(ADOPTED),
        format="bam|cram",
    conda:
        "../../../envs/environment.yml"
    resources:
        mem_mb=1000,
    shell:
        "lingqu adopt {input.reference:q} {input.alignment:q} -o {output.alignment:q} > {log:q} 2>&1"
