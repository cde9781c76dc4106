#define SIZE 4
#define START 2
#define FACTOR 5
#define EXTRA stable
#define ORDER one, zero, two, three
#define NAME "v2"
#include "body.h"
