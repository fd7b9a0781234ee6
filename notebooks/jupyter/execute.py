"""Settings of nbconvert for `mlens run`: tell the caller about each code cell as it ends.

One line of JSON a cell, after a marker, on standard output. The caller judges the outputs: it
must, because not every version of GoNB tells Jupyter that a cell's program failed.

A line on standard input lets it go on to the next cell. The end of it means stop: the caller closes it when a cell failed, when it is
interrupted, and (by ceasing to be) when it is killed. The kernel and the program of the cell
then get five seconds to save what they have; nothing is left behind.
"""
import json
import os
import sys
import threading

import psutil

c = get_config()  # noqa: F821 (nbconvert provides it)


go_on = threading.Semaphore(0)


def end(processes):
    """Asks the processes to end, and ends those that are still there after five seconds."""
    for p in processes:
        try:
            p.terminate()
        except psutil.NoSuchProcess:
            pass
    for p in psutil.wait_procs(processes, timeout=5)[1]:
        try:
            p.kill()
        except psutil.NoSuchProcess:
            pass


def follow_input():
    while lines := os.read(0, 4096):
        go_on.release(len(lines))
    me = psutil.Process()
    kernels = me.children()
    # What the kernel started goes first: a kernel that ends kills its cell at once.
    end([p for k in kernels for p in k.children(recursive=True)])
    end(kernels)
    os._exit(1)


threading.Thread(target=follow_input, daemon=True).start()


def report(event, cell, cell_index):
    if cell.cell_type != "code":
        return
    line = {"event": event, "index": cell_index}
    if event == "end":
        line["outputs"] = cell.outputs
    sys.stdout.write("mlens-cell " + json.dumps(line) + "\n")
    sys.stdout.flush()
    if event == "end":
        go_on.acquire()


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
