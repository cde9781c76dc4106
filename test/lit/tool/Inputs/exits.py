"""Runs a command and fails unless its exit status is the one given and it wrote one line to stderr.

usage: exits.py STATUS COMMAND..."""

import subprocess
import sys

done = subprocess.run(sys.argv[2:], stderr=subprocess.PIPE, text=True)
sys.stderr.write(done.stderr)
if done.returncode != int(sys.argv[1]):
    sys.exit(f"exit status {done.returncode}, expected {sys.argv[1]}")
if done.returncode == 2 and done.stderr.count("\n") != 1:
    sys.exit(f"{done.stderr.count(chr(10))} lines, expected one")
