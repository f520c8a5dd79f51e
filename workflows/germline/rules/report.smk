# One page about all samples, and the same numbers as JSON, as a table, and for MultiQC.


KINDS = ("stats", "qc")


# First of all, so that also of a run that fails a report can tell.
rule project:
    output:
        "<results>/project.json",
    log:
        "<logs>/project.log",
    priority: 100
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
        alignments=[f"{alignment(s)}.{kind}.json" for s in SAMPLES for kind in KINDS],
        calls=expand("<results>/calls/{s}.vcf.gz.{kind}.json", s=SAMPLES, kind=KINDS),
        cohort="<results>/cohort/cohort.vcf.gz",
        cohort_qc="<results>/cohort/cohort.vcf.gz.qc.json",
        compare=expand("<results>/compare/{sample}.json", sample=TRUTH),
        digests=expand("<results>/digests/{part}.sha256", part=digest_parts()),
        look=expand("<results>/look/{sample}.json", sample=SAMPLES),
        thresholds=qc_files("thresholds"),
    output:
        html=report(
            "<results>/report.html",
            caption="../report/page.rst",
            category="Quality",
            labels={"figure": "The whole report"},
        ),
        json="<results>/report.json",
        run="<results>/run.json",
        overview=report(
            "<results>/overview.tsv",
            caption="../report/overview.rst",
            category="Quality",
            labels={"figure": "Key figures of all samples"},
        ),
        multiqc=directory("<results>/multiqc"),
    log:
        "<logs>/report.log",
    conda:
        "../../../envs/environment.yml"
    resources:
        mem_mb=500 + 4 * len(SAMPLES),
    shell:
        "lingqu report {input.project:q} -o {output.html:q} > {log:q} 2>&1"
