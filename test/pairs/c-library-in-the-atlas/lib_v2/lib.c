#include <string.h>
int compare(const void *a, const void *b) { return *(const int *)b - *(const int *)a; }
const char *describe(int e) { return strerror(e + 10); }
