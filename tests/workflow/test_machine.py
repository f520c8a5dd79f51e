"""The doctor's findings."""

from lingqu.workflow import machine


def test_this_machine_lacks_nothing_that_is_needed(tmp_path):
    findings = list(machine.examine(tmp_path))
    assert [finding for finding in findings if finding.sick] == []
    assert {"Python", "cores", "memory", "CPU", "kernels", "Slurm", "snakemake"} <= {
        finding.what for finding in findings
    }


def test_missing_and_old_packages_are_told_with_the_mend(monkeypatch):
    wanted = ["no-such-package-here>=2", "click>=9999", "other>=1; extra == 'test'"]
    monkeypatch.setattr(machine.metadata, "requires", lambda _name: wanted)
    missing, old = machine._packages()
    assert missing.sick
    assert missing.mend.endswith("-m pip install 'no-such-package-here>=2'")
    assert old.sick
    assert ">=9999 is needed" in old.value


def test_folder_that_cannot_be_written(monkeypatch, tmp_path):
    monkeypatch.setattr(machine.os, "access", lambda *_: False)
    finding = machine._disk("working folder", tmp_path)
    assert finding.sick
    assert str(tmp_path) in finding.mend
