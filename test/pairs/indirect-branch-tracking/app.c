/* Code for IBT begins functions with endbr64 and notes it; every door that an indirect call can reach needs one too. */
#include "pair.h"
typedef int Op(int);
Op direct, taken;
extern Op *const table[];
Op *get(int);
int viaStatic(int);
int main(void) {
  Op *p = get(1);
  const unsigned char *code = (const unsigned char *)p;
  OPAQUE(code);
  say("%d %d %d %d %d\n", direct(1), taken(1), table[0](1), p(1), viaStatic(1));
  say("%d\n", code[0] == 0xf3 && code[1] == 0x0f && code[2] == 0x1e && code[3] == 0xfa);
  return 0;
}
