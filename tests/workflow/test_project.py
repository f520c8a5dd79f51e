"""Config: every fault has its place, and all are told at once."""

import pytest

from lingqu.report.verdicts import thresholds

CONFIG = "reference: ref.fa\nsamples: samples.tsv\n"


def test_good_project_has_defaults_and_samples_in_order(files):
    project = files.open()
    assert list(project.samples) == ["S1", "S2"]
    assert [lane.id for lane in project.samples["S1"].lanes] == ["S1.L1", "S1.L2"]
    assert project.samples["S1"].lanes[1].r2 == ""
    assert project.samples["S1"].lanes[0].library == "S1"
    assert project.samples["S1"].lanes[0].platform == "ILLUMINA"
    assert project.config["ploidy"] == 2
    assert project.config["format"] == "bam"
    assert project.config["truth"] == {}


def test_config_of_the_house_is_valid_but_for_its_files(files):
    from lingqu.base.resources import house

    text = (house("config") / "germline.yaml").read_text()
    text = text.replace("reference.fa", "ref.fa").replace("config/samples.tsv", "samples.tsv")
    text = text.replace("config/qc.yaml", str(house("config") / "qc.yaml"))
    assert files.open(text).config["results"] == "results"


def test_quality_control_has_defaults_also_where_it_is_not_named(files):
    plain = {"thresholds": None, "sites": None, "genes": None, "digests": True, "price": None}
    assert files.open().config["qc"] == plain
    assert files.open(f"{CONFIG}qc:\n").config["qc"] == plain
    price = "  price: {core_hour: 0.5, currency: EUR}\n"
    told = files.open(f"{CONFIG}qc:\n{price}").config["qc"]
    assert told == plain | {"price": {"core_hour": 0.5, "currency": "EUR"}}


def test_faults_of_thresholds_have_their_places(files):
    text = "mapped: {warn: 0.8, fail: 0.7}\nmaped:\ngc: {warn: 1}\n"
    (files.folder / "own.yaml").write_text(text)
    assert files.faults(f"{CONFIG}qc: {{thresholds: own.yaml}}\n") == [
        f"own.yaml:2:1: no such measure; known are {', '.join(thresholds())}",
        "own.yaml:3:1: a limit must be [from, to], not 1",
    ]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("refrence: x", "3:1: unknown key 'refrence'; did you mean 'reference'?"),
        ("ploidy: two", "3:1: 'ploidy' must be a whole number or empty, not 'two'"),
        ("ploidy: 3", "3:1: 'ploidy' must be at most 2, not 3"),
        ("format: sam", "3:1: 'format' must be one of bam, cram, not 'sam'"),
        ("samples: other.tsv", "3:1: key 'samples' twice; keep one"),
        ("regions: [a b]", "3:11: 'a b' is no region; write chr:from-to or name a .bed file"),
        ("regions: [x.bed]", "3:11: x.bed: no such file"),
        ("regions: [1:59]", "3:11: 'regions[1]' must be text, not 119"),
        ("results: my results", "3:1: 'results' must be a folder name"),
        ("regions: [t.bed, 20:1-2]", "3:1: a BED file stands alone; put all regions into it"),
        ("par: no.bed", "3:1: no.bed: no such file"),
        ("par: t.vcf", "3:1: 'par' must name a .bed file"),
        ("known: t.vcf", "3:1: 'known' must name a .vcf.gz file"),
        ("known: no.vcf.gz", "3:1: no.vcf.gz: no such file"),
        ("qc: 3", "3:1: 'qc' must be a block of keys or empty, not 3"),
        ("qc: {thresholds: no.yaml}", "3:6: no.yaml: no such file"),
        ("qc: {sites: no.vcf.gz}", "3:6: no.vcf.gz: no such file"),
        ("qc: {genes: t.vcf}", "3:6: 'qc.genes' must name a .bed, .gff3 or .gtf file"),
        ("qc: {price: {core_hour: 1}}", "3:6: key 'currency' is missing; add it"),
        ("qc: {digest: false}", "3:6: unknown key 'digest'; did you mean 'digests'?"),
        ("truth: {S3: {vcf: t.vcf}}", "3:9: truth of 'S3', which is no sample of the sheet"),
        ("truth: {S1: {vcf: no.vcf}}", "3:14: no.vcf: no such file"),
        ("truth: {S1: {}}", "3:9: key 'vcf' is missing; add it"),
        ("truth: {S1: {vcf: t.vcf, region: 1}}", "3:26: unknown key 'region'; did you mean"),
    ],
)
def test_fault_names_line_column_and_mend(files, line, told):
    (fault,) = files.faults(CONFIG + line + "\n")[:1]
    assert fault.startswith(f"config.yaml:{told}")


def test_missing_key_and_missing_reference(files):
    assert files.faults("samples: samples.tsv\n")[0].startswith(
        "config.yaml:1:1: key 'reference' is missing; add it"
    )
    assert files.faults("reference: no.fa\nsamples: samples.tsv\n")[0].startswith(
        "config.yaml:1:1: no.fa: no such file"
    )


@pytest.mark.parametrize("text", ["", "just words\n", "- a\n- b\n"])
def test_no_keys(files, text):
    assert "config.yaml:1:1: must be keys and values" in files.faults(text)[1]


def test_broken_yaml_names_the_place(files):
    (fault,) = files.faults("reference: [ref.fa\nsamples: samples.tsv\n")
    assert fault.startswith("config.yaml:2:8: ")


def test_all_faults_of_both_files_at_once(files):
    faults = files.faults(
        CONFIG + "ploidy: x\nformt: bam\n", "sample\tlane\tr1\nS 1\tL1\ta1.fq\nS2\tL1\tno.fq\n"
    )
    assert [fault.split(": ")[0] for fault in faults] == [
        "config.yaml:3:1",
        "config.yaml:4:1",
        "samples.tsv:2:1",
        "samples.tsv:3:7",
    ]


def test_a_value_of_the_command_line_has_no_place(files):
    merged = {"reference": "ref.fa", "samples": "samples.tsv", "ploidy": 7}
    assert files.faults(merged=merged) == ["--config: 'ploidy' must be at most 2, not 7"]


def test_a_sex_is_a_samples(files):
    sheet = "sample\tlane\tr1\tsex\nS1\tL1\ta1.fq\nS1\tL2\tb1.fq\tXY\nS2\tL1\tc1.fq\n"
    project = files.open(sheet=sheet)
    assert [sample.sex for sample in project.samples.values()] == ["XY", ""]
    (fault,) = files.faults(CONFIG + "ploidy: 1\n", sheet)
    assert fault.startswith("config.yaml:3:1: 1, but the sheet tells the sex of 'S1'")
