#include "pair.h"
void note(char);
__attribute__((constructor(200))) static void first(void) { note('1'); }
__attribute__((constructor(101))) static void second(void) { note('2'); }
__attribute__((constructor)) static void third(void) { note('C'); }
__attribute__((destructor(300))) static void gone(void) { note('y'); }
