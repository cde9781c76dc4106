## A file that is no SQLite database, or a database of another program, is refused by name and left as it is.
# REQUIRES: ld.spacer
# RUN: rm -rf %t && mkdir %t && cd %t && %as %s -o a.o
# RUN: echo "these are my notes, do not overwrite them" > notes.txt && cp notes.txt before
# RUN: not %spacer_ld a.o -o image --spacer-atlas=notes.txt 2>&1 | FileCheck %s --check-prefix=TEXT
# TEXT: error: {{.*}}notes.txt
# TEXT-NOT: error:
# RUN: cmp notes.txt before && not ls image

# RUN: %python -c "import sqlite3; c = sqlite3.connect('mail.db'); c.execute('create table mail(x)'); c.commit()"
# RUN: cp mail.db before && not %spacer_ld a.o -o image --spacer-atlas=mail.db 2>&1 | FileCheck %s --check-prefix=OTHER
# OTHER: error: {{.*}}mail.db
# OTHER-NOT: error:
# RUN: cmp mail.db before && not ls image
  .globl _start
_start: ret
