#define FACTOR 4
#define ENTRIES {"add", add, 100}, {"mul", mul, 200}, {"neg", neg, 300}
#include "find.h"
