"""A script for the SQLite shell: a fixed text of some thousand statements, made of fixed blocks and drawn ones.

Fixed blocks take one feature each (JSON, windows, recursion, full text, R-tree, triggers, constraints, savepoints,
generated columns, upserts, views, foreign keys, plans, session-free errors). Between them stand drawn statements over
one order table, so that planner, B-trees and sorter meet states that nobody thought of. With files, a database is
damaged in several ways and read. Nothing depends on time, random() or addresses.
"""

import random

SETUP = """.bail off
.headers off
.mode list
PRAGMA page_size=1024;
PRAGMA foreign_keys=on;
CREATE TABLE customer(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, city TEXT COLLATE NOCASE, born DATE);
CREATE TABLE sale(id INTEGER PRIMARY KEY, customer INT REFERENCES customer(id) ON DELETE CASCADE,
  day INT CHECK(day BETWEEN 0 AND 365), amount REAL, tax AS (round(amount * 0.19, 2)) STORED, note);
CREATE INDEX saleByDay ON sale(day, amount DESC);
CREATE INDEX bigSale ON sale(customer) WHERE amount > 900;
CREATE TABLE log(n INTEGER PRIMARY KEY AUTOINCREMENT, what TEXT, who INT, old, new);
CREATE TRIGGER saleIn AFTER INSERT ON sale WHEN new.amount > 800 BEGIN
  INSERT INTO log(what, who, new) VALUES('in', new.customer, new.amount); END;
CREATE TRIGGER saleUp AFTER UPDATE OF amount ON sale BEGIN
  INSERT INTO log(what, who, old, new) VALUES('up', new.customer, old.amount, new.amount); END;
CREATE TRIGGER saleOut BEFORE DELETE ON sale WHEN old.note = 'keep' BEGIN SELECT raise(ABORT, 'kept'); END;
CREATE VIEW perCity AS SELECT city, count(*) AS n, total(amount) AS sum FROM sale JOIN customer ON customer=customer.id GROUP BY city;
CREATE TRIGGER cityOut INSTEAD OF DELETE ON perCity BEGIN DELETE FROM customer WHERE city = old.city; END;
CREATE VIRTUAL TABLE doc USING fts5(title, body, tokenize='porter unicode61');
CREATE VIRTUAL TABLE box USING rtree(id, x0, x1, y0, y1, +label);
CREATE TABLE word(w TEXT PRIMARY KEY, n INT DEFAULT 1) WITHOUT ROWID;
"""

