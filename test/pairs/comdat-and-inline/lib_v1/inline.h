#include "pair.h"
typedef int Count();
typedef int Twice(int);
NOINLINE inline int count() { static int n = 0; return ++n; }
template <class T> NOINLINE T twice(T x) { return x + x; }
template <class T> struct Named { static constexpr const char *text = "one"; static int value; };
template <class T> int Named<T>::value = 5;
