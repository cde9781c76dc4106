#include "pair.h"
void note(char);
__attribute__((constructor(140))) static void fourth(void) { note('4'); }
__attribute__((constructor)) static void fifth(void) { note('5'); }
