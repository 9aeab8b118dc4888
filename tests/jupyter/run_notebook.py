"""Runs a notebook with nbclient and prints the outputs of its code cells.

    python3 run_notebook.py NOTEBOOK FOLDER

FOLDER is where the kernel starts. Prints one JSON value: a list of lists.
"""
import json
import sys

import nbformat
from nbclient import NotebookClient

notebook = nbformat.read(sys.argv[1], as_version=4)
code = [cell for cell in notebook.cells if cell.cell_type == "code"]
for cell in code:
    cell.outputs = []
NotebookClient(
    notebook,
    kernel_name="swaplab",
    timeout=120,
    allow_errors=True,
    resources={"metadata": {"path": sys.argv[2]}},
).execute()
print(json.dumps([cell.outputs for cell in code]))