BLOCKS = (
    """SELECT json_extract('{"a":[1,2,{"b":3.5e2}],"c":null}', '$.a[2].b', '$.c', '$.a[#-1]');
SELECT key, value, type, atom, path, fullkey FROM json_tree('{"x":[true,"q\\"\\u00e4",-0.5],"y":{}}') ORDER BY id;
SELECT json_patch('{"a":1,"b":2}', '{"a":null,"c":[3]}'), json_set('[1,2]', '$[1]', json('{"z":0}')), json_valid('{x:1}');
SELECT json_group_object(name, born) FROM (SELECT name, born FROM customer ORDER BY id LIMIT 3);
SELECT '[1,[2,3]]' -> 1, '[1,[2,3]]' ->> '$[1][0]', json_quote(x'00'), json_remove('{"a":1}', '$');
""",
    """SELECT id, amount, row_number() OVER w, rank() OVER (ORDER BY note), dense_rank() OVER (ORDER BY note), lag(amount, 2, -1) OVER w,
 sum(amount) OVER (PARTITION BY note ORDER BY id ROWS BETWEEN 2 PRECEDING AND 1 FOLLOWING EXCLUDE CURRENT ROW) FROM sale WHERE id < 25 WINDOW w AS (ORDER BY day, id);
SELECT day, ntile(4) OVER (ORDER BY day), round(percent_rank() OVER (ORDER BY day), 4), round(cume_dist() OVER (ORDER BY day), 4),
 group_concat(id, '-') OVER (ORDER BY day GROUPS BETWEEN 1 PRECEDING AND CURRENT ROW EXCLUDE TIES) FROM sale WHERE id BETWEEN 30 AND 60;
SELECT first_value(id) OVER v, nth_value(id, 3) OVER v, count(*) FILTER (WHERE amount > 500) OVER v FROM sale
 WINDOW v AS (PARTITION BY customer ORDER BY amount RANGE BETWEEN 100 PRECEDING AND 100.5 FOLLOWING) ORDER BY id LIMIT 20;
""",
    """WITH RECURSIVE f(n, a, b) AS (VALUES(0, 0, 1) UNION ALL SELECT n+1, b, a+b FROM f WHERE n < 92) SELECT n, a FROM f WHERE n % 9 = 0;
WITH RECURSIVE input(sud) AS (VALUES('53..7....6..195....98....6.8...6...34..8.3..17...2...6.6....28....419..5....8..79')),
 digits(z, lp) AS (VALUES('1', 1) UNION ALL SELECT CAST(lp+1 AS TEXT), lp+1 FROM digits WHERE lp < 9),
 x(s, ind) AS (SELECT sud, instr(sud, '.') FROM input UNION ALL
  SELECT substr(s, 1, ind-1) || z || substr(s, ind+1), instr(substr(s, 1, ind-1) || z || substr(s, ind+1), '.')
  FROM x, digits AS z WHERE ind > 0 AND NOT EXISTS (SELECT 1 FROM digits AS lp
   WHERE z.z = substr(s, ((ind-1)/9)*9 + lp, 1) OR z.z = substr(s, ((ind-1)%9) + (lp-1)*9 + 1, 1)
   OR z.z = substr(s, (((ind-1)/3) % 3) * 3 + ((ind-1)/27) * 27 + lp + ((lp-1) / 3) * 6, 1)))
 SELECT s FROM x WHERE ind = 0;
WITH RECURSIVE m(x, y, cx, cy, i) AS (SELECT 0.0, 0.0, -1.2, 0.3, 0 UNION ALL SELECT x*x-y*y+cx, 2*x*y+cy, cx, cy, i+1 FROM m WHERE x*x+y*y < 4.0 AND i < 30)
 SELECT count(*), printf('%.6f', max(x)) FROM m;
""",
    """INSERT INTO doc VALUES('Pages', 'pages shared by images; the image of a page'), ('Doors', 'doors lead to versions'), ('Äpfel', 'ein Apfel, viele Äpfel'), ('Empty', '');
SELECT rowid, highlight(doc, 1, '[', ']'), snippet(doc, -1, '<', '>', '...', 4), round(bm25(doc), 5) FROM doc WHERE doc MATCH 'page OR version*' ORDER BY rank, rowid;
SELECT title FROM doc WHERE doc MATCH 'NEAR(pages images, 4) NOT door'; SELECT title FROM doc('title: apfel* OR äpfel');
SELECT * FROM doc WHERE doc MATCH '"unbalanced'; DELETE FROM doc WHERE rowid = 1; INSERT INTO doc(doc) VALUES('optimize'); INSERT INTO doc(doc) VALUES('integrity-check');
UPDATE doc SET body = 'doors and windows' WHERE title = 'Doors'; SELECT count(*) FROM doc WHERE doc MATCH 'window';
""",
    """WITH RECURSIVE c(i) AS (VALUES(1) UNION ALL SELECT i+1 FROM c WHERE i < 300) INSERT INTO box SELECT i, i*37%100, i*37%100 + i%7, i*53%100, i*53%100 + i%5, 'b' || i FROM c;
SELECT id, label FROM box WHERE x0 >= 10 AND x1 <= 30 AND y0 > 20 AND y1 < 50 ORDER BY id; SELECT count(*), sum(x1 - x0) FROM box WHERE x1 > 90;
UPDATE box SET x0 = x0 - 1 WHERE id % 50 = 0; DELETE FROM box WHERE id % 3 = 0; SELECT rtreecheck('box'), count(*) FROM box; INSERT INTO box VALUES(1000, 5, 4, 0, 1, 'wrong');
""",
    """INSERT INTO word(w) VALUES('a'),('b'),('a') ON CONFLICT(w) DO UPDATE SET n = n + 1; INSERT OR IGNORE INTO word VALUES('b', 99); REPLACE INTO word VALUES('c', 5);
INSERT INTO word SELECT 'd', 1 WHERE true ON CONFLICT DO NOTHING RETURNING w, n; UPDATE word SET n = n * 2 WHERE w > 'a' RETURNING *; SELECT * FROM word ORDER BY w DESC;
UPDATE sale SET note = c.city FROM customer AS c WHERE c.id = sale.customer AND sale.id % 40 = 0; SELECT id, note FROM sale WHERE id % 40 = 0 ORDER BY id;
""",
    """SELECT sqrt(2), pow(2, 0.5), exp(1), ln(10), log(2, 1024), sin(1), atan2(1, -1), degrees(pi()), ceil(-1.5), mod(-7, 3), trunc(2.7), acosh(2), sign(-3);
SELECT printf('%08.3f|%+d|%,d|%x|%o|%e|%g|%s|%10.4s|%-6s|%c|%q|%Q|%w|%%', 3.14159, 5, 1234567, 255, 8, 12345.678, 1e-5, 'text', 'abcdefgh', 'l', 'xyz', 'it''s', NULL, '"');
SELECT typeof(1 + '2'), 9223372036854775807 + 1, -9223372036854775808 / -1, 7 / 2, 7 % -3, 1 << 62, ~5, '10' < 9, x'41' || 'B', 1e308 * 10, abs(-9223372036854775807), 0x7fffffffffffffff;
SELECT CAST('12abc' AS INT), CAST(1e19 AS INT), CAST(x'313233' AS TEXT), '0x10' + 0, 1 = 1.0, NULL IS NOT NULL, 'a' GLOB '[a-c]*', 'ÄB' LIKE 'äb', 'x_y' LIKE 'x\\_y' ESCAPE '\\';
SELECT date('2023-11-05', '+1 month', 'weekday 0'), strftime('%j %W %s %f', '2024-12-31 23:59:59.987'), julianday('2000-01-01'), datetime(1000000000, 'unixepoch'), time('25:00'), unixepoch('1969-12-31');
SELECT hex(randomblob(0)), substr('hello', -3, 2), instr('abcabc', 'ca'), replace('aXbX', 'X', 'yy'), trim('--x-', '-'), unicode('€'), char(8364, 65), quote(1e100), quote('a''b'), soundex('Robert');
SELECT abs(-9223372036854775808); SELECT zeroblob(-5), length(zeroblob(10)), nullif(1, 1), iif(0, 1, 2), coalesce(NULL, NULL, 3), max(1, 'a', x'00'), min(NULL, 1);
""",
    """SAVEPOINT one; INSERT INTO customer(id, name) VALUES(9001, 'temporary'); SAVEPOINT two; DELETE FROM sale; SELECT count(*) FROM sale; ROLLBACK TO two; SELECT count(*) > 0 FROM sale;
RELEASE two; SELECT count(*) FROM customer WHERE id = 9001; ROLLBACK TO one; RELEASE one; SELECT count(*) FROM customer WHERE id = 9001;
BEGIN; UPDATE sale SET amount = amount + 1; SELECT round(total(amount), 2) FROM sale; ROLLBACK; SELECT round(total(amount), 2) FROM sale; COMMIT;
BEGIN; INSERT INTO customer(name) VALUES('customer 1'); INSERT OR ROLLBACK INTO customer(name) VALUES('customer 1'); COMMIT;
""",
    """INSERT INTO sale(day) VALUES(366); INSERT INTO sale(customer, day) VALUES(-5, 1); INSERT INTO sale(tax) VALUES(1); DELETE FROM nowhere; SELECT nothing FROM sale; SELECT 1 +;
SELECT sum(1, 2); CREATE TABLE sale(x); DROP TABLE log2; SELECT * FROM sale GROUP BY; PRAGMA nonsense; INSERT INTO customer VALUES(1, 2); ATTACH '/no/such/folder/x.db' AS other; SELECT 'open
 string'; SELECT raise(ABORT, 'x'); ALTER TABLE sale DROP COLUMN tax; SELECT load_extension('x'); WITH a AS (SELECT * FROM a) SELECT * FROM a;
""",
    """EXPLAIN QUERY PLAN SELECT * FROM sale WHERE day = 3 AND amount > 500; EXPLAIN QUERY PLAN SELECT name FROM customer JOIN sale ON customer.id = customer WHERE amount > 900 ORDER BY name;
EXPLAIN QUERY PLAN SELECT * FROM sale WHERE id IN (SELECT who FROM log) OR day < 5 UNION SELECT * FROM sale WHERE note IS NULL; ANALYZE; SELECT tbl, idx, stat FROM sqlite_stat1 ORDER BY 1, 2;
EXPLAIN QUERY PLAN SELECT city, count(*) FROM customer LEFT JOIN sale USING(id) GROUP BY city HAVING count(*) > 1; EXPLAIN SELECT count(*) FROM word WHERE n IN (1, 2, 3);
""",
    """ALTER TABLE log RENAME COLUMN what TO kind; ALTER TABLE log ADD COLUMN extra DEFAULT 'none'; INSERT INTO log(kind) VALUES('alter'); SELECT kind, extra FROM log ORDER BY n DESC LIMIT 2;
ALTER TABLE log RENAME COLUMN kind TO what; ALTER TABLE log DROP COLUMN extra; REINDEX; VACUUM; PRAGMA integrity_check; PRAGMA foreign_key_check; SELECT name, type FROM sqlite_schema ORDER BY 1;
CREATE TEMP TABLE t AS SELECT id, note FROM sale ORDER BY id DESC LIMIT 5; SELECT * FROM t; DROP TABLE t; PRAGMA table_xinfo(sale); PRAGMA index_list(sale);
""",
    """SELECT * FROM (SELECT day FROM sale EXCEPT SELECT day FROM sale WHERE amount < 700) INTERSECT SELECT day FROM sale WHERE note IS NOT NULL ORDER BY 1 LIMIT 12;
SELECT a.id, b.id FROM sale a JOIN sale b ON a.day = b.day AND a.id < b.id AND a.amount BETWEEN b.amount - 50 AND b.amount + 50 ORDER BY 1, 2 LIMIT 15;
SELECT c.name, (SELECT max(amount) FROM sale WHERE customer = c.id), EXISTS (SELECT 1 FROM log WHERE who = c.id) FROM customer c ORDER BY c.id LIMIT 12;
SELECT customer.id, s.id FROM customer FULL JOIN (SELECT * FROM sale WHERE day = 7) s ON s.customer = customer.id ORDER BY 2 DESC, 1 LIMIT 6; SELECT DISTINCT city COLLATE BINARY FROM customer ORDER BY city, 1;
SELECT * FROM perCity ORDER BY city; SELECT city, sum > 1000 FROM perCity WHERE n > 2 ORDER BY n, city; SELECT (1, 2) < (1, 3), (SELECT 1, 2) = (1, 2), 5 IN (1, 5, NULL), 6 IN (1, NULL);
""",
    """.mode box
SELECT id, name FROM customer ORDER BY id LIMIT 3;
.mode json
SELECT id, name, NULL AS nothing, 1.5 AS real, x'00ff' AS bytes FROM customer ORDER BY id LIMIT 2;
.mode csv
SELECT 'a "quoted", text', 1, NULL;
.mode insert target
SELECT 1, 'it''s', x'01', NULL, 2.5;
.mode column
.headers on
SELECT day, note FROM sale ORDER BY id LIMIT 3;
.headers off
.mode quote
SELECT 1, 'a', NULL, x'ff';
.mode list
.schema sale
.tables
.indexes sale
.dump word
.sha3sum
""",
)

