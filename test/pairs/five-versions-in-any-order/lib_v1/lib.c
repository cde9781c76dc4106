#define SIZE 4
#define START 1
#define FACTOR 3
#define EXTRA stable
#define ORDER zero, one, two, three
#define NAME "v1"
#include "body.h"
