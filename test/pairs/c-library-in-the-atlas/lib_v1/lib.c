#include <string.h>
int compare(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }
const char *describe(int e) { return strerror(e); }
