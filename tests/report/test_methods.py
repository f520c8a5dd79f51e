"""The text for a paper: what ran is told and cited, what did not is not."""

import json
import re

import pytest

from lingqu.report.methods import methods, references
from lingqu.report.numbers import gather
from lingqu.report.run import run_facts
from lingqu.report.words import LANGUAGES


@pytest.fixture
def texts(finished, tmp_path):
    """A function of changes to the config, and to the samples, to the texts."""

    def written(samples: dict | None = None, **config) -> dict[str, str]:
        path = finished / "project.json"
        project = json.loads(path.read_text())
        project["config"] |= config
        for sample in project["samples"]:
            sample |= samples or {}
        path.write_text(json.dumps(project))
        return methods(gather(path), run_facts(path, tmp_path))

    return written


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_place_is_left_and_each_number_has_its_reference(texts, language):
    text = texts(known="dbsnp.vcf.gz", mnv=True, regions=["20:1-10"], qc={"sites": "s.vcf.gz"})
    body, _, listed = text[language].rpartition("\n\n")
    assert "{" not in text[language]
    used = list(dict.fromkeys(map(int, re.findall(r"\[(\d+)\]", body))))
    assert used == list(range(1, len(used) + 1))
    heads = [int(line.partition(".")[0]) for line in listed.splitlines()[1:]]
    assert heads == used
    for told in ("dbsnp.vcf.gz", "20:1-10", "s.vcf.gz", "lingqu align", "FastQC", "mosdepth"):
        assert told in body, told


def test_what_did_not_run_is_not_told(texts):
    text = texts(mark_duplicates=False, format="cram")["en"]
    for told in ("Duplicates were not marked", "sorted CRAM", "3 samples in 3 lanes", "genotyped"):
        assert told in text, told
    for silent in ("MNV", "Identifiers", "Dask", "sex", "families", "truth", "UMI"):
        assert silent not in text, silent


def test_families_sex_and_umis_are_told(texts):
    lane = {"lane": "L1", "umi": ":"}
    text = texts({"sex": "XY", "father": "B", "lanes": [lane]}, par="par.bed")["en"]
    for told in ("pseudoautosomal", "families", "Unique molecular identifiers"):
        assert told in text, told


def test_finished_alignments_are_no_work_of_the_aligner(texts):
    text = texts({"entry": "x.bam", "lanes": []})["en"]
    assert "3 samples came as finished alignments" in text
    assert "lingqu align" not in text


def test_all_references_are_cited_somewhere():
    from lingqu.report.words import words

    for language in LANGUAGES:
        text = json.dumps(words(language)["methods"])
        cited = set(re.findall(r"\{(\w+)_cite\}", text))
        cited |= {"fastqc", "samtools", "picard", "mosdepth"}  # of the list of tools
        assert cited == set(references())
