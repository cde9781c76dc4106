#include "switch.h"
SWITCH(one, 0, 1, 2, 3, 4, 5)
SWITCH(two, 5, 4, 3, 2, 1, 0)
SWITCH(three, 0, 1, 2, 3, 4, 5)
