/a
/a/b
//c
b//c
a/*/c
.//d
//b | //d
@e
*/@e
