"""Snakemake's output in brief."""

from lingqu.workflow.brief import brief

GOOD = """\
Using profile local for setting default command line arguments.
rule align:
    output: a.bam
Finished jobid: 3 (Rule: align)
1 of 3 steps (33%) done
Finished jobid: 2 (Rule: call)
2 of 3 steps (67%) done
Finished jobid: 0 (Rule: all)
3 of 3 steps (100%) done
"""


def test_a_line_for_each_finished_step():
    assert list(brief(GOOD.splitlines(keepends=True))) == ["[1/3] align", "[2/3] call"]


def test_everything_from_the_first_error_on():
    lines = ["rule call:\n", "Error in rule call:\n", "    log: call.log\n"]
    assert list(brief(lines)) == ["Error in rule call:", "    log: call.log"]
