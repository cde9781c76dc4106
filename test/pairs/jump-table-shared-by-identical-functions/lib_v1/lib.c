#include "switch.h"
SWITCH(one, 0, 1, 2, 3, 4, 5)
SWITCH(two, 0, 1, 2, 3, 4, 5)
SWITCH(three, 0, 1, 2, 3, 4, 5)
