# One page about all samples, and the same numbers as JSON.


rule project:
    output:
        "<results>/project.json",
    log:
        "<logs>/project.log",
    conda:
        "../../../envs/environment.yml"
    params:
        text=project_text(),
    shell:
        "printf '%s\\n' {params.text:q} > {output:q} 2> {log:q}"


rule report:
    input:
        project="<results>/project.json",
        reference="<results>/reference.json",
        alignments=[f"{alignment(sample)}.stats.json" for sample in SAMPLES],
        calls=expand("<results>/calls/{sample}.vcf.gz.stats.json", sample=SAMPLES),
        cohort="<results>/cohort/cohort.vcf.gz",
        compare=expand("<results>/compare/{sample}.json", sample=TRUTH),
    output:
        html="<results>/report.html",
        json="<results>/report.json",
    log:
        "<logs>/report.log",
    conda:
        "../../../envs/environment.yml"
    resources:
        mem_mb=500,
    shell:
        "lingqu report {input.project:q} -o {output.html:q} > {log:q} 2>&1"
