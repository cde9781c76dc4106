#!/usr/bin/env python3
"""Turns callgrind's output into lld's --call-graph-ordering-file: lines of `caller callee count`.

    valgrind --tool=callgrind --callgrind-out-file=run.callgrind PROGRAM
    callgrind-to-profile.py run.callgrind run.profile
    ld.spacer ... --spacer-trampolines=auto --call-graph-ordering-file=run.profile"""

import sys

from callgraph import writeProfile

if len(sys.argv) != 3 or sys.argv[1] == "--help":
    print(__doc__)
    sys.exit(0 if "--help" in sys.argv else 2)
writeProfile(*sys.argv[1:])
