#define SIZE 40
#define START 1
#define FACTOR 3
#define EXTRA stable
#define ORDER zero, one, two, three
#define NAME "v4"
#include "body.h"