DAMAGE = """.open damaged.db
PRAGMA page_size=512; CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT, c); CREATE INDEX tb ON t(b);
WITH RECURSIVE c(i) AS (VALUES(1) UNION ALL SELECT i+1 FROM c WHERE i < 400) INSERT INTO t SELECT i, printf('value %04d', i*7919%400), zeroblob(i%90) FROM c;
.open :memory:
SELECT writefile('damage{n}.db', substr(readfile('damaged.db'), 1, {at}) || x'{bytes}' || substr(readfile('damaged.db'), {after}));
.open damage{n}.db
PRAGMA integrity_check(12); SELECT count(*) FROM t; SELECT count(*), min(b), max(b), sum(length(c)) FROM t WHERE b > 'value 01'; SELECT a FROM t ORDER BY b DESC LIMIT 3;
INSERT INTO t VALUES(5000, 'new', NULL); DELETE FROM t WHERE a % 7 = 0; UPDATE t SET c = zeroblob(200) WHERE a % 50 = 1; VACUUM; SELECT count(*) FROM t;
SELECT name, rootpage FROM sqlite_schema;
"""


def drawn(pick):
    """One statement over the order table."""
    day, number, amount = pick.randrange(366), pick.randrange(1, 400), pick.randrange(100000) / 100
    return pick.choice((
        f"INSERT INTO customer(name, city, born) VALUES('customer {number}', '{pick.choice(('Aachen', 'berlin', 'Celle', 'Dresden'))}', date('1970-01-01', '+{number * 31} days'));",
        f"INSERT INTO sale(customer, day, amount, note) SELECT id, ({day} + id) % 366, round({amount} + id * 3.7, 2), '{pick.choice(('plain', 'gift', 'keep'))}' FROM customer WHERE id % {pick.randrange(3, 9)} = 0;",
        f"INSERT INTO sale(customer, day, amount, note) VALUES((SELECT min(id) FROM customer WHERE id >= {number % 40}), {day}, {amount}, NULL);",
        f"UPDATE sale SET amount = round(amount * 1.{number}, 2) WHERE day BETWEEN {day} AND {day + 9};",
        f"DELETE FROM sale WHERE id IN (SELECT id FROM sale WHERE day = {day} AND note IS NOT 'keep' LIMIT 3);",
        f"DELETE FROM sale WHERE day = {day};",
        f"SELECT id, day, amount FROM sale WHERE day > {day} AND amount < {amount} ORDER BY amount, id LIMIT 3;",
        f"SELECT city, count(*), round(avg(amount), 3) FROM sale JOIN customer ON customer = customer.id WHERE day < {day} GROUP BY city ORDER BY 3 DESC;",
        f"SELECT count(*), round(total(new - old), 2) FROM log WHERE who = {number % 50} OR what = 'in';",
        f"SELECT note, sum(tax > {amount / 10}) FROM sale GROUP BY note HAVING count(*) > {number % 5} ORDER BY note;",
        f"SELECT name FROM customer WHERE name LIKE '%{number % 10}_' AND id NOT IN (SELECT customer FROM sale WHERE customer IS NOT NULL) LIMIT 4;",
    ))


def script(count, files):
    """The text; about `count` statements, and the damaged databases with `files`."""
    pick = random.Random(count)
    lines = [SETUP, "BEGIN;"]
    lines += [drawn(pick) for _ in range(count // 5)] + ["COMMIT;"]
    share = (count - count // 5) // len(BLOCKS)
    for block in BLOCKS:
        lines += [block, *(drawn(pick) for _ in range(share - block.count(";")))]
    if files:
        damages = ((16, "ffff"), (0, "00" * 16), (100, "00"), (512 * 3 + 3, "ffff"), (512 * 5, "0d0000ff"),
                   (512 * 2, "05"), (512 * 20, ""), (24, "00000001ffffffff"))
        for n, (at, what) in enumerate(damages):
            after = at + 1 + len(what) // 2 if what else 1 << 30
            lines.append(DAMAGE.format(n=n, at=at, bytes=what, after=after))
    return "\n".join([*lines, "SELECT 'the end';", ""])
