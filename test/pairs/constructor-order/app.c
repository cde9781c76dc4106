/* Constructors and destructors of library and application run in the order of their priorities and files. */
#include "pair.h"
extern char order[];
void note(char);
__attribute__((constructor(150))) static void early(void) { note('a'); }
__attribute__((constructor)) static void plain(void) { note('b'); }
__attribute__((destructor)) static void last(void) { say("end %s\n", order); }
int main(void) {
  say("main %s\n", order);
  return 0;
}
