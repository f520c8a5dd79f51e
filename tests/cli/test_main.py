"""Faults of the system as one line that says what to do."""

import errno
import os
import pickle

import pytest

from lingqu.cli import main


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
@pytest.mark.parametrize("from_worker", [False, True])
def test_a_full_disk_and_a_spent_quota_are_told_with_their_mend(
    code, from_worker, monkeypatch, capsys
):
    error = OSError(code, os.strerror(code), "results/S1.bam")
    if from_worker:
        error = pickle.loads(pickle.dumps(error))

    def fail(**_options):
        raise error

    monkeypatch.setattr(main, "lingqu", fail)
    monkeypatch.setattr("sys.argv", ["lingqu", "align"])
    assert main._run() == 1
    told = f"results/S1.bam: {os.strerror(code)}; free some space and run the same again"
    assert capsys.readouterr().err == f"lingqu: error: {told}\n"
