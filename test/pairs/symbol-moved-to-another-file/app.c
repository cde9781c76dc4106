/* A function, its static helper and a variable move to another file, where another helper of that name lives. */
#include "pair.h"
int moves(int), stays(int), also(int);
extern int movesData;
int main(void) {
  SHOW(moves(1));
  SHOW(stays(1));
  SHOW(also(1));
  SHOW(moves(1));
  SHOW(movesData);
  return 0;
}
