#define FACTOR 8
#define ENTRIES {"neg", add, 100}, {"none", neg, 5}, {"mul", mul, 200}, {"add", neg, 400}
#include "find.h"
