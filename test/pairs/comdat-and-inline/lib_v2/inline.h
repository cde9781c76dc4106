#include "pair.h"
typedef int Count();
typedef int Twice(int);
NOINLINE inline int count() { static int n = 100, m = 3; m += n; return ++n + m * 0; }
template <class T> NOINLINE T twice(T x) { return x * 2 + 1; }
template <class T> struct Named { static constexpr const char *text = "number two"; static int value; };
template <class T> int Named<T>::value = 6;
