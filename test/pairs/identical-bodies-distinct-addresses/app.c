/* Functions and objects of equal bytes stay distinct, in a version where they are equal and in one where they are not. */
#include "pair.h"
int red(int), green(int), blue(int), callsAll(int);
extern const int redData[2], greenData[2];
extern char redBuffer[8], greenBuffer[8];
int main(void) {
  say("%d %d %d\n", SAME(red, green), SAME(green, blue), SAME(red, blue));
  say("%d %d\n", SAME(redData, greenData), SAME(redBuffer, greenBuffer));
  redBuffer[0] = 3;
  say("%d %d %d %d %d\n", red(1), green(1), blue(1), callsAll(1), greenBuffer[0]);
  say("%d %d\n", redData[1], greenData[1]);
  return 0;
}
