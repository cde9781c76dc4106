#define SIZE 4000
#define START 9
#define FACTOR 3
#define EXTRA helper
#define ORDER three, two, one, zero
#define NAME "v1, again but not quite"
#include "body.h"
