#include "pair.h"
void note(char);
__attribute__((constructor)) static void fifth(void) { note('5'); }
__attribute__((constructor(160))) static void sixth(void) { note('6'); }
__attribute__((constructor(140))) static void fourth(void) { note('4'); }
