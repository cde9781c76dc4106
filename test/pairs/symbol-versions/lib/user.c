int fooBefore(int), foo(int);
__asm__(".symver fooBefore,foo@V1");
int callOld(int x) { return fooBefore(x) * 3; }
int callNew(int x) { return foo(x) * 3; }
