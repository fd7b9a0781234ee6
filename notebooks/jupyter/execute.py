"""Settings of nbconvert for `mlens run`: tell the caller about each code cell as it ends.

One line of JSON a cell, after a marker, on standard output. The caller judges the outputs: it
must, because GoNB answers "ok" even for a cell whose program failed.
"""
import json
import sys

c = get_config()  # noqa: F821 (nbconvert provides it)


def report(event, cell, cell_index):
    if cell.cell_type != "code":
        return
    line = {"event": event, "index": cell_index}
    if event == "end":
        line["outputs"] = cell.outputs
    sys.stdout.write("mlens-cell " + json.dumps(line) + "\n")
    sys.stdout.flush()


def on_cell_start(cell, cell_index, **_):
    report("start", cell, cell_index)


def on_cell_executed(cell, cell_index, **_):
    report("end", cell, cell_index)


c.ExecutePreprocessor.on_cell_start = on_cell_start
c.ExecutePreprocessor.on_cell_executed = on_cell_executed
c.ExecutePreprocessor.allow_errors = True  # the caller stops at the first failure
c.ExecutePreprocessor.record_timing = False  # time stamps would change at every run
c.ExecutePreprocessor.startup_timeout = 180
c.ExecutePreprocessor.kernel_name = "gonb"
