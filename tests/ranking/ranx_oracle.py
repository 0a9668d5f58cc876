"""Figures of ranx, as a process of its own: {qrels, run, metrics} on stdin, {metric: figure} on stdout.

ranx compiles for minutes what runs here in milliseconds, so it is started without its compiler, which
can only be switched off for a whole process.
"""

import json
import sys

from ranx import Qrels, Run, evaluate

if __name__ == "__main__":
    asked = json.load(sys.stdin)
    figures = evaluate(Qrels(asked["qrels"]), Run(asked["run"]), asked["metrics"], threads=1)
    print(json.dumps({name: float(figure) for name, figure in figures.items()}))
