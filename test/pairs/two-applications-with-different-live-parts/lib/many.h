#include "pair.h"
#define EIGHT(M, d) M(d##0) M(d##1) M(d##2) M(d##3) M(d##4) M(d##5) M(d##6) M(d##7) M(d##8) M(d##9)
#define ALL(M) EIGHT(M, ) EIGHT(M, 1) EIGHT(M, 2) EIGHT(M, 3) EIGHT(M, 4) EIGHT(M, 5) EIGHT(M, 6)
#define DECLARE(n) int f##n(int);
ALL(DECLARE)
const char *text(int);
int state(void);
