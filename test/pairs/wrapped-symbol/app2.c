/* Another wraps one of its functions, so that the library's own calls go to the application. */
#include "pair.h"
int callsWork(int), work(int), __real_work(int);
int __wrap_work(int x) { return __real_work(x) * 1000; }
int main(void) {
  SHOW(callsWork(3));
  SHOW(work(1));
  return 0;
}
