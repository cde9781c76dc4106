#define SIZE 400
#define START 2
#define FACTOR 5
#define EXTRA helper
#define ORDER one, zero, three, two
#define NAME "version three"
#include "body.h"
